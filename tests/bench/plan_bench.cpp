// Full plan evaluations a second: memory of the fullest device at one context and batch, held against the budget, over the grid
// of a sweep. A dense model, a hybrid of states and attention, experts under TP 8, and eight pipeline stages; on one thread
// and on two. The target is 1,000,000 a second on two cores.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "core/hardware/device_catalog.h"
#include "core/planner/memory_planner.h"

namespace dachlast {
namespace {

/// Llama 3.1 8B.
ModelSpec dense_model() {
  ModelSpec model;
  model.d_model = 4096;
  model.vocab_size = 128256;
  model.max_context = 131072;
  LayerSpec layer;
  layer.mixer = AttentionSpec{.n_heads = 32, .n_kv_heads = 8, .head_dim = 128};
  layer.feed_forward = MlpSpec{.d_ff = 14336};
  model.layers.assign(32, layer);
  return model;
}

/// Qwen3.5 27B: 48 layers of linear attention, 16 of attention.
ModelSpec hybrid_model() {
  ModelSpec model = dense_model();
  model.d_model = 5120;
  LayerSpec attention = model.layers.front();
  attention.mixer = AttentionSpec{.n_heads = 24, .n_kv_heads = 4, .head_dim = 256};
  LayerSpec state = attention;
  state.mixer = GatedDeltaNetSpec{.n_k_heads = 16,
                                  .n_v_heads = 48,
                                  .k_head_dim = 128,
                                  .v_head_dim = 128,
                                  .conv_kernel = 4,
                                  .state_dtype = DType::kF32};
  model.layers.clear();
  for (int i = 0; i < 64; ++i) model.layers.push_back(i % 4 == 3 ? attention : state);
  return model;
}

/// gpt-oss 120B: every other layer keeps a window of 128 tokens.
ModelSpec experts_model() {
  ModelSpec model = dense_model();
  model.d_model = 2880;
  model.vocab_size = 201088;
  model.layers.clear();
  for (int i = 0; i < 36; ++i) {
    LayerSpec layer;
    layer.mixer = AttentionSpec{.n_heads = 64, .n_kv_heads = 8, .head_dim = 64, .window = i % 2 == 0 ? 128 : 0};
    layer.feed_forward = MoeSpec{.n_experts = 128, .n_active = 4, .d_ff = 2880};
    model.layers.push_back(layer);
  }
  return model;
}

MemoryPlanner planner_of(ModelSpec model, const Layout& layout) {
  return MemoryPlanner({.model = std::move(model),
                        .weights = plain_weights(*storage_format("bf16")),
                        .cache = *cache_format("bf16"),
                        .device = find_device("h100-sxm"),
                        .layout = layout,
                        .engine = find_engine("vllm"),
                        .limits = {},
                        .counted_weights = {},
                        .capacity = {}});
}

void sweep(benchmark::State& state, const MemoryPlanner& planner) {
  std::int64_t n_plans = 0;
  for (auto _ : state) {
    std::int64_t n_fits = 0;
    for (int context = 1024; context <= 131072; context += 1024)
      for (int batch = 1; batch <= 128; ++batch)
        n_fits += planner.at(context, batch).total() <= planner.budget_bytes() ? 1 : 0;
    benchmark::DoNotOptimize(n_fits);
    n_plans += 128 * 128;
  }
  state.counters["plans/s"] = benchmark::Counter(static_cast<double>(n_plans), benchmark::Counter::kIsRate);
}

void dense(benchmark::State& state) {
  static const MemoryPlanner planner = planner_of(dense_model(), {});
  sweep(state, planner);
}

void hybrid_tp2(benchmark::State& state) {
  static const MemoryPlanner planner = planner_of(hybrid_model(), {.tensor_parallel = 2});
  sweep(state, planner);
}

void experts_tp8(benchmark::State& state) {
  static const MemoryPlanner planner = planner_of(experts_model(), {.tensor_parallel = 8});
  sweep(state, planner);
}

void experts_tp8_pp8(benchmark::State& state) {
  static const MemoryPlanner planner = planner_of(experts_model(), {.tensor_parallel = 8, .pipeline_parallel = 8});
  sweep(state, planner);
}

/// What is summed once for all of a scenario's contexts and batches.
void settle_experts_tp8(benchmark::State& state) {
  const ModelSpec model = experts_model();
  for (auto _ : state) benchmark::DoNotOptimize(planner_of(model, {.tensor_parallel = 8}).budget_bytes());
}

BENCHMARK(dense)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(hybrid_tp2)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(experts_tp8)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(experts_tp8_pp8)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(settle_experts_tp8)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace dachlast
