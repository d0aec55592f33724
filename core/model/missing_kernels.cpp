#include <array>
#include <string_view>

#include "core/model/model_spec.h"

namespace dachlast {
namespace {

/// Something a model can have and the engine cannot compute.
template <class Part>
struct Unsupported {
  bool (*in)(const Part&);
  std::string_view what;
};

constexpr std::array<Unsupported<AttentionSpec>, 8> kOfAttention = {{
    {[](const AttentionSpec& a) { return a.value_dim() != a.head_dim; }, "values narrower than keys"},
    {[](const AttentionSpec& a) { return a.chunk > 0; }, "chunked attention"},
    {[](const AttentionSpec& a) { return a.output_gate; }, "gated attention"},
    {[](const AttentionSpec& a) { return a.sinks; }, "attention sinks"},
    {[](const AttentionSpec& a) { return a.alibi; }, "ALiBi"},
    {[](const AttentionSpec& a) { return a.k_is_v; }, "one projection for K and V"},
    {[](const AttentionSpec& a) { return a.shares_kv_with.has_value(); }, "layers that share a KV cache"},
    {[](const AttentionSpec& a) { return a.qk_norm != QkNorm::kNone && a.qk_norm != QkNorm::kPerHead; },
     "norms over all queries or keys"},
}};

constexpr std::array<Unsupported<ModelSpec>, 7> kOfModel = {{
    {[](const ModelSpec& m) { return m.wiring == BlockWiring::kParallelTwoNorms; }, "parallel blocks with two norms"},
    {[](const ModelSpec& m) { return m.wiring == BlockWiring::kBranchNorm; }, "norms behind the branches alone"},
    {[](const ModelSpec& m) { return m.embedding_norm; }, "normed embeddings"},
    {[](const ModelSpec& m) { return m.norm.kind == NormKind::kLayer && !m.norm.layer_bias; },
     "LayerNorm without a bias"},
    {[](const ModelSpec& m) { return m.residual_scale != 1.0 || m.logit_scale != 1.0; }, "scaled branches or logits"},
    {[](const ModelSpec& m) { return m.per_layer_inputs.has_value(); }, "inputs of each layer's own"},
    {[](const ModelSpec& m) { return m.naming == TensorNaming::kNone; }, "its architecture's blocks"},
}};

template <class Part, std::size_t n>
std::string_view first_unsupported(const std::array<Unsupported<Part>, n>& list, const Part& part) {
  for (const auto& entry : list)
    if (entry.in(part)) return entry.what;
  return {};
}

struct MixerKernels {
  std::string_view operator()(const AttentionSpec& a) const { return first_unsupported(kOfAttention, a); }
  std::string_view operator()(const MlaSpec& a) const {
    return a.indexer ? std::string_view("sparse attention over latents") : std::string_view();
  }
  std::string_view operator()(const GatedDeltaNetSpec&) const { return "linear attention"; }
  std::string_view operator()(const Mamba1Spec&) const { return "Mamba layers"; }
  std::string_view operator()(const Mamba2Spec&) const { return "Mamba 2 layers"; }
  std::string_view operator()(const LinearMixer&) const { return "layers without attention"; }
  std::string_view operator()(const NoMixer&) const { return "layers without attention"; }
};

struct FeedForwardKernels {
  std::string_view operator()(const MlpSpec&) const { return {}; }
  std::string_view operator()(const MoeSpec&) const { return "routed experts"; }
  std::string_view operator()(const NoFeedForward&) const { return "layers without an MLP"; }
};

}  // namespace

std::optional<std::string> missing_kernels(const ModelSpec& model) {
  std::string_view what;
  for (const LayerSpec& layer : model.layers) {
    if (what.empty()) what = std::visit(FeedForwardKernels{}, layer.feed_forward);
    if (what.empty()) what = std::visit(MixerKernels{}, layer.mixer);
  }
  if (what.empty()) what = first_unsupported(kOfModel, model);
  if (what.empty()) return std::nullopt;
  return "the engine has no kernels for " + std::string(what) + " yet";
}

}  // namespace dachlast
