// Integer weights in plain C++ that g++ vectorizes, once as it is and once with AVX2: for CPUs without AVX-512 VNNI.
#include <array>

#include "core/base/cpu_features.h"
#include "core/base/half.h"
#include "kernels/cpu/packed_linear_cpu.h"

#define DACHLAST_BODY __attribute__((always_inline)) inline

namespace dachlast::kernels::cpu {
namespace {

constexpr int kHalfPanel = kPanelRows / 2;

struct Int8 {
  static constexpr int kStepBytes = 128;
  static DACHLAST_BODY std::int32_t at(const std::uint8_t* w, int row, int column) { return w[row * 4 + column]; }
};

struct Int4 {
  static constexpr int kStepBytes = 64;
  static DACHLAST_BODY std::int32_t at(const std::uint8_t* w, int row, int column) {
    const std::uint8_t both = w[row % kHalfPanel * 4 + column];
    return row < kHalfPanel ? both & 15 : both >> 4;
  }
};

struct RowScales {
  static constexpr int kBytes = kPanelRows * 4;
  static DACHLAST_BODY float at(const std::byte* scales, int row) {
    return reinterpret_cast<const float*>(scales)[row];
  }
};

struct GroupScales {
  static constexpr int kBytes = kPanelRows * 2;
  static DACHLAST_BODY float at(const std::byte* scales, int row) {
    return to_float(reinterpret_cast<const BF16*>(scales)[row]);
  }
};

/// Sums of one group for the 32 rows of a panel and one row of activations, whose steps lie `x_step` bytes apart.
template <class Weights>
DACHLAST_BODY void add_group(const std::byte* w, const std::int8_t* x, std::ptrdiff_t x_step, int n_steps,
                             std::int32_t (&sums)[kPanelRows]) {
  for (int step = 0; step < n_steps; ++step) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(w) + step * Weights::kStepBytes;
    const std::int8_t* quad = x + step * x_step;
    const std::int32_t x0 = quad[0], x1 = quad[1], x2 = quad[2], x3 = quad[3];
    for (int row = 0; row < kPanelRows; ++row)
      sums[row] += Weights::at(bytes, row, 0) * x0 + Weights::at(bytes, row, 1) * x1 + Weights::at(bytes, row, 2) * x2 +
                   Weights::at(bytes, row, 3) * x3;
  }
}

template <class Weights, class Scales>
DACHLAST_BODY void multiply_row(const PanelProduct& p, int row) {
  float totals[kPanelRows] = {};
  const std::byte* w = p.w;
  const auto* x = reinterpret_cast<const std::int8_t*>(p.x) + row * 4;
  const std::int32_t* correction = p.corrections + row;
  const std::ptrdiff_t x_step = p.tile_rows * 4;
  for (int left = p.n_steps; left > 0; left -= p.group_steps) {
    const int n_steps = left < p.group_steps ? left : p.group_steps;
    std::int32_t sums[kPanelRows];
    for (std::int32_t& sum : sums) sum = *correction;
    add_group<Weights>(w + Scales::kBytes, x, x_step, n_steps, sums);
    for (int j = 0; j < kPanelRows; ++j) totals[j] += static_cast<float>(sums[j]) * Scales::at(w, j);
    w += Scales::kBytes + static_cast<std::ptrdiff_t>(n_steps) * Weights::kStepBytes;
    x += n_steps * x_step;
    correction += p.tile_rows;
  }
  float* const y = p.y + static_cast<std::size_t>(row) * p.y_stride;
  for (int j = 0; j < p.n_columns; ++j) y[j] = totals[j] * p.x_scales[row] + (p.bias == nullptr ? 0.0F : p.bias[j]);
}

template <class Weights, class Scales>
void multiply(const PanelProduct& p) {
  for (int row = 0; row < p.tile_rows; ++row) multiply_row<Weights, Scales>(p, row);
}

#if defined(__x86_64__)
template <class Weights, class Scales>
__attribute__((target("avx2,fma"))) void multiply_avx2(const PanelProduct& p) {
  for (int row = 0; row < p.tile_rows; ++row) multiply_row<Weights, Scales>(p, row);
}
#endif

template <class Weights, class Scales>
PanelKernel* kernel() {
#if defined(__x86_64__)
  if (cpu_features().avx2_fma) return multiply_avx2<Weights, Scales>;
#endif
  return multiply<Weights, Scales>;
}

PanelKernel* kernel_for(WeightType weights) {
  if (weights.bits() == 4) return kernel<Int4, GroupScales>();
  return weights.group() == 0 ? kernel<Int8, RowScales>() : kernel<Int8, GroupScales>();
}

}  // namespace

void packed_linear_plain(const LinearShape& shape, std::span<const std::byte> packed_x, const PackedMatrix& w,
                         std::span<const float> bias, std::span<float> y, Slice panels) {
  std::array<PanelKernel*, kMostTileRows> by_rows;
  by_rows.fill(kernel_for(w.type));
  multiply_panels(shape, packed_x, w, bias, y, panels, by_rows);
}

}  // namespace dachlast::kernels::cpu
