// The memory model held against what the system says of this process: within 2 % and 16 MiB.
#include <gtest/gtest.h>

#include <string>

#include "core/engine/engine.h"
#include "core/hardware/process_memory.h"
#include "core/model/model_source.h"
#include "core/model/weights.h"
#include "core/workbench/run_request.h"

namespace dachlast {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr const char* kSkipReason = "a sanitizer's shadow memory is in the figure";
#else
constexpr const char* kSkipReason = nullptr;
#endif

/// What fills an engine's memory: every token of every sequence, then a step of the largest kind.
void fill(Engine& engine, int context_tokens, int batch_size) {
  const auto n_ids = static_cast<std::size_t>(context_tokens) * static_cast<std::size_t>(batch_size);
  engine.prefill(std::vector<std::int32_t>(n_ids, 1));
  engine.truncate(context_tokens - 1);
  engine.decode(std::vector<std::int32_t>(static_cast<std::size_t>(batch_size), 2));
}

void expect_accounted(const std::string& name, const char* kv, int context_tokens, int batch_size) {
  const auto program = read_process_memory();
  ASSERT_TRUE(program);
  RunPlan plan;
  plan.source = resolve_model(name);
  plan.request.kv = parse_kv_spec("--kv", kv);
  plan.precision.kv = storage_of(plan.request.kv, plan.request.kv.format.value_or(KvFormat::kF32));
  const ModelSpec& model = plan.source.spec;
  const auto weights = plan.source.weights_path ? open_weights(model, *plan.source.weights_path, DType::kF32)
                                                : random_weights(model, 42, DType::kF32);
  const MemoryScenario scenario = memory_scenario(plan, context_tokens, batch_size);
  Engine engine(model, *weights,
                {.precision = plan.precision,
                 .batch_size = batch_size,
                 .capacity_tokens = context_tokens,
                 .max_step_tokens = scenario.max_step_tokens,
                 .core_ids = {},
                 .attention_variant = {},
                 .linear_variant = {},
                 .kv = plan.request.kv});
  fill(engine, context_tokens, batch_size);
  const double modelled = total_bytes(memory_segments(model, scenario)).value;
  const double held = read_process_memory()->resident_bytes - program->resident_bytes;
  EXPECT_NEAR(held, modelled, 0.02 * modelled + 16 * kMiB) << name << ", " << kv;
}

TEST(ProcessMemory, TheBundledModelIsAccountedFor) {
  if (kSkipReason != nullptr) GTEST_SKIP() << kSkipReason;
  expect_accounted("stories-260k", "contiguous", 512, 8);
}

TEST(ProcessMemory, ALargerModelWithRandomWeightsIsAccountedFor) {
  if (kSkipReason != nullptr) GTEST_SKIP() << kSkipReason;
  // 475 MiB of weights; 2 · 12 layers · 768 · 512 tokens · 2 sequences: 36 MiB of BF16 cache.
  expect_accounted("gpt2", "paged:16,bf16", 512, 2);
}

TEST(ProcessMemory, ReadsThisProcess) {
  const auto memory = read_process_memory();
  ASSERT_TRUE(memory);
  EXPECT_GT(memory->resident_bytes, kMiB);
  EXPECT_GE(memory->peak_bytes, memory->resident_bytes * 0.99);  // the kernel counts them a moment apart
}

}  // namespace
}  // namespace dachlast
