#include <fmt/core.h>

#include <cmath>

#include "core/model/config_object.h"
#include "core/model/gguf_layers.h"

// How the tensors of one block of a GGUF file tell its mixer.
// Source   ggml-org/llama.cpp:src/models/*.cpp (load_arch_tensors), commit 0c1e57098.
namespace dachlast {
namespace {

// -------- attention

/// Queries twice as wide as their heads yield a gate as well.
void check_projections(const GgufLayerTensors& tensors, int d_model, AttentionSpec& a) {
  const std::int64_t q = std::int64_t{a.n_heads} * a.head_dim;
  const std::int64_t k = std::int64_t{a.n_kv_heads} * a.head_dim;
  const std::int64_t v = std::int64_t{a.n_kv_heads} * a.value_dim();
  if (tensors.has("attn_qkv.weight")) {
    tensors.expect("attn_qkv.weight", d_model, q + k + v);
  } else {
    a.output_gate = tensors.rows("attn_q.weight", size_limit::kRows) == 2 * q;
    tensors.expect("attn_q.weight", d_model, a.output_gate ? 2 * q : q);
    if (tensors.has("attn_k.weight")) tensors.expect("attn_k.weight", d_model, k);
    a.k_is_v = tensors.has("attn_k.weight") && !tensors.has("attn_v.weight");
    if (tensors.has("attn_v.weight")) tensors.expect("attn_v.weight", d_model, v);
  }
  tensors.expect("attn_output.weight", std::int64_t{a.n_heads} * a.value_dim(), d_model);
}

Mixer attention(GgufConfig& config, const GgufBlocks& blocks, const GgufLayerTensors& tensors, std::size_t block,
                int d_model) {
  AttentionSpec a = gguf_attention(config, blocks, block);
  check_projections(tensors, d_model, a);
  a.qkv_bias = tensors.has("attn_q.bias") || tensors.has("attn_qkv.bias");
  a.o_bias = tensors.has("attn_output.bias");
  a.sinks = tensors.has("attn_sinks.weight");
  a.qk_norm = gguf_qk_norm(tensors, a);
  return a;
}

// -------- multi-head latent attention

/// GLM 5.2 has indexers in some layers only; the others read what those have chosen.
std::optional<IndexerSpec> indexer(GgufConfig& config, const GgufLayerTensors& tensors, int d_model) {
  config.ignore("attention.indexer.types");
  if (!config.has("attention.indexer.top_k")) return std::nullopt;
  const IndexerSpec spec{.n_heads = config.size("attention.indexer.head_count", size_limit::kHeads),
                         .head_dim = config.size("attention.indexer.key_length", size_limit::kHeadDim),
                         .top_k = config.size("attention.indexer.top_k", size_limit::kContext)};
  if (!tensors.has("indexer.attn_k.weight")) return std::nullopt;
  tensors.expect("indexer.attn_k.weight", d_model, spec.head_dim);
  return spec;
}

void check_latents(const GgufLayerTensors& tensors, const MlaSpec& a, int d_model) {
  const std::int64_t q_columns = a.q_lora_rank > 0 ? a.q_lora_rank : d_model;
  tensors.expect(a.q_lora_rank > 0 ? "attn_q_b.weight" : "attn_q.weight", q_columns,
                 std::int64_t{a.n_heads} * a.qk_head_dim());
  tensors.expect("attn_kv_a_mqa.weight", d_model, a.kv_lora_rank + a.qk_rope_head_dim);
  if (tensors.has("attn_kv_b.weight"))
    tensors.expect("attn_kv_b.weight", a.kv_lora_rank, std::int64_t{a.n_heads} * (a.qk_nope_head_dim + a.v_head_dim));
  else
    tensors.expect("attn_k_b.weight", a.kv_lora_rank, std::int64_t{a.n_heads} * a.qk_nope_head_dim);
  tensors.expect("attn_output.weight", std::int64_t{a.n_heads} * a.v_head_dim, d_model);
}

/// Files converted before April 2025 state widths of whole heads under the plain keys, later ones under "_mla".
Mixer latent_attention(GgufConfig& config, const GgufBlocks& blocks, const GgufLayerTensors& tensors, std::size_t block,
                       int d_model) {
  const auto width = [&](const char* key, int plain) {
    return config.size_if_any(key, size_limit::kHeadDim).value_or(plain);
  };
  const int key_width = width("attention.key_length_mla", blocks.full.key);
  MlaSpec a{.n_heads = blocks.n_heads[block],
            .q_lora_rank = config.count_or("attention.q_lora_rank", 0, size_limit::kWidth),
            .kv_lora_rank = config.size("attention.kv_lora_rank", size_limit::kWidth),
            .qk_rope_head_dim = config.size("rope.dimension_count", size_limit::kHeadDim),
            .v_head_dim = width("attention.value_length_mla", blocks.full.value),
            .rope = blocks.rope.value_or(RopeSpec{})};
  a.qk_nope_head_dim = key_width - a.qk_rope_head_dim;
  if (a.n_heads == 0) config.fail("attention.head_count", "is 0");
  if (a.qk_nope_head_dim <= 0)
    config.fail("rope.dimension_count", fmt::format("is {} of keys {} wide", a.qk_rope_head_dim, key_width));
  if (a.qk_head_dim() + a.v_head_dim > size_limit::kRows / a.n_heads)
    config.fail("attention.head_count", fmt::format("of {} × {} is beyond every known model", a.n_heads, key_width));
  check_latents(tensors, a, d_model);
  a.scale = 1.0 / std::sqrt(a.qk_head_dim());
  if (const auto* yarn = std::get_if<YarnRopeScaling>(&a.rope.scaling)) a.scale *= yarn->score_factor;
  a.indexer = indexer(config, tensors, d_model);
  return a;
}

// -------- state spaces and linear attention

struct StateSizes {
  int conv_kernel;
  int d_inner;
  int d_state;
  int time_step_rank;  // heads, except in Mamba 1
  int n_groups;
};

StateSizes state_sizes(GgufConfig& config) {
  const StateSizes s{.conv_kernel = config.size("ssm.conv_kernel", size_limit::kHeadDim),
                     .d_inner = config.size("ssm.inner_size", size_limit::kFfWidth),
                     .d_state = config.size("ssm.state_size", size_limit::kHeadDim),
                     .time_step_rank = config.size("ssm.time_step_rank", size_limit::kWidth),
                     .n_groups = config.size_if_any("ssm.group_count", size_limit::kHeads).value_or(1)};
  if (s.d_state > size_limit::kRows / s.n_groups)
    config.fail("ssm.group_count", fmt::format("of {} × {} is beyond every known model", s.n_groups, s.d_state));
  return s;
}

/// What llama.cpp and its kin keep states in; no key says otherwise.
/// Source   ggml-org/llama.cpp:src/llama-model.cpp (create_memory: type_r and type_s are F32)
constexpr DType kStateType = DType::kF32;

int head_width(const GgufConfig& config, const StateSizes& s) {
  if (s.d_inner % s.time_step_rank != 0)
    config.fail("ssm.time_step_rank", fmt::format("is {}, which does not divide {}", s.time_step_rank, s.d_inner));
  return s.d_inner / s.time_step_rank;
}

Mixer mamba1(GgufConfig& config, const GgufLayerTensors& tensors, int d_model) {
  const StateSizes s = state_sizes(config);
  config.ignore("ssm.dt_b_c_rms");
  tensors.expect("ssm_in.weight", d_model, 2 * std::int64_t{s.d_inner});
  tensors.expect("ssm_x.weight", s.d_inner, s.time_step_rank + 2 * std::int64_t{s.d_state});
  return Mamba1Spec{.d_inner = s.d_inner,
                    .d_state = s.d_state,
                    .dt_rank = s.time_step_rank,
                    .conv_kernel = s.conv_kernel,
                    .conv_bias = tensors.has("ssm_conv1d.bias"),
                    .proj_bias = tensors.has("ssm_in.bias"),
                    .inner_norms = tensors.has("ssm_dt_norm.weight")};
}

Mixer mamba2(GgufConfig& config, const GgufLayerTensors& tensors, int d_model) {
  const StateSizes s = state_sizes(config);
  const std::int64_t shared = 2 * std::int64_t{s.n_groups} * s.d_state;
  tensors.expect("ssm_in.weight", d_model, 2 * std::int64_t{s.d_inner} + shared + s.time_step_rank);
  tensors.expect("ssm_conv1d.weight", s.conv_kernel, s.d_inner + shared);
  if (s.time_step_rank % s.n_groups != 0)
    config.fail("ssm.group_count", fmt::format("is {}, which does not divide {}", s.n_groups, s.time_step_rank));
  return Mamba2Spec{.n_heads = s.time_step_rank,
                    .head_dim = head_width(config, s),
                    .d_state = s.d_state,
                    .n_groups = s.n_groups,
                    .conv_kernel = s.conv_kernel,
                    .conv_bias = tensors.has("ssm_conv1d.bias"),
                    .proj_bias = tensors.has("ssm_in.bias"),
                    .state_dtype = kStateType};
}

/// Older files join the projections of q, k, v and the gate in ssm_in, as Qwen3-Next's checkpoint does.
Mixer delta_net(GgufConfig& config, const GgufLayerTensors& tensors, int d_model) {
  const StateSizes s = state_sizes(config);
  const std::int64_t channels = 2 * std::int64_t{s.n_groups} * s.d_state + s.d_inner;
  tensors.expect("ssm_conv1d.weight", s.conv_kernel, channels);
  if (tensors.has("ssm_in.weight"))
    tensors.expect("ssm_in.weight", d_model, channels + s.d_inner);
  else
    tensors.expect("attn_qkv.weight", d_model, channels);
  tensors.expect("ssm_out.weight", s.d_inner, d_model);
  return GatedDeltaNetSpec{.n_k_heads = s.n_groups,
                           .n_v_heads = s.time_step_rank,
                           .k_head_dim = s.d_state,
                           .v_head_dim = head_width(config, s),
                           .conv_kernel = s.conv_kernel,
                           .state_dtype = kStateType};
}

bool holds_delta_net(const GgufLayerTensors& tensors) {
  return tensors.has("ssm_ba.weight") || tensors.has("ssm_beta.weight");
}

Mixer recurrent(GgufConfig& config, const GgufLayerTensors& tensors, int d_model) {
  if (tensors.has("ssm_x.weight")) return mamba1(config, tensors, d_model);
  return holds_delta_net(tensors) ? delta_net(config, tensors, d_model) : mamba2(config, tensors, d_model);
}

}  // namespace

QkNorm gguf_qk_norm(const GgufLayerTensors& tensors, const AttentionSpec& attention) {
  const GgufTensor* norm = tensors.find("attn_q_norm.weight");
  if (norm == nullptr) return QkNorm::kNone;
  if (norm->elements == static_cast<std::uint64_t>(attention.head_dim)) return QkNorm::kPerHead;
  tensors.expect("attn_q_norm.weight", attention.head_dim, attention.n_heads);
  return norm->n_dims > 1 ? QkNorm::kEachHead : QkNorm::kWholeWidth;
}

Mixer gguf_mixer(GgufConfig& config, const GgufBlocks& blocks, const GgufLayerTensors& tensors, std::size_t block,
                 int d_model) {
  if (tensors.has("attn_kv_a_mqa.weight")) return latent_attention(config, blocks, tensors, block, d_model);
  if (tensors.has("ssm_conv1d.weight")) return recurrent(config, tensors, d_model);
  if (tensors.has("attn_q.weight") || tensors.has("attn_qkv.weight"))
    return attention(config, blocks, tensors, block, d_model);
  if (!tensors.has("attn_output.weight")) return NoMixer{};
  tensors.expect("attn_output.weight", d_model, d_model);
  return LinearMixer{};
}

}  // namespace dachlast
