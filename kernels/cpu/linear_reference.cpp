#include <cassert>

#include "kernels/cpu/element.h"
#include "kernels/cpu/linear_cpu.h"

namespace dachlast::kernels::cpu {
namespace {

template <class T>
double dot(const float* x, const T* w, int k) {
  double sum = 0.0;
  for (int l = 0; l < k; ++l) sum += static_cast<double>(x[l]) * widen(w[l]);
  return sum;
}

}  // namespace

void linear_reference(const LinearShape& shape, std::span<const float> x, WeightSpan w, std::span<const float> bias,
                      std::span<float> y, Slice columns) {
  const auto [m, n, k, weight_dtype] = shape;
  assert(0 <= columns.begin && columns.end <= n);
  const auto multiply = [&, n = n, m = m, k = k](auto weights) {
    for (int i = 0; i < m; ++i)
      for (int j = columns.begin; j < columns.end; ++j) {
        const double product = dot(&x[std::size_t(i) * k], &weights[std::size_t(j) * k], k);
        y[std::size_t(i) * n + j] = static_cast<float>(product + (bias.empty() ? 0.0f : bias[j]));
      }
  };
  if (const auto* floats = std::get_if<std::span<const float>>(&w)) return multiply(*floats);
  multiply(std::get<std::span<const BF16>>(w));
}

}  // namespace dachlast::kernels::cpu
