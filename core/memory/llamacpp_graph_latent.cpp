#include "core/memory/llamacpp_graph_builder.h"

namespace dachlast::llamacpp {

GraphBuilder::LatentParts GraphBuilder::latent_parts(const GgufLatentAttention& a, T x) {
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

T GraphBuilder::full_latent(const GgufLatentAttention& a, const LatentParts& p) {
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

std::int64_t GraphBuilder::heads_at_once(const GgufLatentAttention& a) const {
  std::int64_t heads = a.n_heads;
  std::int64_t mib = (heads * (a.nope_head_dim + a.v_head_dim) * n_ctx_ * 4) >> 20;
  for (; run_.attention_batch_mib > 0 && heads % 2 == 0 && mib > run_.attention_batch_mib; mib /= 2) heads /= 2;
  return heads;
}

T GraphBuilder::expanded_latent(const GgufLatentAttention& a, const LatentParts& p, T cache) {
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

T GraphBuilder::cast(T tensor, const GgmlType& type) {
  return graph_.operation(GgmlKind::kOperation, type, extents(tensor), {tensor});
}

T GraphBuilder::latent_scores(T q, T cache, T values, const GgufLatentAttention& a) {
  const T scores = graph_.operation(GgmlKind::kMatmul, {n_ctx_, n_tokens_, extents(q)[2], 1}, {cache, q});
  const T probabilities = graph_.in_place(scores, {mask_});
  return graph_.operation(GgmlKind::kMatmul, {a.kv_lora_rank, n_tokens_, extents(q)[2], 1}, {values, probabilities});
}

T GraphBuilder::limited_scores(T q, T cache, T values, const GgufLatentAttention& a) {
  const std::int64_t mib = (n_ctx_ * n_tokens_ * a.n_heads * 4) >> 20;
  const std::int64_t limit = run_.attention_batch_mib;
  if (limit <= 0 || limit >= mib) return latent_scores(q, cache, values, a);
  const std::int64_t steps = std::min<std::int64_t>((mib + limit - 1) / limit, a.n_heads);
  const std::int64_t per_step = (a.n_heads + steps - 1) / steps;
  T result = kNone;
  for (std::int64_t head = 0; head < a.n_heads; head += per_step) {
    const std::int64_t n = std::min<std::int64_t>(per_step, a.n_heads - head);
    const T part = latent_scores(strided(q, {extents(q)[0], n_tokens_, n, 1}), cache, values, a);
    result = result == kNone ? part : operation({a.kv_lora_rank, n_tokens_, extents(result)[2] + n, 1}, {result, part});
    graph_.expand(result);
  }
  return result;
}

T GraphBuilder::absorbed_latent(const GgufLatentAttention& a, const LatentParts& p, T cache, T transposed) {
  const T q_nope = strided(p.q_nope, {a.nope_head_dim, n_tokens_, a.n_heads, 1});
  const T w_k = weight("attn_k_b", {a.nope_head_dim, a.kv_lora_rank, a.n_heads, 1});
  const T q_latent = graph_.operation(GgmlKind::kMatmul, {a.kv_lora_rank, n_tokens_, a.n_heads, 1}, {w_k, q_nope});
  const T q_rope = strided(p.q_rope, {a.rope_head_dim, n_tokens_, a.n_heads, 1});
  const T q = operation({a.kv_lora_rank + a.rope_head_dim, n_tokens_, a.n_heads, 1}, {q_rope, q_latent});
  const T keys = strided(cache, {a.kv_lora_rank + a.rope_head_dim, n_ctx_, 1, 1});
  const T latents = strided(cache, {a.kv_lora_rank, n_ctx_, 1, 1});
  T y = T::kNone;
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

T GraphBuilder::compressed_latent(const GgufLatentAttention& a, const LatentParts& p) {
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

T GraphBuilder::mix(const GgufLatentAttention& a, T x) {
  const LatentParts parts = latent_parts(a, x);
  const bool compressed = ik() ? run_.mla_mode > 0 : run_.latent == LatentMatrices::kSplit;
  return matmul("attn_output", compressed ? compressed_latent(a, parts) : full_latent(a, parts), shape_.d_model);
}

}  // namespace dachlast::llamacpp
