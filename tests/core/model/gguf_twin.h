#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/model/gguf_shape.h"
#include "core/model/model_spec.h"
#include "core/model/slot_list.h"
#include "tests/core/model/gguf_writer.h"

namespace dachlast {

/// How a converter wrote the parts that there are several forms of.
struct TwinForm {
  enum class Mtp { kLeftOut, kWritten } mtp = Mtp::kLeftOut;
  enum class DeltaInput { kApart, kJoined } delta_input = DeltaInput::kApart;  // Qwen3-Next before February 2026
  LatentMatrices latent = LatentMatrices::kSplit;
};

/// Writes the tensors of a GGUF file under the names that llama.cpp gives them, all BF16, without data.
/// Source   ggml-org/llama.cpp:src/models/*.cpp (load_arch_tensors), :gguf-py/gguf/constants.py
class GgufTwin {
 public:
  GgufTwin(GgufWriter& writer, std::string architecture, const ModelSpec& spec, TwinForm form)
      : writer_(writer), architecture_(std::move(architecture)), spec_(spec), form_(form) {}

  /// Names without layer and suffix: "blk.N.attn_q".
  const std::set<std::string>& names() const { return names_; }
  /// Elements of tensors that no slot of a spec counts.
  double uncounted() const { return uncounted_; }

  void write() {
    add("token_embd.weight", {d(), spec_.vocab_size});
    if (spec_.n_learned_positions > 0) add("position_embd.weight", {d(), spec_.n_learned_positions});
    if (spec_.embedding_norm) norm("token_embd_norm");
    if (architecture_ == "gemma4") uncounted_tensor("rope_freqs.weight", 256);  // half of a full layer's head
    write_per_layer_tables();
    for (const LayerSpec& layer : spec_.layers) write_layer(layer);
    if (form_.mtp == TwinForm::Mtp::kWritten && spec_.mtp)
      for (const LayerSpec& layer : spec_.mtp->layers) write_mtp_layer(layer);
    layer_ = -1;
    norm("output_norm");
    if (!spec_.tied_embeddings) add("output.weight", {d(), spec_.vocab_size});
    if (spec_.lm_head_bias) add("output.bias", {spec_.vocab_size});
  }

 private:
  std::int64_t d() const { return spec_.d_model; }
  bool is(std::initializer_list<std::string_view> list) const {
    return std::find(list.begin(), list.end(), architecture_) != list.end();
  }

  void add(std::string_view name, std::vector<std::int64_t> dims) {
    constexpr std::uint32_t kBF16 = 30;
    const std::string stem(name.substr(
        0, name.find('.', name.starts_with("indexer.") || name.starts_with("nextn.") ? name.find('.') + 1 : 0)));
    names_.insert(layer_ < 0 ? stem : "blk.N." + stem);
    std::vector<std::uint64_t> extents(dims.begin(), dims.end());
    writer_.tensor(layer_ < 0 ? std::string(name) : "blk." + std::to_string(layer_) + "." + std::string(name), extents,
                   kBF16);
  }
  void matrix(const std::string& name, std::int64_t columns, std::int64_t rows, Bias bias = Bias::kAbsent) {
    add(name + ".weight", {columns, rows});
    if (bias == Bias::kPresent) add(name + ".bias", {rows});
  }
  void norm(const std::string& name) {
    add(name + ".weight", {d()});
    if (spec_.norm.kind == NormKind::kLayer && spec_.norm.layer_bias) add(name + ".bias", {d()});
  }
  void uncounted_tensor(const std::string& name, std::int64_t elements) {
    add(name, {elements});
    uncounted_ += static_cast<double>(elements);
  }

  void write_per_layer_tables() {
    if (!spec_.per_layer_inputs) return;
    const auto& inputs = *spec_.per_layer_inputs;
    add("per_layer_token_embd.weight", {std::int64_t{inputs.d_input} * spec_.n_layers(), inputs.vocab_size});
    add("per_layer_model_proj.weight", {d(), std::int64_t{inputs.d_input} * spec_.n_layers()});
    add("per_layer_proj_norm.weight", {inputs.d_input});
  }

  void write_layer(const LayerSpec& layer) {
    ++layer_;
    const bool before = spec_.wiring != BlockWiring::kBranchNorm;
    const bool behind = !before || spec_.wiring == BlockWiring::kSandwich;
    if (has_mixer(layer)) {
      if (before) norm("attn_norm");
      std::visit([this](const auto& mixer) { write_mixer(mixer); }, layer.mixer);
      if (behind) norm("post_attention_norm");
    }
    if (has_feed_forward(layer)) {
      if (before && spec_.wiring != BlockWiring::kParallel) norm(has_mixer(layer) ? second_norm() : "attn_norm");
      std::visit([this](const auto& part) { write_feed_forward(part); }, layer.feed_forward);
      if (behind) norm("post_ffw_norm");
    }
    if (architecture_ == "gemma4") write_gemma4_extras();
  }

  std::string second_norm() const {
    if (architecture_ == "falcon") return "attn_norm_2";
    if (architecture_ == "dbrx") return "attn_output_norm";
    return is({"qwen3next", "qwen35", "qwen35moe", "gpt-oss", "glm4moe"}) ? "post_attention_norm" : "ffn_norm";
  }

  void write_gemma4_extras() {
    uncounted_tensor("layer_output_scale.weight", 1);
    if (!spec_.per_layer_inputs) return;
    matrix("inp_gate", d(), spec_.per_layer_inputs->d_input);
    matrix("proj", spec_.per_layer_inputs->d_input, d());
    norm("post_norm");
  }

  void write_mtp_layer(const LayerSpec& layer) {
    write_layer(layer);
    matrix("nextn.eh_proj", 2 * d(), d());
    add("nextn.enorm.weight", {d()});
    add("nextn.hnorm.weight", {d()});
    add("nextn.shared_head_norm.weight", {d()});
    if (!spec_.mtp->own_embeddings) return;
    matrix("nextn.embed_tokens", d(), spec_.vocab_size);
    matrix("nextn.shared_head_head", d(), spec_.vocab_size);
  }

  void write_mixer(const NoMixer&) {}
  void write_mixer(const LinearMixer&) { matrix("attn_output", d(), d()); }

  void write_mixer(const AttentionSpec& a) {
    const std::int64_t q = std::int64_t{a.n_heads} * a.head_dim;
    const std::int64_t k = std::int64_t{a.n_kv_heads} * a.head_dim;
    const std::int64_t v = std::int64_t{a.n_kv_heads} * a.value_dim();
    if (is({"dbrx", "falcon", "bloom", "gptneox", "gpt2", "phi2", "phi3", "chatglm"})) {
      matrix("attn_qkv", d(), q + k + v, bias_if(a.qkv_bias));
    } else {
      matrix("attn_q", d(), a.output_gate ? 2 * q : q, bias_if(a.qkv_bias));
      if (!a.shares_kv_with) matrix("attn_k", d(), k, bias_if(a.qkv_bias));
      if (!a.shares_kv_with && !a.k_is_v) matrix("attn_v", d(), v, bias_if(a.qkv_bias));
    }
    write_qk_norm(a);
    if (a.sinks) add("attn_sinks.weight", {a.n_heads});
    matrix("attn_output", std::int64_t{a.n_heads} * a.value_dim(), d(), bias_if(a.o_bias));
  }

  void write_qk_norm(const AttentionSpec& a) {
    if (a.qk_norm == QkNorm::kNone || a.qk_norm == QkNorm::kUnweighted) return;
    const auto dims = [&](std::int64_t heads) -> std::vector<std::int64_t> {
      if (a.qk_norm == QkNorm::kPerHead) return {a.head_dim};
      if (a.qk_norm == QkNorm::kEachHead) return {a.head_dim, heads};
      return {heads * a.head_dim};
    };
    add("attn_q_norm.weight", dims(a.n_heads));
    if (!a.shares_kv_with) add("attn_k_norm.weight", dims(a.n_kv_heads));
  }

  void write_mixer(const MlaSpec& a) {
    const std::int64_t q = std::int64_t{a.n_heads} * a.qk_head_dim();
    if (a.q_lora_rank > 0) {
      matrix("attn_q_a", d(), a.q_lora_rank);
      add("attn_q_a_norm.weight", {a.q_lora_rank});
    }
    matrix(a.q_lora_rank > 0 ? "attn_q_b" : "attn_q", a.q_lora_rank > 0 ? a.q_lora_rank : d(), q);
    matrix("attn_kv_a_mqa", d(), a.kv_lora_rank + a.qk_rope_head_dim);
    add("attn_kv_a_norm.weight", {a.kv_lora_rank});
    if (form_.latent != LatentMatrices::kSplit)
      matrix("attn_kv_b", a.kv_lora_rank, std::int64_t{a.n_heads} * (a.qk_nope_head_dim + a.v_head_dim));
    if (form_.latent != LatentMatrices::kJoint) {
      add("attn_k_b.weight", {a.qk_nope_head_dim, a.kv_lora_rank, a.n_heads});
      add("attn_v_b.weight", {a.kv_lora_rank, a.v_head_dim, a.n_heads});
    }
    matrix("attn_output", std::int64_t{a.n_heads} * a.v_head_dim, d());
    if (!a.indexer) return;
    matrix("indexer.attn_k", d(), a.indexer->head_dim);
    matrix("indexer.attn_q_b", a.q_lora_rank, std::int64_t{a.indexer->n_heads} * a.indexer->head_dim);
    matrix("indexer.proj", d(), a.indexer->n_heads);
    add("indexer.k_norm.weight", {a.indexer->head_dim});
    add("indexer.k_norm.bias", {a.indexer->head_dim});
  }

  void write_mixer(const GatedDeltaNetSpec& s) {
    const std::int64_t channels = 2 * s.key_width() + s.value_width();
    if (form_.delta_input == TwinForm::DeltaInput::kJoined) {
      matrix("ssm_in", d(), channels + s.value_width());
    } else {
      matrix("attn_qkv", d(), channels);
      matrix("attn_gate", d(), s.value_width());
    }
    if (architecture_ == "qwen3next") {
      matrix("ssm_ba", d(), 2 * s.n_v_heads);
    } else {
      matrix("ssm_beta", d(), s.n_v_heads);
      matrix("ssm_alpha", d(), s.n_v_heads);
    }
    matrix("ssm_conv1d", s.conv_kernel, channels);
    add("ssm_dt.bias", {s.n_v_heads});
    add("ssm_a", {s.n_v_heads});
    add("ssm_norm.weight", {s.v_head_dim});
    matrix("ssm_out", s.value_width(), d());
  }

  void write_mixer(const Mamba1Spec& s) {
    matrix("ssm_in", d(), 2 * std::int64_t{s.d_inner});
    matrix("ssm_conv1d", s.conv_kernel, s.d_inner, bias_if(s.conv_bias));
    matrix("ssm_x", s.d_inner, s.dt_rank + 2 * s.d_state);
    if (s.inner_norms) {
      add("ssm_dt_norm.weight", {s.dt_rank});
      add("ssm_b_norm.weight", {s.d_state});
      add("ssm_c_norm.weight", {s.d_state});
    }
    matrix("ssm_dt", s.dt_rank, s.d_inner, Bias::kPresent);
    add("ssm_a", {s.d_state, s.d_inner});
    add("ssm_d", {s.d_inner});
    matrix("ssm_out", s.d_inner, d());
  }

  void write_mixer(const Mamba2Spec& s) {
    const std::int64_t shared = 2 * std::int64_t{s.n_groups} * s.d_state;
    matrix("ssm_in", d(), 2 * s.d_inner() + shared + s.n_heads);
    matrix("ssm_conv1d", s.conv_kernel, s.d_inner() + shared, bias_if(s.conv_bias));
    add("ssm_dt.bias", {s.n_heads});
    add("ssm_a", {1, s.n_heads});
    add("ssm_d", {1, s.n_heads});
    add("ssm_norm.weight", {s.d_inner() / s.n_groups, s.n_groups});
    matrix("ssm_out", s.d_inner(), d());
  }

  void write_feed_forward(const NoFeedForward&) {}

  void write_feed_forward(const MlpSpec& mlp) {
    const bool fused = is({"phi3", "chatglm"});
    if (mlp.gate == Gate::kGated && !fused) matrix("ffn_gate", d(), mlp.d_ff, bias_if(mlp.bias));
    matrix("ffn_up", d(), fused ? 2 * std::int64_t{mlp.d_ff} : mlp.d_ff, bias_if(mlp.bias));
    matrix("ffn_down", mlp.d_ff, d(), bias_if(mlp.bias));
  }

  void experts(const std::string& name, const MoeSpec& moe, std::int64_t columns, std::int64_t rows) {
    add(name + ".weight", {columns, rows, moe.n_experts});
    if (moe.bias) add(name + ".bias", {rows, moe.n_experts});
  }

  void write_feed_forward(const MoeSpec& moe) {
    matrix("ffn_gate_inp", d(), moe.n_experts, bias_if(moe.router_bias));
    if (moe.correction_bias) add("exp_probs_b.bias", {moe.n_experts});
    if (moe.gate == Gate::kGated) experts("ffn_gate_exps", moe, d(), moe.d_ff);
    experts("ffn_up_exps", moe, d(), moe.d_ff);
    experts("ffn_down_exps", moe, moe.d_ff, d());
    if (moe.shared_d_ff > 0) write_shared_expert(moe, moe.branch_norms ? "" : "_shexp");
    if (!moe.branch_norms) return;
    add("ffn_gate_inp.scale", {d()});
    add("ffn_down_exps.scale", {moe.n_experts});
    for (const char* name : {"pre_ffw_norm_2", "post_ffw_norm_1", "post_ffw_norm_2"}) norm(name);
  }

  void write_shared_expert(const MoeSpec& moe, const std::string& suffix) {
    if (moe.gate == Gate::kGated) matrix("ffn_gate" + suffix, d(), moe.shared_d_ff);
    matrix("ffn_up" + suffix, d(), moe.shared_d_ff);
    matrix("ffn_down" + suffix, moe.shared_d_ff, d());
    if (moe.shared_gate) add("ffn_gate_inp_shexp.weight", {d()});
  }

  GgufWriter& writer_;
  std::string architecture_;
  const ModelSpec& spec_;
  TwinForm form_;
  int layer_ = -1;
  std::set<std::string> names_;
  double uncounted_ = 0;
};

}  // namespace dachlast
