#include "kernels/linear.h"

#include "kernels/cpu/linear_cpu.h"

namespace dachlast::kernels {
namespace {

bool takes_any(WeightType weights) {
  return weights == DType::kF32 || weights == DType::kBF16;
}
bool takes_f32(WeightType weights) {
  return weights == DType::kF32;
}
bool takes_bf16(WeightType weights) {
  return weights == DType::kBF16;
}

bool suits_any(const LinearShape& shape) {
  return takes_any(shape.weight_dtype);
}
bool suits_f32(const LinearShape& shape) {
  return takes_f32(shape.weight_dtype);
}
bool suits_bf16(const LinearShape& shape) {
  return takes_bf16(shape.weight_dtype);
}
bool suits_few_rows(const LinearShape& shape) {
  return shape.m <= cpu::kGemvRows;
}

constexpr LinearVariant kVariants[] = {
    {{"gemv", cpu::linear_gemv, always_supported, DType::kF32}, suits_few_rows, takes_any},
    {{"onednn", cpu::linear_onednn_f32, always_supported, DType::kF32}, suits_f32, takes_f32, SliceEffect::kLastBits},
    {{"onednn", cpu::linear_onednn_bf16, cpu::onednn_bf16_supported, DType::kBF16},
     suits_bf16,
     takes_bf16,
     SliceEffect::kLastBits},
    {{"onednn_widened", cpu::linear_onednn_widened, always_supported, DType::kF32},
     suits_bf16,
     takes_bf16,
     SliceEffect::kLastBits},
    {{"reference", cpu::linear_reference, always_supported, DType::kF32}, suits_any, takes_any},
};

bool chosen(const LinearVariant& variant, const LinearShape& shape, std::string_view forced) {
  if (!variant.supported()) return false;
  return forced.empty() ? variant.suits(shape) : variant.name == forced && variant.takes(shape.weight_dtype);
}

}  // namespace

std::span<const LinearVariant> linear_variants() {
  return kVariants;
}

const LinearVariant& linear_variant_for(const LinearShape& shape, std::string_view forced) {
  for (const LinearVariant& variant : kVariants)
    if (chosen(variant, shape, forced)) return variant;
  return linear_variants().back();
}

OpCost linear_cost(const LinearShape& s) {
  const double m = s.m, n = s.n, k = s.k;
  return {.flops = Flops{2.0 * m * n * k},
          .weight_bytes = Bytes{matrix_bytes(s.weight_dtype, n, k)},
          .activation_bytes = Bytes{m * (k + n) * sizeof(float)}};
}

}  // namespace dachlast::kernels
