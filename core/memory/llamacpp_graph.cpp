#include "core/memory/llamacpp_graph.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/memory/llamacpp_kv.h"

namespace dachlast {
namespace {

using T = GgmlTensor;
constexpr T kNone = GgmlTensor::kNone;
constexpr std::int64_t kMaskRows = 32;  // GGML_KQ_MASK_PAD

const GgmlType& named(std::string_view name) {
  return *ggml_type(name);
}

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

  // -------- latent attention

  struct LatentParts {
    T q_nope, q_rope, k_rope, latent;
  };

  LatentParts latent_parts(const GgufLatentAttention& a, T x) {
    const std::int64_t head_dim = a.nope_head_dim + a.rope_head_dim;
    T q = x;
    if (a.q_lora_rank > 0) q = norm(matmul("attn_q_a", x, a.q_lora_rank));
    q = matmul(a.q_lora_rank > 0 ? "attn_q_b" : "attn_q", q, a.n_heads * head_dim);
    const T q_nope = strided(q, {a.nope_head_dim, a.n_heads, n_tokens_, 1});
    const T q_rope = rope(strided(q, {a.rope_head_dim, a.n_heads, n_tokens_, 1}));
    const T kv = matmul("attn_kv_a_mqa", x, a.kv_lora_rank + a.rope_head_dim);
    const T k_rope = rope(strided(kv, {a.rope_head_dim, 1, n_tokens_, 1}));
    const T latent = norm(strided(kv, {a.kv_lora_rank, n_tokens_, 1, 1}));
    return {q_nope, q_rope, k_rope, latent};
  }

  /// Without compression: keys and values of every head are computed before they are stored.
  T full_latent(const GgufLatentAttention& a, const LatentParts& p) {
    const int head_dim = a.nope_head_dim + a.rope_head_dim;
    const T kv = matmul("attn_kv_b", p.latent, std::int64_t{a.n_heads} * (a.nope_head_dim + a.v_head_dim));
    const T k_nope = strided(kv, {a.nope_head_dim, a.n_heads, n_tokens_, 1});
    const GgmlExtents v_heads = {a.v_head_dim, a.n_heads, n_tokens_, 1};
    const T v =
        reshape(operation(v_heads, {strided(kv, v_heads)}), {std::int64_t{a.v_head_dim} * a.n_heads, n_tokens_, 1, 1});
    const T q = operation({head_dim, a.n_heads, n_tokens_, 1}, {p.q_nope, p.q_rope});
    const T k_rope = operation(extents(p.q_rope), {p.k_rope});
    const T k = operation({head_dim, a.n_heads, n_tokens_, 1}, {k_nope, k_rope});
    const GgufAttention heads{
        .n_heads = a.n_heads, .n_kv_heads = a.n_heads, .k_head_dim = head_dim, .v_head_dim = a.v_head_dim};
    return attend_to_cache(q, k, v, heads);
  }

  /// Heads whose keys and values are expanded at once: halved until their 32-bit form keeps to the limit.
  std::int64_t heads_at_once(const GgufLatentAttention& a) const {
    std::int64_t heads = a.n_heads;
    std::int64_t mib = (heads * (a.nope_head_dim + a.v_head_dim) * n_ctx_ * 4) >> 20;
    for (; run_.attention_batch_mib > 0 && heads % 2 == 0 && mib > run_.attention_batch_mib; mib /= 2) heads /= 2;
    return heads;
  }

  /// Prompt processing of modes 2 and 3: the cache is expanded to keys and values, some heads at a time.
  T expanded_latent(const GgufLatentAttention& a, const LatentParts& p, T cache) {
    const std::int64_t head_dim = a.nope_head_dim + a.rope_head_dim;
    const std::int64_t n = heads_at_once(a);
    const GgmlType& type = run_.n_gpus == 0 ? *run_.type_k : named("F16");
    const T cached = strided(cache, {a.kv_lora_rank, n_ctx_, 1, 1});
    T k_rope = strided(cache, {a.rope_head_dim, n_ctx_, 1, 1});
    if (run_.type_k != &type) k_rope = cast(k_rope, type);
    k_rope = graph_.operation(GgmlKind::kOperation, type, {a.rope_head_dim, n_ctx_, n, 1}, {k_rope});
    const T q_all = operation({head_dim, a.n_heads, n_tokens_, 1}, {p.q_rope, p.q_nope});
    const T q = strided(q_all, {head_dim, n_tokens_, a.n_heads, 1});
    graph_.expand(q);
    T result = kNone;
    for (std::int64_t done = 0; done < a.n_heads; done += n) {
      const T kv =
          graph_.operation(GgmlKind::kMatmul, {n * (a.nope_head_dim + a.v_head_dim), n_ctx_, 1, 1},
                           {weight("attn_kv_b", {a.kv_lora_rank, n * (a.nope_head_dim + a.v_head_dim), 1, 1}), cached});
      const T v = cast(strided(kv, {a.v_head_dim, n_ctx_, n, 1}), type);
      const T k_nope = cast(strided(kv, {a.nope_head_dim, n_ctx_, n, 1}), type);
      graph_.expand(k_nope);
      graph_.expand(v);
      const T k = graph_.operation(GgmlKind::kOperation, type, {head_dim, n_ctx_, n, 1}, {k_rope, k_nope});
      graph_.expand(k);
      const T part = attend(strided(q, {head_dim, n_tokens_, n, 1}), k, v, a.v_head_dim, mask_);
      result =
          result == kNone ? part : operation({extents(result)[0] + extents(part)[0], n_tokens_, 1, 1}, {result, part});
    }
    return result;
  }

  T cast(T tensor, const GgmlType& type) {
    return graph_.operation(GgmlKind::kOperation, type, extents(tensor), {tensor});
  }

  T latent_scores(T q, T cache, T values, const GgufLatentAttention& a) {
    const T scores = graph_.operation(GgmlKind::kMatmul, {n_ctx_, n_tokens_, extents(q)[2], 1}, {cache, q});
    const T probabilities = graph_.in_place(scores, {mask_});
    return graph_.operation(GgmlKind::kMatmul, {a.kv_lora_rank, n_tokens_, extents(q)[2], 1}, {values, probabilities});
  }

  /// Scores of some heads at a time, where all of them would exceed the limit.
  T limited_scores(T q, T cache, T values, const GgufLatentAttention& a) {
    const std::int64_t mib = (n_ctx_ * n_tokens_ * a.n_heads * 4) >> 20;
    const std::int64_t limit = run_.attention_batch_mib;
    if (limit <= 0 || limit >= mib) return latent_scores(q, cache, values, a);
    const std::int64_t steps = std::min<std::int64_t>((mib + limit - 1) / limit, a.n_heads);
    const std::int64_t per_step = (a.n_heads + steps - 1) / steps;
    T result = kNone;
    for (std::int64_t head = 0; head < a.n_heads; head += per_step) {
      const std::int64_t n = std::min<std::int64_t>(per_step, a.n_heads - head);
      const T part = latent_scores(strided(q, {extents(q)[0], n_tokens_, n, 1}), cache, values, a);
      result =
          result == kNone ? part : operation({a.kv_lora_rank, n_tokens_, extents(result)[2] + n, 1}, {result, part});
      graph_.expand(result);
    }
    return result;
  }

  /// Attention over the latents themselves; queries and values pass through k_b and v_b.
  T absorbed_latent(const GgufLatentAttention& a, const LatentParts& p, T cache, T transposed) {
    const T q_nope = strided(p.q_nope, {a.nope_head_dim, n_tokens_, a.n_heads, 1});
    const T w_k = weight("attn_k_b", {a.nope_head_dim, a.kv_lora_rank, a.n_heads, 1});
    const T q_latent = graph_.operation(GgmlKind::kMatmul, {a.kv_lora_rank, n_tokens_, a.n_heads, 1}, {w_k, q_nope});
    const T q_rope = strided(p.q_rope, {a.rope_head_dim, n_tokens_, a.n_heads, 1});
    const T q = operation({a.kv_lora_rank + a.rope_head_dim, n_tokens_, a.n_heads, 1}, {q_rope, q_latent});
    const T keys = strided(cache, {a.kv_lora_rank + a.rope_head_dim, n_ctx_, 1, 1});
    const T latents = strided(cache, {a.kv_lora_rank, n_ctx_, 1, 1});
    T y;
    if (flash() && run_.mla_mode != 2) {
      y = operation({a.kv_lora_rank, a.n_heads, n_tokens_, 1}, {q, keys, latents, mask_});
      y = strided(y, {a.kv_lora_rank, n_tokens_, a.n_heads, 1});
    } else {
      if (transposed == kNone)
        transposed = graph_.operation(GgmlKind::kOperation, *run_.type_k, {n_ctx_, a.kv_lora_rank, 1, 1},
                                      {strided(latents, {n_ctx_, a.kv_lora_rank, 1, 1})});
      y = limited_scores(q, keys, transposed, a);
    }
    const T w_v = weight("attn_v_b", {a.kv_lora_rank, a.v_head_dim, a.n_heads, 1});
    y = graph_.operation(GgmlKind::kMatmul, {a.v_head_dim, n_tokens_, a.n_heads, 1}, {w_v, y});
    y = operation({a.v_head_dim, a.n_heads, n_tokens_, 1}, {strided(y, {a.v_head_dim, a.n_heads, n_tokens_, 1})});
    return reshape(y, {std::int64_t{a.v_head_dim} * a.n_heads, n_tokens_, 1, 1});
  }

  T compressed_latent(const GgufLatentAttention& a, const LatentParts& p) {
    T transposed = kNone;
    if (run_.mla_mode == 1 && !flash()) {
      const T stored = store(strided(p.latent, {n_tokens_, a.kv_lora_rank, 1, 1}), a.kv_lora_rank, *run_.type_v);
      transposed = strided(stored, {n_ctx_, a.kv_lora_rank, 1, 1});
    }
    const std::int64_t width = a.kv_lora_rank + a.rope_head_dim;
    const T joined =
        operation({width, n_tokens_, 1, 1}, {strided(p.k_rope, {a.rope_head_dim, n_tokens_, 1, 1}), p.latent});
    const T cache = store(joined, width, *run_.type_k);
    const bool expand = run_.mla_mode > 1 && flash() && n_tokens_ >= 128;  // fewer tokens are not worth it
    const T y = expand ? expanded_latent(a, p, cache) : absorbed_latent(a, p, cache, transposed);
    graph_.expand(y);
    return y;
  }

  T mix(const GgufLatentAttention& a, T x) {
    const LatentParts parts = latent_parts(a, x);
    const bool compressed = ik() ? run_.mla_mode > 0 : run_.latent == LatentMatrices::kSplit;
    return matmul("attn_output", compressed ? compressed_latent(a, parts) : full_latent(a, parts), shape_.d_model);
  }

  // -------- layers without attention

  T mix(const GgufRecurrent&, T x) { return matmul("unnamed", x, shape_.d_model); }
  T mix(std::monostate, T x) { return x; }

  // -------- feed-forward

  T gated(T gate, T up) {
    return ik() ? operation(extents(gate), {gate, up}) : graph_.in_place(graph_.in_place(gate), {up});
  }

  T mlp(T x, std::string_view gate, std::string_view up, std::string_view down, std::int64_t d_ff,
        const GgufLayer& layer) {
    T y;
    if (layer.fused_gate) {
      const T both = matmul(up, x, 2 * d_ff);
      y = operation({d_ff, extents(x)[1], 1, 1}, {both});
    } else if (layer.gate == Gate::kGated) {
      const T u = matmul(up, x, d_ff);
      y = gated(matmul(gate, x, d_ff), u);
    } else {
      const T u = matmul(up, x, d_ff);
      y = graph_.in_place(layer.mlp_bias ? bias(u) : u);
    }
    y = matmul(down, y, shape_.d_model);
    return layer.mlp_bias ? bias(y) : y;
  }

  T route(T x, const GgufExperts& e, T& chosen) {
    const std::int64_t n = extents(x)[1];
    const T probabilities = graph_.in_place(matmul("ffn_gate_inp", x, e.n_experts));
    const T ranked = e.selection_bias ? bias(probabilities) : probabilities;
    chosen = strided(graph_.operation(GgmlKind::kOperation, named("I32"), {e.n_experts, n, 1, 1}, {ranked}),
                     {e.n_active, n, 1, 1});
    T w = graph_.operation(GgmlKind::kGather, {1, e.n_active, n, 1},
                           {reshape(probabilities, {1, e.n_experts, n, 1}), chosen});
    if (e.normalized) {
      w = reshape(w, {e.n_active, n, 1, 1});
      w = graph_.in_place(w, {operation({1, n, 1, 1}, {w})});
      w = reshape(w, {1, e.n_active, n, 1});
    }
    return e.scaled ? graph_.in_place(w) : w;
  }

  T sum_of_experts(T y, const GgufExperts& e) {
    const GgmlExtents one = {extents(y)[0], extents(y)[2], 1, 1};
    const auto part = [&] { return strided(y, one); };
    if (e.n_active == 1 || (ik() && e.n_active > 2)) return operation(one, {part()});
    T sum = graph_.in_place(part(), {part()});
    for (int i = 2; i < e.n_active; ++i) sum = graph_.in_place(sum, {part()});
    return sum;
  }

  T fused_up_gate(T x, T chosen, const GgufExperts& e) {
    const T up = weight("ffn_up_exps", {shape_.d_model, e.d_ff, e.n_experts, 1});
    const T gate = weight("ffn_gate_exps", {shape_.d_model, e.d_ff, e.n_experts, 1});
    const T y =
        graph_.operation(GgmlKind::kExpertsMatmul, {e.d_ff, e.n_active, extents(x)[2], 1}, {up, gate, x, chosen});
    graph_.node(y).n_active_experts = e.n_active;
    return y;
  }

  T experts(T x, const GgufLayer& layer) {
    const GgufExperts& e = *layer.experts;
    T chosen = kNone;
    const T weights = route(x, e, chosen);
    const T one = reshape(x, {shape_.d_model, 1, extents(x)[1], 1});
    T y;
    if (ik() && run_.fused_experts && layer.gate == Gate::kGated) {
      y = fused_up_gate(one, chosen, e);
    } else {
      const T up = experts_matmul("ffn_up_exps", one, chosen, e.d_ff, e);
      y = layer.gate == Gate::kGated ? gated(experts_matmul("ffn_gate_exps", one, chosen, e.d_ff, e), up)
                                     : graph_.in_place(up);
    }
    y = experts_matmul("ffn_down_exps", y, chosen, shape_.d_model, e);
    y = sum_of_experts(graph_.in_place(y, {weights}), e);
    if (e.shared_d_ff == 0) return y;
    return graph_.in_place(y, {mlp(x, "ffn_gate_shexp", "ffn_up_shexp", "ffn_down_shexp", e.shared_d_ff, layer)});
  }

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

}  // namespace

GgmlGraph llamacpp_graph(const GgufShape& shape, const GgufWeights& weights, const LlamaCppRun& run) {
  return GraphBuilder(shape, weights, run).build();
}

}  // namespace dachlast
