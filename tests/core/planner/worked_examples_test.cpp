// The worked examples people meet in articles about serving, as far as memory decides them: what the rule of thumb says, and
// what it comes to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"
#include "core/planner/memory_planner.h"
#include "tests/core/model/temp_folder.h"
#include "tests/core/planner/planner_models.h"

namespace dachlast {
namespace {

PlanScenario scenario_of(const std::string& model, const DeviceSpec& device, const std::string& engine = "vllm",
                         const std::string& weights = "bf16") {
  return {.model = resolve_model(model).spec,
          .weights = weight_format(weights, *storage_format("bf16")),
          .cache = *cache_format("bf16"),
          .device = device,
          .layout = {},
          .engine = find_engine(engine),
          .limits = {},
          .counted_weights = {},
          .capacity = {}};
}

MemoryPlanner planner_of(const std::string& model, const std::string& weights = "bf16") {
  return MemoryPlanner(scenario_of(model, find_device("h100"), "dachlast", weights));
}

// "7B at 16 bit is 14 GB". Llama 2 7B, a layer: q, k, v, o 4 · 4,096² + MLP 3 · 4,096 · 11,008 + norms 2 · 4,096 = 202,383,360;
// 32 of them, embedding and head 2 · 32,000 · 4,096, final norm 4,096: 6,738,415,616. At 2 B: 13.48 GB = 12.55 GiB.
TEST(WorkedExamples, SevenBillionParametersAtSixteenBits) {
  const double weights = planner_of("llama-2-7b").at(1, 1).weights;
  EXPECT_DOUBLE_EQ(weights, 2.0 * 6738415616);
  EXPECT_NEAR(weights / 1e9, 13.48, 0.005);
  EXPECT_NEAR(weights / kGiB, 12.55, 0.005);
}

// "4,096 tokens, 32 layers, 8 KV heads, head_dim 128: 2 GB". 2 · 32 · 8 · 128 · 2 B = 128 KiB a token: 0.5 GiB. 2 GiB are
// right for 32 KV heads (Llama 2 7B); at 32,768 tokens the two take 4 and 16 GiB.
TEST(WorkedExamples, AQuarterOfTheKvHeadsIsAQuarterOfTheCache) {
  EXPECT_DOUBLE_EQ(planner_of("llama-3.1-8b").at(4096, 1).kv_cache, 0.5 * kGiB);
  EXPECT_DOUBLE_EQ(planner_of("llama-2-7b").at(4096, 1).kv_cache, 2.0 * kGiB);
  EXPECT_DOUBLE_EQ(planner_of("llama-3.1-8b").at(32768, 1).kv_cache, 4.0 * kGiB);
  EXPECT_DOUBLE_EQ(planner_of("llama-2-7b").at(32768, 1).kv_cache, 16.0 * kGiB);
}

// "70B: 140 GB, in INT8 70 GB". Llama 2 70B: 68,976,648,192 parameters · 2 B = 137.95 GB. In INT8 the projections of 80
// layers, 855,638,016 weights each, take a byte and 4 B for each of the 83,968 rows; embedding, head and norms stay at 16 bits:
// 80 · (855,638,016 + 4 · 83,968) + 2 · (68,976,648,192 − 80 · 855,638,016) = 69,529,124,864 B = 69.53 GB.
TEST(WorkedExamples, SeventyBillionParametersInEightBits) {
  EXPECT_DOUBLE_EQ(planner_of("llama-2-70b").at(1, 1).weights, 2.0 * 68976648192);
  EXPECT_DOUBLE_EQ(planner_of("llama-2-70b", "int8").at(1, 1).weights, 69529124864.0);
}

// "The cache can exceed the weights". 2 · 80 · 8 · 128 · 2 B = 320 KiB a token; 137,953,296,384 / 327,680 = 421,000.05, so from
// 421,001 tokens on: batch 103 at 4,096 tokens each (1.25 GiB a sequence; 102.8). Beside INT8 weights from batch 52 on (51.8).
TEST(WorkedExamples, TheCacheExceedsTheWeightsOfSeventyBillionParameters) {
  const MemoryPlanner plain = planner_of("llama-2-70b");
  EXPECT_DOUBLE_EQ(plain.at(4096, 1).kv_cache, 1.25 * kGiB);
  EXPECT_LT(plain.at(4096, 102).kv_cache, plain.at(4096, 102).weights);
  EXPECT_GT(plain.at(4096, 103).kv_cache, plain.at(4096, 103).weights);
  EXPECT_LT(plain.at(421000, 1).kv_cache, plain.at(1, 1).weights);
  EXPECT_GT(plain.at(421001, 1).kv_cache, plain.at(1, 1).weights);
  const MemoryPlanner int8 = planner_of("llama-2-70b", "int8");
  EXPECT_LT(int8.at(4096, 51).kv_cache, int8.at(4096, 51).weights);
  EXPECT_GT(int8.at(4096, 52).kv_cache, int8.at(4096, 52).weights);
}

// "Llama 3.1 8B at 16k: 18 to 20 GB". 8,030,261,248 · 2 B = 14.96 GiB, 16,384 tokens · 128 KiB = 2 GiB: 16.96 GiB, 18.2 GB.
// What vLLM adds on a 24 GB card: a step of 2,048 tokens, 2,048 · 2 B · (3 · 14,336 + 3 · 4,096) = 0.211 GiB; the sampler of
// 256 rows, 256 · 128,256 · 14 B + 82 SMs · 128,256 · 4 B + 2 B · 4,096 · (2,048 + 512) + 8.125 MiB = 0.495 GiB, 0.284 GiB
// beyond the step; 0.13 GiB outside torch, 0.4 GiB of graphs, 32 MiB of cosines and sines of 131,072 positions (64 each, 2 B):
// 18.01 GiB, 19.3 GB in all.
TEST(WorkedExamples, LlamaAtSixteenThousandTokens) {
  const DeviceMemory memory = MemoryPlanner(scenario_of("llama-3.1-8b", find_device("rtx3090"))).at(16384, 1);
  EXPECT_DOUBLE_EQ(memory.weights, 2.0 * 8030261248);
  EXPECT_DOUBLE_EQ(memory.kv_cache, 2 * kGiB);
  EXPECT_DOUBLE_EQ(memory.activations, 2048 * 2.0 * (3 * 14336 + 3 * 4096));
  const double sampler = 256.0 * 128256 * 14 + 82.0 * 128256 * 4 + 2.0 * 4096 * (2048 + 512) + 8.125 * kMiB;
  EXPECT_DOUBLE_EQ(memory.workspace, sampler - memory.activations);
  EXPECT_DOUBLE_EQ(memory.runtime, (0.13 + 0.4) * kGiB + 32 * kMiB);
  EXPECT_NEAR(memory.total() / kGiB, 18.01, 0.01);
  EXPECT_NEAR(memory.total() / 1e9, 19.3, 0.05);
}

// The same under llama.cpp in F16: the token table, 128,256 · 4,096 · 2 B, stays in host memory, the 65 norms of 4,096 are in F32:
// 2 · (8,030,261,248 − 525,336,576 + 266,240) B on the GPU. 1,000 tokens are 1,024 cells of 128 KiB.
TEST(WorkedExamples, LlamaUnderLlamaCpp) {
  PlanScenario scenario = scenario_of("llama-3.1-8b", find_device("rtx3090"), "llama.cpp");
  scenario.cache = *cache_format("f16");
  scenario.gguf_types = gguf_mix("F16");
  const MemoryPlanner planner(std::move(scenario));
  const DeviceMemory memory = planner.at(1000, 1);
  EXPECT_DOUBLE_EQ(memory.weights, 2.0 * (8030261248 - 525336576 + 266240));
  EXPECT_DOUBLE_EQ(memory.kv_cache, 128 * kMiB);
  // 2^31 − 1 sequences of 16 GiB are more bytes than 64 bits count.
  constexpr int kMost = std::numeric_limits<int>::max();
  const double bytes = 16 * kGiB * kMost;
  EXPECT_NEAR(planner.at(131072, kMost).kv_cache, bytes, 1e-9 * bytes);
  EXPECT_FALSE(planner.fits(131072, kMost));
}

// A window in place of all tokens: Mistral 7B keeps 4,096 of 32,768 tokens, an eighth, and in vLLM a step of 2,048 beside it:
// (4,095 + 2,048) / 16 = 383.9, so 384 blocks and one straddled, 6,160 tokens · 128 KiB = 0.75 GiB of 4 GiB.
TEST(WorkedExamples, ASlidingWindowCapsTheCache) {
  const DeviceSpec card = find_device("rtx3090");
  EXPECT_DOUBLE_EQ(MemoryPlanner(scenario_of("mistral-7b-v0.1", card)).at(32768, 1).kv_cache, 6160 * 128 * kKiB);
  EXPECT_DOUBLE_EQ(MemoryPlanner(scenario_of("mistral-7b-v0.1", card, "dachlast")).at(32768, 1).kv_cache, 4 * kGiB);
}

// B200, sold with 192 GB on the chip and 180 GB in the product: the driver lists 183,359 MiB = 179.06 GiB. Llama 2 70B in
// 16 bits, 128.48 GiB, fits on one; on an H100 of 79.65 GiB it does not, and on two of them it does.
TEST(WorkedExamples, SeventyBillionParametersOnOneB200) {
  const DeviceSpec b200 = find_device("b200");
  EXPECT_DOUBLE_EQ(MemoryPlanner(scenario_of("llama-2-70b", b200)).capacity_bytes(), 183359 * kMiB);
  EXPECT_TRUE(MemoryPlanner(scenario_of("llama-2-70b", b200)).fits(4096, 1));
  PlanScenario h100 = scenario_of("llama-2-70b", find_device("h100"));
  EXPECT_FALSE(MemoryPlanner(h100).fits(4096, 1));
  h100.layout.tensor_parallel = 2;
  EXPECT_TRUE(MemoryPlanner(h100).fits(4096, 1));
}

// Imaginary devices are files: memory that computes, 1 TB of it. 10^12 B · 0.92 − 137,953,296,384 B of weights leave room
// for about 782e9 / 1.25 GiB = 583 sequences less what steps take.
TEST(WorkedExamples, DevicesNobodyBuiltYetArePlannedFor) {
  const TempFolder folder;
  const auto file = folder.write(
      "cim.yaml", "id: cim-2031\nname: CIM 2031\nmemory: [{kind: device, capacity: 1 TB, bandwidth: 100 TB/s}]\n");
  const MemoryPlanner planner(scenario_of("llama-2-70b", find_device(file.string())));
  EXPECT_DOUBLE_EQ(planner.capacity_bytes(), 1e12);
  const double beside = planner.at(1, 1).activations + planner.at(1, 1).workspace + planner.at(1, 1).runtime;
  const double sequences = (0.92e12 - 137953296384.0 - beside) / (1.25 * kGiB);
  EXPECT_EQ(planner.max_batch(4096), static_cast<int>(sequences));
  EXPECT_GT(sequences, 570);
}

}  // namespace
}  // namespace dachlast
