// Few rows of x: the weights are read once and decide the time, so they are streamed in the order they lie in memory.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/linear_gemv.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>

#include "kernels/cpu/linear_cpu.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

/// Running sums that stay in registers beside the vectors they are made from, of 16 registers (AVX2) or 32 (AVX-512).
inline constexpr int kSums = HWY_TARGET == HWY_AVX3 ? 24 : 12;

/// Sums in flight that keep the FMA units busy: 2 a cycle with a latency of 4 cycles.
inline constexpr int kSumsInFlight = 8;

/// How `M` rows of x meet the weight rows. One or two rows of x: one weight row after the other, the sequential stream
/// that DRAM serves fastest, and several sums along it. More: each x vector loaded serves several weight rows, or
/// loading x from L1 would take longer than the weights from DRAM.
template <int M>
struct Blocking {
  static constexpr int kWeightRows = M <= 2 ? 1 : HWY_MIN(4, kSums / M);
  static constexpr int kSumsAlongRow = M <= 2 ? kSumsInFlight / M : 1;
};

/// Adds the products of elements l … l + n − 1 of `M` rows of x and `J` weight rows to the sums `u`; n <= kLanes.
template <int M, int J, int U, class T>
HWY_INLINE void add_products(const float* x, const T* w, int k, int l, int n, int u, FloatVector (&sums)[M][J][U]) {
  const FloatTag d;
  FloatVector weights[J];
  HWY_UNROLL(8)
  for (int j = 0; j < J; ++j) weights[j] = in_register(load_up_to(d, w + std::size_t(j) * k + l, n));
  HWY_UNROLL(8)
  for (int i = 0; i < M; ++i) {
    const FloatVector inputs = in_register(load_up_to(d, x + std::size_t(i) * k + l, n));
    HWY_UNROLL(8)
    for (int j = 0; j < J; ++j) sums[i][j][u] = hn::MulAdd(weights[j], inputs, sums[i][j][u]);
  }
}

/// Fetches the next `J` weight rows in the order they lie in, in the rhythm in which the current ones are read side by
/// side: DRAM serves one sequential stream faster than J interleaved ones (with bfloat16 and 3 rows of x, 24 instead of
/// 16 GB/s on one Zen 5 core).
template <int J, class T>
HWY_INLINE void prefetch_next_rows(const T* w, int k, int l) {
  if constexpr (J > 1) {
    const T* next = w + std::size_t(J) * k + std::size_t(J) * l;
    HWY_UNROLL(8)
    for (int j = 0; j < J; ++j) hwy::Prefetch(next + j * kLanes);
  }
}

/// y[i, j] for `M` rows of x and `J` weight rows, with `U` sums along a row.
template <int M, int J, int U, class T>
HWY_INLINE void dot_products(const float* x, int k, const T* w, float (&y)[M][J]) {
  const FloatTag d;
  FloatVector sums[M][J][U];
  HWY_UNROLL(32)
  for (int s = 0; s < M * J * U; ++s) sums[s / (J * U)][s / U % J][s % U] = hn::Zero(d);
  int l = 0;
  for (; l + U * kLanes <= k; l += U * kLanes) {
    HWY_UNROLL(8)
    for (int u = 0; u < U; ++u) {
      prefetch_next_rows<J>(w, k, l + u * kLanes);
      add_products(x, w, k, l + u * kLanes, kLanes, u, sums);
    }
  }
  for (; l < k; l += kLanes) add_products(x, w, k, l, HWY_MIN(kLanes, k - l), 0, sums);
  HWY_UNROLL(32)
  for (int s = 0; s < M * J; ++s) {
    FloatVector total = sums[s / J][s % J][0];
    HWY_UNROLL(8)
    for (int u = 1; u < U; ++u) total = hn::Add(total, sums[s / J][s % J][u]);
    y[s / J][s % J] = sum_of(d, total);
  }
}

template <int M, int J, class T>
HWY_NOINLINE void block(const LinearShape& s, const float* x, const T* w, const float* bias, float* y, int column) {
  float products[M][J];
  dot_products<M, J, Blocking<M>::kSumsAlongRow>(x, s.k, w + std::size_t(column) * s.k, products);
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < J; ++j)
      y[std::size_t(i) * s.n + column + j] = products[i][j] + (bias ? bias[column + j] : 0.0f);
}

template <int M, class T>
void gemv_rows(const LinearShape& s, const float* x, const T* w, const float* bias, float* y, Slice columns) {
  constexpr int kWeightRows = Blocking<M>::kWeightRows;
  int j = columns.begin;
  for (; j + kWeightRows <= columns.end; j += kWeightRows) block<M, kWeightRows>(s, x, w, bias, y, j);
  for (; j < columns.end; ++j) block<M, 1>(s, x, w, bias, y, j);
}

template <class T>
void gemv(const LinearShape& s, const float* x, const T* w, const float* bias, float* y, Slice columns) {
  static constexpr decltype(&gemv_rows<1, T>) kByRows[] = {gemv_rows<1, T>, gemv_rows<2, T>, gemv_rows<3, T>,
                                                           gemv_rows<4, T>, gemv_rows<5, T>, gemv_rows<6, T>,
                                                           gemv_rows<7, T>, gemv_rows<8, T>};
  for (int i = 0; i < s.m; i += kGemvRows) {
    const int rows = HWY_MIN(kGemvRows, s.m - i);
    kByRows[rows - 1](s, x + static_cast<std::size_t>(i) * s.k, w, bias, y + static_cast<std::size_t>(i) * s.n,
                      columns);
  }
}

void gemv_f32(const LinearShape& s, const float* x, const float* w, const float* bias, float* y, Slice columns) {
  gemv(s, x, w, bias, y, columns);
}
void gemv_bf16(const LinearShape& s, const float* x, const BF16* w, const float* bias, float* y, Slice columns) {
  gemv(s, x, w, bias, y, columns);
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cassert>

namespace dachlast::kernels::cpu {

HWY_EXPORT(gemv_f32);
HWY_EXPORT(gemv_bf16);

void linear_gemv(const LinearShape& shape, std::span<const float> x, WeightSpan w, std::span<const float> bias,
                 std::span<float> y, Slice columns) {
  assert(0 <= columns.begin && columns.end <= shape.n);
  const float* const offsets = bias.empty() ? nullptr : bias.data();
  if (const auto* floats = std::get_if<std::span<const float>>(&w))
    HWY_DYNAMIC_DISPATCH(gemv_f32)(shape, x.data(), floats->data(), offsets, y.data(), columns);
  else
    HWY_DYNAMIC_DISPATCH(gemv_bf16)
  (shape, x.data(), std::get<std::span<const BF16>>(w).data(), offsets, y.data(), columns);
}

}  // namespace dachlast::kernels::cpu
#endif
