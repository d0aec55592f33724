#include "kernels/latent.h"

#include "kernels/cpu/latent_cpu.h"

namespace dachlast::kernels {
namespace {

constexpr Variant<AbsorbQueries> kAbsorb[] = {{"simd", cpu::absorb_queries_simd, always_supported},
                                              {"reference", cpu::absorb_queries_reference, always_supported}};
constexpr Variant<RaiseValues> kRaise[] = {{"simd", cpu::raise_values_simd, always_supported},
                                           {"reference", cpu::raise_values_reference, always_supported}};

}  // namespace

std::span<const Variant<AbsorbQueries>> absorb_queries_variants() {
  return kAbsorb;
}
std::span<const Variant<RaiseValues>> raise_values_variants() {
  return kRaise;
}

OpCost head_linear_cost(const HeadLinearShape& s) {
  const double rows = 1.0 * s.n_tokens * s.n_heads;
  return {.flops = Flops{2.0 * rows * s.n * s.k},
          .weight_bytes = Bytes{s.n_heads * matrix_bytes(s.weight_dtype, s.n, s.k)},
          .activation_bytes = Bytes{rows * (1.0 * s.n + s.k + 2.0 * s.n_copied) * sizeof(float)}};
}

}  // namespace dachlast::kernels
