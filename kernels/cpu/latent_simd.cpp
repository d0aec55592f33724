// The up projection of latents, head by head. A head's matrices (128 rows of 512 bfloat16: 128 KiB) stay in L2 while all
// tokens pass them, four at a time; of few tokens the weights are read once, row after row as they lie.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/latent_simd.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/latent_cpu.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

/// Tokens that share what is loaded of a weight row, and rows that are worked on together: 4 · 4 factors or sums beside 4
/// vectors of weights leave registers to spare with AVX-512; with AVX2 some live in L1.
inline constexpr int kTokens = 4;
inline constexpr int kRows = 4;

/// out[m] += Σ_j x[m][j] · w[j] over J rows of n elements, for M tokens.
template <int M, int J, class T>
HWY_INLINE void add_rows(const float* const (&x)[M], const T* w, int n, float* const (&out)[M]) {
  const FloatTag d;
  FloatVector factor[M][J];
  for (int m = 0; m < M; ++m)
    for (int j = 0; j < J; ++j) factor[m][j] = hn::Set(d, x[m][j]);
  for (int l = 0; l < n; l += kLanes) {
    const int lanes = HWY_MIN(kLanes, n - l);
    FloatVector weights[J];
    for (int j = 0; j < J; ++j) weights[j] = in_register(load_up_to(d, w + std::size_t(j) * std::size_t(n) + l, lanes));
    for (int m = 0; m < M; ++m) {
      FloatVector sum = load_up_to(d, out[m] + l, lanes);
      for (int j = 0; j < J; ++j) sum = hn::MulAdd(weights[j], factor[m][j], sum);
      store_up_to(d, sum, out[m] + l, lanes);
    }
  }
}

template <int M, class T>
void absorb_tokens(const LatentHeads& s, const float* q, const T* w, float* out) {
  const auto query_stride = std::size_t(s.n_heads) * s.query_dim(), row_stride = std::size_t(s.n_heads) * s.row_dim();
  const float* x[M];
  float* y[M];
  for (int m = 0; m < M; ++m) {
    x[m] = q + std::size_t(m) * query_stride;
    y[m] = out + std::size_t(m) * row_stride;
    for (int l = 0; l < s.latent_dim; ++l) y[m][l] = 0.0f;
    for (int i = 0; i < s.rotary_dim; ++i) y[m][s.latent_dim + i] = x[m][s.key_dim + i];
  }
  int j = 0;
  for (; j + kRows <= s.key_dim; j += kRows, w += std::size_t(kRows) * s.latent_dim) {
    add_rows<M, kRows>(x, w, s.latent_dim, y);
    for (int m = 0; m < M; ++m) x[m] += kRows;
  }
  for (; j < s.key_dim; ++j, w += s.latent_dim) {
    add_rows<M, 1>(x, w, s.latent_dim, y);
    for (int m = 0; m < M; ++m) ++x[m];
  }
}

/// out[m][j] = w[j] · x[m] over J rows of n elements, for M tokens.
template <int M, int J, class T>
HWY_INLINE void dot_rows(const float* const (&x)[M], const T* w, int n, float* const (&out)[M]) {
  const FloatTag d;
  FloatVector sums[M][J];
  for (int m = 0; m < M; ++m)
    for (int j = 0; j < J; ++j) sums[m][j] = hn::Zero(d);
  for (int l = 0; l < n; l += kLanes) {
    const int lanes = HWY_MIN(kLanes, n - l);
    FloatVector weights[J];
    for (int j = 0; j < J; ++j) weights[j] = in_register(load_up_to(d, w + std::size_t(j) * std::size_t(n) + l, lanes));
    for (int m = 0; m < M; ++m) {
      const FloatVector input = in_register(load_up_to(d, x[m] + l, lanes));
      for (int j = 0; j < J; ++j) sums[m][j] = hn::MulAdd(weights[j], input, sums[m][j]);
    }
  }
  for (int m = 0; m < M; ++m)
    for (int j = 0; j < J; ++j) out[m][j] = sum_of(d, sums[m][j]);
}

template <int M, class T>
void raise_tokens(const LatentHeads& s, const float* latents, const T* w, float* out) {
  const float* x[M];
  float* y[M];
  for (int m = 0; m < M; ++m) {
    x[m] = latents + std::size_t(m) * s.n_heads * s.latent_dim;
    y[m] = out + std::size_t(m) * s.n_heads * s.value_dim;
  }
  int i = 0;
  for (; i + kRows <= s.value_dim; i += kRows, w += std::size_t(kRows) * s.latent_dim) {
    dot_rows<M, kRows>(x, w, s.latent_dim, y);
    for (int m = 0; m < M; ++m) y[m] += kRows;
  }
  for (; i < s.value_dim; ++i, w += s.latent_dim) {
    dot_rows<M, 1>(x, w, s.latent_dim, y);
    for (int m = 0; m < M; ++m) ++y[m];
  }
}

/// All tokens of one head.
template <class T>
void absorb_head(const LatentHeads& s, int n_tokens, const float* q, const T* w, float* out) {
  const auto query_stride = std::size_t(s.n_heads) * s.query_dim(), row_stride = std::size_t(s.n_heads) * s.row_dim();
  int t = 0;
  for (; t + kTokens <= n_tokens; t += kTokens)
    absorb_tokens<kTokens>(s, q + std::size_t(t) * query_stride, w, out + std::size_t(t) * row_stride);
  for (; t < n_tokens; ++t)
    absorb_tokens<1>(s, q + std::size_t(t) * query_stride, w, out + std::size_t(t) * row_stride);
}

template <class T>
void raise_head(const LatentHeads& s, int n_tokens, const float* latents, const T* w, float* out) {
  const auto in_stride = std::size_t(s.n_heads) * s.latent_dim, out_stride = std::size_t(s.n_heads) * s.value_dim;
  int t = 0;
  for (; t + kTokens <= n_tokens; t += kTokens)
    raise_tokens<kTokens>(s, latents + std::size_t(t) * in_stride, w, out + std::size_t(t) * out_stride);
  for (; t < n_tokens; ++t)
    raise_tokens<1>(s, latents + std::size_t(t) * in_stride, w, out + std::size_t(t) * out_stride);
}

void absorb_f32(const LatentHeads& s, int n_tokens, const float* q, const float* w, float* out) {
  absorb_head(s, n_tokens, q, w, out);
}
void absorb_bf16(const LatentHeads& s, int n_tokens, const float* q, const BF16* w, float* out) {
  absorb_head(s, n_tokens, q, w, out);
}
void raise_f32(const LatentHeads& s, int n_tokens, const float* latents, const float* w, float* out) {
  raise_head(s, n_tokens, latents, w, out);
}
void raise_bf16(const LatentHeads& s, int n_tokens, const float* latents, const BF16* w, float* out) {
  raise_head(s, n_tokens, latents, w, out);
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dachlast::kernels::cpu {

HWY_EXPORT(absorb_f32);
HWY_EXPORT(absorb_bf16);
HWY_EXPORT(raise_f32);
HWY_EXPORT(raise_bf16);

void absorb_queries_simd(const LatentHeads& s, int n_tokens, std::span<const float> q, WeightSpan w,
                         std::span<float> out, Slice heads) {
  for (int h = heads.begin; h < heads.end; ++h) {
    const float* queries = q.data() + std::size_t(h) * s.query_dim();
    float* rows = out.data() + std::size_t(h) * s.row_dim();
    if (const auto* floats = std::get_if<std::span<const float>>(&w))
      HWY_DYNAMIC_DISPATCH(absorb_f32)(s, n_tokens, queries, floats->data() + first_of_keys(s, h), rows);
    else
      HWY_DYNAMIC_DISPATCH(absorb_bf16)
    (s, n_tokens, queries, std::get<std::span<const BF16>>(w).data() + first_of_keys(s, h), rows);
  }
}

void raise_values_simd(const LatentHeads& s, int n_tokens, std::span<const float> latents, WeightSpan w,
                       std::span<float> out, Slice heads) {
  for (int h = heads.begin; h < heads.end; ++h) {
    const float* sums = latents.data() + std::size_t(h) * s.latent_dim;
    float* values = out.data() + std::size_t(h) * s.value_dim;
    if (const auto* floats = std::get_if<std::span<const float>>(&w))
      HWY_DYNAMIC_DISPATCH(raise_f32)(s, n_tokens, sums, floats->data() + first_of_values(s, h), values);
    else
      HWY_DYNAMIC_DISPATCH(raise_bf16)
    (s, n_tokens, sums, std::get<std::span<const BF16>>(w).data() + first_of_values(s, h), values);
  }
}

}  // namespace dachlast::kernels::cpu
#endif
