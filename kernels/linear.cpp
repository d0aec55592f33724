#include "kernels/linear.h"

#include "kernels/cpu/linear_cpu.h"

namespace dachlast::kernels {
namespace {

bool suits_any(const LinearShape&) {
  return true;
}

constexpr LinearVariant kVariants[] = {
    {{.name = "reference", .run = cpu::linear_reference, .supported = always_supported}, suits_any},
};

}  // namespace

std::span<const LinearVariant> linear_variants() {
  return kVariants;
}

const LinearVariant& linear_variant_for(const LinearShape& shape, std::string_view forced) {
  for (const LinearVariant& variant : kVariants)
    if (forced.empty() ? variant.supported() && variant.suits(shape) : variant.name == forced) return variant;
  return linear_variants().back();
}

OpCost linear_cost(const LinearShape& s) {
  const double m = s.m, n = s.n, k = s.k;
  return {.flops = Flops{2.0 * m * n * k},
          .weight_bytes = Bytes{n * k * size_of(s.weight_dtype)},
          .activation_bytes = Bytes{m * (k + n) * sizeof(float)}};
}

}  // namespace dachlast::kernels
