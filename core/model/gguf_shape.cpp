#include "core/model/gguf_shape.h"

#include <cmath>

namespace dachlast {
namespace {

class TensorList {
 public:
  TensorList(const GgufShape& shape, LatentMatrices latent) : shape_(shape), latent_(latent) {}

  std::vector<GgufTensorShape> all() {
    add("token_embd", shape_.d_model, shape_.vocab_size);
    if (shape_.n_learned_positions > 0) add("position_embd", shape_.d_model, shape_.n_learned_positions);
    for (layer_ = 0; layer_ < shape_.n_layers(); ++layer_) add_layer(shape_.layers[static_cast<std::size_t>(layer_)]);
    layer_ = -1;
    norm("output_norm");
    if (!shape_.tied_embeddings) add("output", shape_.d_model, shape_.vocab_size);
    return std::move(tensors_);
  }

 private:
  void add(std::string_view name, std::int64_t columns, std::int64_t rows = 1, std::int64_t count = 1) {
    tensors_.push_back({name, layer_, columns, rows, count});
  }

  void norm(std::string_view name) {
    add(name, shape_.d_model);
    if (shape_.norm == NormKind::kLayer) add(name, shape_.d_model);
  }

  void add_mixer(std::monostate) {}

  void add_mixer(const GgufAttention& a) {
    const std::int64_t q = std::int64_t{a.n_heads} * a.k_head_dim;
    const std::int64_t k = std::int64_t{a.n_kv_heads} * a.k_head_dim;
    const std::int64_t v = std::int64_t{a.n_kv_heads} * a.v_head_dim;
    if (a.fused_qkv) {
      add("attn_qkv", shape_.d_model, q + k + v);
    } else {
      add("attn_q", shape_.d_model, a.output_gate ? 2 * q : q);
      if (!a.reads_other_cache) add("attn_k", shape_.d_model, k);
      if (!a.reads_other_cache && !a.values_are_keys) add("attn_v", shape_.d_model, v);
    }
    if (a.qkv_bias) add("attn_qkv.bias", q + k + v);
    if (a.qk_norm_elements > 0) add("attn_qk_norm", a.qk_norm_elements);
    add("attn_output", std::int64_t{a.n_heads} * a.v_head_dim, shape_.d_model);
    if (a.o_bias) add("attn_output.bias", shape_.d_model);
  }

  void add_mixer(const GgufLatentAttention& a) {
    const std::int64_t q = std::int64_t{a.n_heads} * (a.nope_head_dim + a.rope_head_dim);
    if (a.q_lora_rank > 0) {
      add("attn_q_a", shape_.d_model, a.q_lora_rank);
      add("attn_q_a_norm", a.q_lora_rank);
      add("attn_q_b", a.q_lora_rank, q);
    } else {
      add("attn_q", shape_.d_model, q);
    }
    add("attn_kv_a_mqa", shape_.d_model, a.kv_lora_rank + a.rope_head_dim);
    add("attn_kv_a_norm", a.kv_lora_rank);
    if (latent_ != LatentMatrices::kSplit)
      add("attn_kv_b", a.kv_lora_rank, std::int64_t{a.n_heads} * (a.nope_head_dim + a.v_head_dim));
    if (latent_ != LatentMatrices::kJoint) {
      add("attn_k_b", a.nope_head_dim, a.kv_lora_rank, a.n_heads);
      add("attn_v_b", a.kv_lora_rank, a.v_head_dim, a.n_heads);
    }
    add("attn_output", std::int64_t{a.n_heads} * a.v_head_dim, shape_.d_model);
  }

  void add_mixer(const GgufRecurrent&) {}

  /// Projections hold whole rows; what is left over are vectors.
  void add_unnamed(std::int64_t elements) {
    const std::int64_t rows = elements / shape_.d_model;
    const bool projections = rows >= shape_.d_model / 8;
    if (projections) add("unnamed", shape_.d_model, rows);
    const std::int64_t rest = projections ? elements - rows * shape_.d_model : elements;
    if (rest > 0) add("unnamed", rest);
  }

  void add_mlp(const GgufLayer& layer) {
    if (layer.gate == Gate::kGated && !layer.fused_gate) add("ffn_gate", shape_.d_model, layer.d_ff);
    add("ffn_up", shape_.d_model, layer.fused_gate ? std::int64_t{2} * layer.d_ff : layer.d_ff);
    add("ffn_down", layer.d_ff, shape_.d_model);
    if (layer.mlp_bias) add("ffn.bias", layer.d_ff + std::int64_t{shape_.d_model});
  }

  void add_experts(const GgufLayer& layer) {
    const GgufExperts& e = *layer.experts;
    add("ffn_gate_inp", shape_.d_model, e.n_experts);
    if (e.selection_bias) add("exp_probs_b", e.n_experts);
    if (layer.gate == Gate::kGated) add("ffn_gate_exps", shape_.d_model, e.d_ff, e.n_experts);
    add("ffn_up_exps", shape_.d_model, e.d_ff, e.n_experts);
    add("ffn_down_exps", e.d_ff, shape_.d_model, e.n_experts);
    if (e.shared_d_ff == 0) return;
    if (layer.gate == Gate::kGated) add("ffn_gate_shexp", shape_.d_model, e.shared_d_ff);
    add("ffn_up_shexp", shape_.d_model, e.shared_d_ff);
    add("ffn_down_shexp", e.shared_d_ff, shape_.d_model);
  }

  void add_layer(const GgufLayer& layer) {
    norm("attn_norm");
    std::visit([this](const auto& mixer) { add_mixer(mixer); }, layer.mixer);
    if (shape_.post_norms) norm("post_attention_norm");
    add_unnamed(layer.unnamed_elements);
    if (layer.d_ff == 0 && !layer.experts) return;
    norm("ffn_norm");
    layer.experts ? add_experts(layer) : add_mlp(layer);
    if (shape_.post_norms) norm("post_ffw_norm");
  }

  const GgufShape& shape_;
  LatentMatrices latent_;
  int layer_ = -1;
  std::vector<GgufTensorShape> tensors_;
};

double parameters(const GgufShape& shape, LatentMatrices latent) {
  double sum = 0;
  for (const GgufTensorShape& tensor : gguf_tensor_shapes(shape, latent)) sum += static_cast<double>(tensor.elements());
  return sum;
}

}  // namespace

std::vector<GgufTensorShape> gguf_tensor_shapes(const GgufShape& shape, LatentMatrices latent) {
  return TensorList(shape, latent).all();
}

LatentMatrices latent_matrices_of(const GgufShape& shape, double stated_parameters) {
  const double joint = std::abs(parameters(shape, LatentMatrices::kJoint) - stated_parameters);
  const double both = std::abs(parameters(shape, LatentMatrices::kBoth) - stated_parameters);
  return both < joint ? LatentMatrices::kBoth : LatentMatrices::kJoint;
}

}  // namespace dachlast
