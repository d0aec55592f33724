#include <fmt/core.h>

#include "core/model/config_object.h"
#include "core/model/gguf_layers.h"

// How the tensors of one block of a GGUF file tell its feed-forward.
// Source   ggml-org/llama.cpp:src/models/*.cpp (load_arch_tensors), commit 0c1e57098.
namespace dachlast {
namespace {

/// The metadata may state a width; the tensors have it.
void expect_stated(GgufConfig& config, const char* key, const GgufBlocks& blocks, std::size_t block, int width) {
  const int stated = config.layer_counts(key, blocks.n_blocks, size_limit::kFfWidth)[block];
  if (stated != 0 && stated != width)
    config.fail(key, fmt::format("is {}, but the tensors of block {} are {} wide", stated, block, width));
}

FeedForward dense(GgufConfig& config, const GgufBlocks& blocks, const GgufLayerTensors& tensors, std::size_t block,
                  int d_model, Activation activation) {
  MlpSpec mlp{.d_ff = tensors.columns("ffn_down.weight", size_limit::kFfWidth), .activation = activation};
  const bool fused = tensors.rows("ffn_up.weight", 2 * size_limit::kFfWidth) == 2 * mlp.d_ff;
  mlp.gate = fused || tensors.has("ffn_gate.weight") ? Gate::kGated : Gate::kNone;
  mlp.bias = tensors.has("ffn_up.bias");
  tensors.expect("ffn_down.weight", mlp.d_ff, d_model);
  tensors.expect("ffn_up.weight", d_model, (fused ? 2 : 1) * std::int64_t{mlp.d_ff});
  expect_stated(config, "feed_forward_length", blocks, block, mlp.d_ff);
  return mlp;
}

/// Files converted before March 2024 hold each expert's matrices apart: "ffn_down.0.weight".
int expert_width(const GgufLayerTensors& tensors) {
  const char* down = tensors.has("ffn_down.0.weight") ? "ffn_down.0.weight" : "ffn_down_exps.weight";
  return tensors.columns(down, size_limit::kFfWidth);
}

bool has_gated_experts(const GgufLayerTensors& tensors) {
  return tensors.has("ffn_gate_exps.weight") || tensors.has("ffn_gate_up_exps.weight") ||
         tensors.has("ffn_gate.0.weight");
}

/// Experts that work on a projection of the residual are narrower than the model.
void check_experts(const GgufLayerTensors& tensors, const MoeSpec& moe, int d_model) {
  if (tensors.has("ffn_down.0.weight")) return tensors.expect("ffn_down.0.weight", moe.d_ff, d_model);
  if (tensors.has("ffn_latent_down.weight"))
    tensors.fail("ffn_latent_down.weight", "lets experts work on less than the model's width, which is not known here");
  tensors.expect("ffn_down_exps.weight", moe.d_ff, std::int64_t{d_model} * moe.n_experts);
}

void check_router(GgufConfig& config, const MoeSpec& moe) {
  const int stated = config.size("expert_count", size_limit::kExperts);
  if (stated != moe.n_experts)
    config.fail("expert_count", fmt::format("is {}, but routers choose among {}", stated, moe.n_experts));
  if (moe.n_active == 0 || moe.n_active > moe.n_experts)
    config.fail("expert_used_count", fmt::format("is {}, not in 1 … {}", moe.n_active, moe.n_experts));
}

/// A dense MLP beside the experts is one more shared expert (Gemma 4, Grok 2).
int shared_width(const GgufLayerTensors& tensors) {
  for (const char* down : {"ffn_down_shexp.weight", "ffn_down.weight"})
    if (tensors.has(down)) return tensors.columns(down, size_limit::kFfWidth);
  return 0;
}

FeedForward routed(GgufConfig& config, const GgufBlocks& blocks, const GgufLayerTensors& tensors, std::size_t block,
                   int d_model, Activation activation) {
  MoeSpec moe{.n_experts = tensors.rows("ffn_gate_inp.weight", size_limit::kExperts),
              .n_active = config.layer_counts("expert_used_count", blocks.n_blocks, size_limit::kExperts)[block],
              .d_ff = expert_width(tensors),
              .shared_d_ff = shared_width(tensors),
              .activation = activation,
              .gate = has_gated_experts(tensors) ? Gate::kGated : Gate::kNone,
              .bias = tensors.has("ffn_down_exps.bias"),
              .router_bias = tensors.has("ffn_gate_inp.bias"),
              .correction_bias = tensors.has("exp_probs_b.bias") || tensors.has("exp_probs_b"),
              .shared_gate = tensors.has("ffn_gate_inp_shexp.weight"),
              .branch_norms = tensors.has("post_ffw_norm_1.weight")};
  check_router(config, moe);
  check_experts(tensors, moe, d_model);
  expect_stated(config, "expert_feed_forward_length", blocks, block, moe.d_ff);
  return moe;
}

/// How routers score and choose, and what the tensors say themselves.
void ignore_routing(GgufConfig& config) {
  config.ignore({"expert_count", "expert_used_count", "expert_feed_forward_length", "expert_shared_count",
                 "expert_shared_feed_forward_length", "expert_group_count", "expert_group_used_count",
                 "expert_group_scale", "expert_weights_scale", "expert_weights_norm", "expert_gating_func",
                 "leading_dense_block_count", "interleave_moe_layer_step", "moe_every_n_layers", "feed_forward_length",
                 "router_logit_softcapping", "swiglu_clamp_exp", "swiglu_clamp_shexp"});
}

}  // namespace

FeedForward gguf_feed_forward(GgufConfig& config, const GgufBlocks& blocks, const GgufLayerTensors& tensors,
                              std::size_t block, int d_model, Activation activation) {
  ignore_routing(config);
  if (tensors.has("ffn_gate_inp.weight")) return routed(config, blocks, tensors, block, d_model, activation);
  if (tensors.has("ffn_down.weight")) return dense(config, blocks, tensors, block, d_model, activation);
  return NoFeedForward{};
}

}  // namespace dachlast
