#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/base/half.h"
#include "kernels/cpu/simd_target.h"
#include "kernels/variant.h"

// Inputs and comparisons that the kernel tests share.
namespace dachlast::kernels::testing {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr double kEpsilon = std::numeric_limits<float>::epsilon();  // 2^-23

template <class T>
T element(float value);
template <>
inline float element<float>(float value) {
  return value;
}
template <>
inline BF16 element<BF16>(float value) {
  return to_bf16(value);
}

inline double number(float value) {
  return value;
}
inline double number(BF16 value) {
  return to_float(value);
}

/// An array that starts one element off any alignment a vector would like, with a NaN before and behind it: whoever
/// reads one element too many poisons its result.
template <class T>
class Guarded {
 public:
  explicit Guarded(std::size_t n) : storage_(n + 2, element<T>(kNan)) {}

  std::span<T> span() { return {storage_.data() + 1, storage_.size() - 2}; }
  std::span<const T> span() const { return {storage_.data() + 1, storage_.size() - 2}; }
  T& operator[](std::size_t i) { return storage_[i + 1]; }
  const T& operator[](std::size_t i) const { return storage_[i + 1]; }
  std::size_t size() const { return storage_.size() - 2; }

  bool guards_intact() const { return std::isnan(number(storage_.front())) && std::isnan(number(storage_.back())); }

 private:
  std::vector<T> storage_;
};

/// Values in about [-1, 2) whose mean is not 0 and whose size grows along the array: leaving out, repeating or swapping
/// elements changes every sum over them.
template <class T>
Guarded<T> skewed(std::size_t n, std::uint32_t seed) {
  std::mt19937 random(seed);
  Guarded<T> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    const float uniform = static_cast<float>(random()) * 0x1p-31f - 1.0f;  // the same on every standard library
    values[i] = element<T>(uniform + static_cast<float>(i) / static_cast<float>(n));
  }
  return values;
}

/// Calls `test(variant)` for every variant this CPU supports, the SIMD ones once per instruction set.
template <class Variants, class Test>
void for_each_build(const Variants& variants, const Test& test) {
  for (const auto& variant : variants) {
    if (!variant.supported()) continue;
    const bool is_simd = variant.name != "reference" && variant.name != "onednn" && variant.name != "bf16";
    for (const cpu::SimdTarget& target : cpu::simd_targets()) {
      const cpu::SimdTargetScope scope(target);
      SCOPED_TRACE(target.name);
      test(variant);
      if (!is_simd) break;
    }
  }
}

/// The whole range cut into 1, 2, 3, … `n` pieces; some pieces are empty where `n` exceeds the range.
inline std::vector<Slice> cut(int n_units, int n_pieces) {
  std::vector<Slice> slices;
  for (int i = 0; i < n_pieces; ++i) slices.push_back({n_units * i / n_pieces, n_units * (i + 1) / n_pieces});
  return slices;
}

inline bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}
inline bool same_bits(BF16 a, BF16 b) {
  return a.bits == b.bits;
}

/// Index of the first element that differs in any bit, -1 where none does.
template <class T>
int first_difference(const Guarded<T>& a, const Guarded<T>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!same_bits(a[i], b[i])) return static_cast<int>(i);
  return -1;
}

}  // namespace dachlast::kernels::testing
