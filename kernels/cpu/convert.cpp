#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/convert.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/convert.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

template <class From, class To>
void convert_elements(const From* source, To* target, std::size_t n) {
  const FloatTag d;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(d, load(d, source + i), target + i);
  const int rest = static_cast<int>(n - i);
  if (rest > 0) store_first(d, load_first(d, source + i, rest), target + i, rest);
}

void narrow_to_bf16(const float* source, BF16* target, std::size_t n) {
  convert_elements(source, target, n);
}
void widen_bf16(const BF16* source, float* target, std::size_t n) {
  convert_elements(source, target, n);
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dachlast::kernels::cpu {

HWY_EXPORT(narrow_to_bf16);
HWY_EXPORT(widen_bf16);

void convert(std::span<const float> source, BF16* target) {
  HWY_DYNAMIC_DISPATCH(narrow_to_bf16)(source.data(), target, source.size());
}

void convert(std::span<const BF16> source, float* target) {
  HWY_DYNAMIC_DISPATCH(widen_bf16)(source.data(), target, source.size());
}

}  // namespace dachlast::kernels::cpu
#endif
