// bf16 weights with AVX512_BF16.
#include "core/base/cpu_features.h"
#include "kernels/cpu/packed_linear_cpu.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <array>
#include <cassert>
#include <cstring>
#include <utility>

#define DACHLAST_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define DACHLAST_BF16_INLINE \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16"), always_inline)) inline

namespace dachlast::kernels::cpu {
namespace {

constexpr int kLanes = 16;
constexpr int kStepBytes = 128;

/// The same pair of columns for all rows of a register.
DACHLAST_BF16_INLINE __m512bh pair_of(const std::byte* x) {
  std::int32_t bytes = 0;
  std::memcpy(&bytes, x, sizeof(bytes));
  return reinterpret_cast<__m512bh>(_mm512_set1_epi32(bytes));
}

DACHLAST_BF16_INLINE __m512bh weights_at(const std::byte* w) {
  return reinterpret_cast<__m512bh>(_mm512_load_si512(w));
}

DACHLAST_BF16_INLINE void store_columns(const PanelProduct& p, int row, int half, __m512 y) {
  const int n = p.n_columns - half * kLanes;
  if (n <= 0) return;
  const __mmask16 mask = n >= kLanes ? __mmask16{0xffff} : static_cast<__mmask16>((1U << n) - 1U);
  if (p.bias != nullptr) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, p.bias + half * kLanes));
  _mm512_mask_storeu_ps(p.y + static_cast<std::size_t>(row) * p.y_stride + half * kLanes, mask, y);
}

template <int M>
DACHLAST_BF16 void multiply(const PanelProduct& p) {
  __m512 sum[M][2];
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i) sum[i][0] = sum[i][1] = _mm512_setzero_ps();
  const std::byte* w = p.w;
  const std::byte* x = p.x;
  const std::byte* ahead = p.ahead;
  for (int step = 0; step < p.n_steps; ++step) {
    const __m512bh low = weights_at(w), high = weights_at(w + 64);
    _mm_prefetch(reinterpret_cast<const char*>(ahead), _MM_HINT_T1);
    _mm_prefetch(reinterpret_cast<const char*>(ahead + p.ahead_step / 2), _MM_HINT_T1);
#pragma GCC unroll 12
    for (int i = 0; i < M; ++i) {
      const __m512bh activations = pair_of(x + 4 * i);
      sum[i][0] = _mm512_dpbf16_ps(sum[i][0], low, activations);
      sum[i][1] = _mm512_dpbf16_ps(sum[i][1], high, activations);
    }
    w += kStepBytes;
    x += 4 * M;
    ahead += p.ahead_step;
  }
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i) {
    store_columns(p, i, 0, sum[i][0]);
    store_columns(p, i, 1, sum[i][1]);
  }
}

template <std::size_t... I>
constexpr std::array<PanelKernel*, kMostTileRows> by_rows(std::index_sequence<I...>) {
  return {multiply<static_cast<int>(I) + 1>...};
}

constexpr std::array<PanelKernel*, kMostTileRows> kByRows = by_rows(std::make_index_sequence<kMostTileRows>());

/// Writes the steps of one row, `step_bytes` apart.
DACHLAST_BF16 void pack_row(std::span<const float> x, std::byte* steps, std::size_t step_bytes) {
  const int k = static_cast<int>(x.size());
  for (int l = 0; l < k; l += kLanes) {
    const auto mask = k - l >= kLanes ? __mmask16{0xffff} : static_cast<__mmask16>((1U << (k - l)) - 1U);
    const auto rounded = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x.data() + l)));
    alignas(32) std::int32_t pairs[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(pairs), rounded);
    const int n = k - l >= kLanes ? 8 : (k - l + 1) / 2;
    for (int i = 0; i < n; ++i) std::memcpy(steps + static_cast<std::size_t>(l / 2 + i) * step_bytes, &pairs[i], 4);
  }
}

}  // namespace

bool avx512_bf16_supported() {
  return cpu_features().avx512 && cpu_features().avx512_bf16;
}

void packed_linear_bf16(const LinearShape& shape, std::span<const std::byte> packed_x, const PackedMatrix& w,
                        std::span<const float> bias, std::span<float> y, Slice panels) {
  multiply_panels(shape, packed_x, w, bias, y, panels, kByRows);
}

void pack_rows_bf16(const LinearShape& shape, std::span<const float> x, std::span<std::byte> packed, Slice tiles) {
  const RowTiles rows_of(shape);
  assert(packed.size() >= rows_of.bytes());
  for (int tile = tiles.begin; tile < tiles.end; ++tile)
    for (int row = 0; row < rows_of.rows(tile); ++row) {
      const auto first = static_cast<std::size_t>(rows_of.first_row(tile) + row) * shape.k;
      pack_row(x.subspan(first, static_cast<std::size_t>(shape.k)),
               packed.data() + rows_of.steps(tile) + static_cast<std::size_t>(row) * 4,
               static_cast<std::size_t>(rows_of.rows(tile)) * 4);
    }
}

}  // namespace dachlast::kernels::cpu

#else

namespace dachlast::kernels::cpu {

bool avx512_bf16_supported() {
  return false;
}
void packed_linear_bf16(const LinearShape& shape, std::span<const std::byte> packed_x, const PackedMatrix& w,
                        std::span<const float> bias, std::span<float> y, Slice panels) {
  packed_linear_reference(shape, packed_x, w, bias, y, panels);
}
void pack_rows_bf16(const LinearShape& shape, std::span<const float> x, std::span<std::byte> packed, Slice tiles) {
  pack_rows_reference(shape, x, packed, tiles);
}

}  // namespace dachlast::kernels::cpu

#endif  // __x86_64__
