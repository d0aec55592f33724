#pragma once

#include <utility>

#include "core/planner/memory_planner.h"

namespace dachlast {

/// A dense model with sizes small enough to count by hand: d_model 64, vocabulary 100, 4 layers, 8 heads and 4 KV heads of 16,
/// d_ff 128, head of its own.
/// Elements of a layer: q 128 · 64, k and v 128 · 64, o 64 · 128, up and gate 256 · 64, down 64 · 128 = 49,152; norms 2 · 64.
inline ModelSpec round_model(int n_layers = 4) {
  ModelSpec model;
  model.name = "round";
  model.d_model = 64;
  model.vocab_size = 100;
  model.max_context = 4096;
  model.native_dtype = DType::kBF16;
  LayerSpec layer;
  layer.mixer = AttentionSpec{.n_heads = 8, .n_kv_heads = 4, .head_dim = 16};
  layer.feed_forward = MlpSpec{.d_ff = 128};
  model.layers.assign(static_cast<std::size_t>(n_layers), layer);
  return model;
}

/// The same with 4 experts of d_ff 32 in place of the MLP, 2 of them for each token.
/// Elements of an expert: up and gate 64 · 64, down 64 · 32 = 6,144; of the router 4 · 64.
inline ModelSpec round_moe() {
  ModelSpec model = round_model();
  for (LayerSpec& layer : model.layers) layer.feed_forward = MoeSpec{.n_experts = 4, .n_active = 2, .d_ff = 32};
  return model;
}

/// One layer of latent attention: 8 heads, latent of 32 and a rotated key of 8.
inline ModelSpec round_mla() {
  ModelSpec model = round_model(1);
  model.layers[0].mixer =
      MlaSpec{.n_heads = 8, .kv_lora_rank = 32, .qk_nope_head_dim = 16, .qk_rope_head_dim = 8, .v_head_dim = 16};
  return model;
}

/// Qwen3.5 27B as far as its cache goes: 48 layers of linear attention with states in FP32 and 16 of attention.
inline ModelSpec hybrid_model() {
  ModelSpec model = round_model(0);
  model.name = "hybrid";
  model.max_context = 262144;
  LayerSpec state;
  state.mixer = GatedDeltaNetSpec{.n_k_heads = 16,
                                  .n_v_heads = 48,
                                  .k_head_dim = 128,
                                  .v_head_dim = 128,
                                  .conv_kernel = 4,
                                  .state_dtype = DType::kF32};
  state.feed_forward = MlpSpec{.d_ff = 128};
  LayerSpec attention = state;
  attention.mixer = AttentionSpec{.n_heads = 24, .n_kv_heads = 4, .head_dim = 256};
  for (int i = 0; i < 64; ++i) model.layers.push_back(i % 4 == 3 ? attention : state);
  return model;
}

/// Gemma 3 27B as far as its cache goes: 62 layers of 16 KV heads of 128, every sixth of them without a window of 1,024.
inline ModelSpec window_model() {
  ModelSpec model = round_model(0);
  model.name = "windows";
  model.max_context = 131072;
  for (int i = 0; i < 62; ++i) {
    LayerSpec layer;
    layer.mixer = AttentionSpec{.n_heads = 32, .n_kv_heads = 16, .head_dim = 128, .window = i % 6 == 5 ? 0 : 1024};
    layer.feed_forward = MlpSpec{.d_ff = 128};
    model.layers.push_back(layer);
  }
  return model;
}

inline DeviceSpec round_device(double capacity_bytes) {
  DeviceSpec device;
  device.id = "round";
  device.name = "Round";
  device.memory = {{.kind = PoolKind::kDevice, .capacity = Bytes{capacity_bytes}, .marketing_gb = {}, .bandwidth = {}}};
  return device;
}

/// An engine with blocks of one token, 1,000 B outside the framework, and 38 B at the sampler for each logit.
inline EngineProfile round_engine(BudgetRule rule) {
  EngineProfile engine;
  engine.id = "round";
  engine.name = "Round";
  engine.budget = {rule, "", ""};
  engine.window_policy = {WindowPolicy::kCapped, "", ""};
  engine.buffers = Fact<BufferRules>{};
  engine.sampler = Fact<SamplerRule>{{.logit_bytes = 38, .buffer_bytes_per_sm = 0}, "", ""};
  engine.non_torch = Fact<std::vector<NonTorchMemory>>{{{1, Bytes{1000}}}, "", ""};
  return engine;
}

/// `round_model` in 16 bits on a device of 1,000,000 B, half of it the engine's, steps of 4 tokens and 4 sequences.
inline PlanScenario round_scenario(BudgetRule rule, ModelSpec model = round_model()) {
  return {.model = std::move(model),
          .weights = plain_weights(*storage_format("bf16")),
          .cache = *cache_format("bf16"),
          .device = round_device(1e6),
          .layout = {},
          .engine = round_engine(rule),
          .limits = {.memory_fraction = 0.5, .max_num_seqs = 4, .max_num_batched_tokens = 4, .block_tokens = {}},
          .counted_weights = {},
          .capacity = {}};
}

}  // namespace dachlast
