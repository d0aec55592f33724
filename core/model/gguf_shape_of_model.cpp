#include <algorithm>
#include <array>

#include "core/model/gguf_shape.h"
#include "core/model/layer_cache.h"
#include "core/model/weight_slots.h"

// A model's spec in the terms of GGUF files.
namespace dachlast {
namespace {

// Architectures whose converter keeps queries, keys and values, or gate and up, in one matrix.
// Source   ggml-org/llama.cpp:gguf-py/gguf/constants.py (MODEL_TENSORS).
constexpr std::array<std::string_view, 7> kFusedQkv = {"phi3",     "gpt2",    "falcon", "bloom",
                                                       "gpt_neox", "chatglm", "dbrx"};
constexpr std::array<std::string_view, 3> kFusedGate = {"phi3", "chatglm", "glm4"};

template <std::size_t n>
bool is_listed(const std::array<std::string_view, n>& list, std::string_view architecture) {
  return std::ranges::find(list, architecture) != list.end();
}

std::int64_t qk_norm_elements(const AttentionSpec& spec) {
  switch (spec.qk_norm) {
    case QkNorm::kNone:
    case QkNorm::kUnweighted: return 0;
    case QkNorm::kPerHead: return std::int64_t{2} * spec.head_dim;
    case QkNorm::kEachHead:
    case QkNorm::kWholeWidth: return std::int64_t{spec.n_heads + spec.n_kv_heads} * spec.head_dim;
  }
  return 0;
}

class MixerReader {
 public:
  MixerReader(const ModelSpec& model, const LayerSpec& layer) : model_(model), layer_(layer) {}

  GgufMixer operator()(const AttentionSpec& spec) const {
    return GgufAttention{.n_heads = spec.n_heads,
                         .n_kv_heads = spec.n_kv_heads,
                         .k_head_dim = spec.head_dim,
                         .v_head_dim = spec.value_dim(),
                         .window = spec.window > 0 ? spec.window : spec.chunk,
                         .qk_norm_elements = qk_norm_elements(spec),
                         .qkv_bias = spec.qkv_bias,
                         .o_bias = spec.o_bias,
                         .fused_qkv = is_listed(kFusedQkv, model_.architecture),
                         .output_gate = spec.output_gate,
                         .values_are_keys = spec.k_is_v,
                         .reads_other_cache = spec.shares_kv_with.has_value()};
  }

  GgufMixer operator()(const MlaSpec& spec) const {
    return GgufLatentAttention{.n_heads = spec.n_heads,
                               .q_lora_rank = spec.q_lora_rank,
                               .kv_lora_rank = spec.kv_lora_rank,
                               .nope_head_dim = spec.qk_nope_head_dim,
                               .rope_head_dim = spec.qk_rope_head_dim,
                               .v_head_dim = spec.v_head_dim};
  }

  GgufMixer operator()(const NoMixer&) const { return std::monostate(); }

  template <class Recurrent>
  GgufMixer operator()(const Recurrent&) const {
    const LayerCache cache = layer_cache(layer_);
    return GgufRecurrent{.conv_elements = static_cast<std::int64_t>(cache.conv_state_elements),
                         .state_elements = static_cast<std::int64_t>(cache.recurrent_state_elements)};
  }

 private:
  const ModelSpec& model_;
  const LayerSpec& layer_;
};

void set_feed_forward(GgufLayer& layer, const MlpSpec& spec) {
  layer.d_ff = spec.d_ff;
  layer.gate = spec.gate;
  layer.mlp_bias = spec.bias;
}

void set_feed_forward(GgufLayer& layer, const MoeSpec& spec) {
  layer.gate = spec.gate;
  layer.experts = GgufExperts{.n_experts = spec.n_experts,
                              .n_active = spec.n_active,
                              .d_ff = spec.d_ff,
                              .shared_d_ff = spec.shared_d_ff,
                              .selection_bias = spec.correction_bias,
                              .normalized = true,
                              .scaled = spec.correction_bias};
}

void set_feed_forward(GgufLayer&, const NoFeedForward&) {}

GgufLayer layer_of(const ModelSpec& model, const LayerSpec& spec) {
  GgufLayer layer;
  layer.mixer = std::visit(MixerReader(model, spec), spec.mixer);
  layer.fused_gate = is_listed(kFusedGate, model.architecture);
  std::visit([&](const auto& feed_forward) { set_feed_forward(layer, feed_forward); }, spec.feed_forward);
  return layer;
}

/// What the spec counts in a layer and the shape does not name: projections of recurrent layers, biases, sinks, gates.
void add_unnamed_elements(GgufShape& shape, const ModelSpec& model) {
  std::vector<std::int64_t> unnamed(shape.layers.size(), 0);
  for (const WeightSlot& slot : weight_slots(model))
    if (slot.layer >= 0 && slot.layer < shape.n_layers()) unnamed[static_cast<std::size_t>(slot.layer)] += slot.size();
  for (const GgufTensorShape& tensor : gguf_tensor_shapes(shape, LatentMatrices::kJoint))
    if (tensor.layer >= 0) unnamed[static_cast<std::size_t>(tensor.layer)] -= tensor.elements();
  for (std::size_t i = 0; i < unnamed.size(); ++i)
    shape.layers[i].unnamed_elements = std::max<std::int64_t>(unnamed[i], 0);
}

}  // namespace

GgufShape gguf_shape(const ModelSpec& model) {
  GgufShape shape;
  shape.architecture = model.architecture;
  shape.d_model = model.d_model;
  shape.vocab_size = model.vocab_size;
  shape.n_learned_positions = model.n_learned_positions;
  shape.tied_embeddings = model.tied_embeddings;
  shape.post_norms = model.wiring == BlockWiring::kSandwich;
  shape.scaled_embeddings = model.embed_scale != 1.0;
  shape.norm = model.norm.kind;
  for (const LayerSpec& spec : model.layers) shape.layers.push_back(layer_of(model, spec));
  add_unnamed_elements(shape, model);
  return shape;
}

}  // namespace dachlast
