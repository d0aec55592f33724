#pragma once

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/memory/llamacpp_graph.h"
#include "core/memory/llamacpp_kv.h"

// For llamacpp_graph*.cpp alone.
namespace dachlast::llamacpp {

using T = GgmlTensor;
inline constexpr T kNone = GgmlTensor::kNone;
inline constexpr std::int64_t kMaskRows = 32;  // GGML_KQ_MASK_PAD

inline const GgmlType& named(std::string_view name) {
  return *ggml_type(name);
}

/// Builds one graph, in the order in which the program does: the order decides what memory is reused.
class GraphBuilder {
 public:
  GraphBuilder(const GgufShape& shape, const GgufWeights& weights, const LlamaCppRun& run)
      : shape_(shape),
        run_(run),
        n_ctx_(llamacpp_sizes(run).n_ctx),
        n_tokens_(llamacpp_sizes(run).n_tokens),
        devices_(llamacpp_layer_devices(shape.n_layers(), run)) {
    for (const GgufTypedTensor& tensor : weights.tensors) types_[{tensor.shape.layer, tensor.shape.name}] = tensor.type;
  }

  GgmlGraph build() {
    T x = embedding();
    positions_ = graph_.input(named("I32"), {n_tokens_, 1, 1, 1});
    mask_ = mask(n_ctx_);
    if (has_windows()) window_mask_ = mask(llamacpp_window_cells(shape_, run_));
    for (layer_ = 0; layer_ < shape_.n_layers(); ++layer_) x = add_layer(x, shape_.layers[index(layer_)]);
    layer_ = -1;
    const T logits = matmul("output", norm(x), shape_.vocab_size);
    graph_.expand(logits);
    return std::move(graph_);
  }

 private:
  static std::size_t index(int layer) { return static_cast<std::size_t>(layer); }

  bool ik() const { return run_.program == LlamaCppProgram::kIk; }
  bool scratch() const { return run_.program == LlamaCppProgram::kScratch; }
  bool flash() const { return run_.attention == LlamaCppAttention::kFlash; }
  int host() const { return run_.n_gpus; }
  int layer_device() const { return layer_ < 0 ? devices_.back() : devices_[index(layer_)]; }

  bool has_windows() const {
    return std::ranges::any_of(shape_.layers, [](const GgufLayer& layer) {
      const auto* attention = std::get_if<GgufAttention>(&layer.mixer);
      return attention != nullptr && attention->window > 0;
    });
  }

  // -------- weights

  const GgmlType& type_of(std::string_view name) const {
    const auto found = types_.find({layer_, name});
    return found == types_.end() ? named("F32") : *found->second;
  }

  T weight(std::string_view name, GgmlExtents extents) {
    const bool experts = name.ends_with("_exps");
    const int device = experts && run_.experts == ExpertPlace::kHost ? host() : layer_device();
    return graph_.weight(type_of(name), extents, device);
  }

  T vector(std::int64_t elements) { return graph_.weight(named("F32"), {elements, 1, 1, 1}, layer_device()); }

  // -------- operations

  GgmlExtents extents(T tensor) const { return graph_.extents(tensor); }

  T reshape(T tensor, GgmlExtents extents) { return graph_.view(tensor, extents, graph_.node(tensor).layout); }
  T strided(T tensor, GgmlExtents extents) { return graph_.view(tensor, extents, GgmlLayout::kStrided); }

  T matmul(std::string_view name, T x, std::int64_t rows) {
    const GgmlExtents in = extents(x);
    return graph_.operation(GgmlKind::kMatmul, {rows, in[1], in[2], in[3]}, {weight(name, {in[0], rows, 1, 1}), x});
  }

  T experts_matmul(std::string_view name, T x, T chosen, std::int64_t rows, const GgufExperts& e) {
    const T w = weight(name, {extents(x)[0], rows, e.n_experts, 1});
    const T y = graph_.operation(GgmlKind::kExpertsMatmul, {rows, e.n_active, extents(x)[2], 1}, {w, x, chosen});
    graph_.node(y).n_active_experts = e.n_active;
    return y;
  }

  T operation(GgmlExtents extents, std::vector<T> sources) {
    return graph_.operation(GgmlKind::kOperation, extents, std::move(sources));
  }

  T bias(T x) { return graph_.in_place(x, {vector(extents(x)[0])}); }

  /// ik_llama.cpp norms and scales in one operation, which never works in place.
  T norm(T x) {
    const T scale = vector(extents(x)[0]);
    if (ik() && shape_.norm == NormKind::kRms) return operation(extents(x), {x, scale});
    const T normed = shape_.norm == NormKind::kRms ? graph_.in_place(x) : operation(extents(x), {x});
    // With all layers offloaded the program pins norms to their layer's device.
    if (layer_ >= 0 && run_.gpu_layers > shape_.n_layers()) graph_.node(normed).device = layer_device();
    const T scaled = graph_.in_place(normed, {scale});
    return shape_.norm == NormKind::kRms ? scaled : graph_.in_place(scaled, {vector(extents(x)[0])});
  }

  T rope(T x) { return graph_.in_place(x, {positions_}); }

  T embedding() {
    const T tokens = graph_.input(named("I32"), {n_tokens_, 1, 1, 1});
    const T table = graph_.weight(type_of("token_embd"), {shape_.d_model, shape_.vocab_size, 1, 1}, host());
    const T x = graph_.operation(GgmlKind::kGather, {shape_.d_model, n_tokens_, 1, 1}, {table, tokens});
    return shape_.scaled_embeddings ? graph_.in_place(x) : x;
  }

  T mask(std::int64_t n_kv) {
    const std::int64_t rows = (n_tokens_ + kMaskRows - 1) / kMaskRows * kMaskRows;
    const T input = graph_.input(named("F32"), {n_kv, rows, 1, 1});
    if (!flash()) return input;
    return graph_.operation(GgmlKind::kOperation, named("F16"), extents(input), {input});
  }

  // -------- attention

  T store(T from, std::int64_t elements, const GgmlType& type) {
    const T cache = graph_.cache(type, {elements, n_ctx_, 1, 1}, layer_device());
    graph_.expand(graph_.copy(from, strided(cache, {elements, extents(from)[1], 1, 1})));
    return cache;
  }

  /// Scores, softmax and weighted values of all heads; the values are read from `v`.
  T attend(T q, T k, T v, std::int64_t v_dim, T mask) {
    const std::int64_t n_tokens = extents(q)[1];
    const std::int64_t n_heads = extents(q)[2];
    const std::int64_t n_kv = extents(k)[1];
    const GgmlExtents merged = {v_dim * n_heads, n_tokens, 1, 1};
    if (flash()) return reshape(operation({v_dim, n_heads, n_tokens, 1}, {q, k, v, mask}), merged);
    const T scores = graph_.operation(GgmlKind::kMatmul, {n_kv, n_tokens, n_heads, 1}, {k, q});
    const T probabilities = graph_.in_place(scores, {mask});
    const T values = graph_.operation(GgmlKind::kMatmul, {v_dim, n_tokens, n_heads, 1}, {v, probabilities});
    return operation(merged, {strided(values, {v_dim, n_heads, n_tokens, 1})});
  }

  /// Stores keys and values and attends to the cache.
  T attend_to_cache(T q, T k, T v, const GgufAttention& a) {
    if (!scratch())
      for (const T tensor : {q, k, v}) graph_.expand(tensor);
    const bool windowed = a.window > 0 && window_mask_ != kNone;
    const std::int64_t n_kv = windowed ? llamacpp_window_cells(shape_, run_) : n_ctx_;
    const T k_cache = store(k, std::int64_t{a.n_kv_heads} * a.k_head_dim, *run_.type_k);
    const T v_in = flash() ? v : strided(v, {n_tokens_, std::int64_t{a.n_kv_heads} * a.v_head_dim, 1, 1});
    const T v_cache = store(v_in, std::int64_t{a.n_kv_heads} * a.v_head_dim, *run_.type_v);
    const T queries = strided(q, {a.k_head_dim, n_tokens_, a.n_heads, 1});
    const T keys = strided(k_cache, {a.k_head_dim, n_kv, a.n_kv_heads, 1});
    const T values = strided(v_cache, {n_kv, a.v_head_dim, a.n_kv_heads, 1});
    const T y = attend(queries, keys, values, a.v_head_dim, windowed ? window_mask_ : mask_);
    if (!scratch()) graph_.expand(y);
    return y;
  }

  T heads(T x, int n_heads, int head_dim, const GgufAttention& a) {
    const T split = reshape(x, {head_dim, n_heads, n_tokens_, 1});
    return rope(a.qk_norm_elements > 0 ? norm(split) : split);
  }

  T mix(const GgufAttention& a, T x) {
    const auto project = [&](std::string_view name, std::int64_t rows) {
      const T y = matmul(name, x, rows);
      return a.qkv_bias ? bias(y) : y;
    };
    const T q = project("attn_q", std::int64_t{a.n_heads} * a.k_head_dim);
    const T k = project("attn_k", std::int64_t{a.n_kv_heads} * a.k_head_dim);
    const T v = project("attn_v", std::int64_t{a.n_kv_heads} * a.v_head_dim);
    const T y = attend_to_cache(heads(q, a.n_heads, a.k_head_dim, a), heads(k, a.n_kv_heads, a.k_head_dim, a), v, a);
    const T out = matmul("attn_output", y, shape_.d_model);
    return a.o_bias ? bias(out) : out;
  }

  // -------- latent attention: llamacpp_graph_latent.cpp

  struct LatentParts {
    T q_nope, q_rope, k_rope, latent;
  };
  LatentParts latent_parts(const GgufLatentAttention& a, T x);
  /// Without compression: keys and values of every head are computed before they are stored.
  T full_latent(const GgufLatentAttention& a, const LatentParts& p);
  /// Heads whose keys and values are expanded at once: halved until their 32-bit form keeps to the limit.
  std::int64_t heads_at_once(const GgufLatentAttention& a) const;
  /// Prompt processing of modes 2 and 3: the cache is expanded to keys and values, some heads at a time.
  T expanded_latent(const GgufLatentAttention& a, const LatentParts& p, T cache);
  T cast(T tensor, const GgmlType& type);
  T latent_scores(T q, T cache, T values, const GgufLatentAttention& a);
  /// Scores of some heads at a time, where all of them would exceed the limit.
  T limited_scores(T q, T cache, T values, const GgufLatentAttention& a);
  /// Attention over the latents themselves; queries and values pass through k_b and v_b.
  T absorbed_latent(const GgufLatentAttention& a, const LatentParts& p, T cache, T transposed);
  T compressed_latent(const GgufLatentAttention& a, const LatentParts& p);
  T mix(const GgufLatentAttention& a, T x);

  // -------- layers without attention

  T mix(const GgufRecurrent&, T x) { return matmul("unnamed", x, shape_.d_model); }
  T mix(std::monostate, T x) { return x; }

  // -------- feed-forward: llamacpp_graph_experts.cpp

  T gated(T gate, T up);
  T mlp(T x, std::string_view gate, std::string_view up, std::string_view down, std::int64_t d_ff,
        const GgufLayer& layer);
  T route(T x, const GgufExperts& e, T& chosen);
  T sum_of_experts(T y, const GgufExperts& e);
  T fused_up_gate(T x, T chosen, const GgufExperts& e);
  T experts(T x, const GgufLayer& layer);

  T keep_outputs(T x) { return graph_.operation(GgmlKind::kGather, extents(x), {x, output_ids_}); }

  T add_layer(T x, const GgufLayer& layer) {
    T residual = x;
    T y = std::visit([&](const auto& mixer) { return mix(mixer, norm(x)); }, layer.mixer);
    if (shape_.post_norms) y = norm(y);
    if (layer_ == shape_.n_layers() - 1 && !scratch()) {
      output_ids_ = graph_.input(named("I32"), {n_tokens_, 1, 1, 1});
      y = keep_outputs(y);
      residual = keep_outputs(residual);
    }
    const T middle = graph_.in_place(y, {residual});
    if (layer.d_ff == 0 && !layer.experts) return middle;
    const T normed = norm(middle);
    T out = layer.experts ? experts(normed, layer) : mlp(normed, "ffn_gate", "ffn_up", "ffn_down", layer.d_ff, layer);
    if (shape_.post_norms) out = norm(out);
    return graph_.in_place(out, {middle});
  }

  const GgufShape& shape_;
  const LlamaCppRun& run_;
  std::int64_t n_ctx_;
  std::int64_t n_tokens_;
  std::vector<int> devices_;
  std::map<std::pair<int, std::string_view>, const GgmlType*> types_;
  GgmlGraph graph_;
  int layer_ = -1;
  T positions_ = kNone;
  T mask_ = kNone;
  T window_mask_ = kNone;
  T output_ids_ = kNone;
};

}  // namespace dachlast::llamacpp
