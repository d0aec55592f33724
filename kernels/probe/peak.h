#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/variant.h"

// Probes that do nothing but multiply and add in registers: what they reach is the compute roof of their data type.
namespace dachlast::kernels {

/// Runs `n_rounds` rounds over `n_accumulators` independent accumulators, all zero at first. A round makes each of them
///   f32:       acc ← acc · x + y
///   bf16, i8:  acc ← acc + products · x · y      (the dot products the instruction adds in one step)
/// and returns the sum of all accumulators.
/// Numbers  x, y must be exact in the data type (i8: x in 0 … 255, y in −128 … 127). bf16 sums in float, i8 in 32-bit
///          integers that wrap around.
/// Memory   allocates nothing. Errors: none.
using PeakProbe = double(std::int64_t n_rounds, float x, float y);

/// `arithmetic` names the data type of the operands.
struct PeakVariant : Variant<PeakProbe> {
  std::string_view instruction;  // as shown to the user: "AVX-512 FMA"
  int n_accumulators;            // elements, all registers or tiles together
  int products;                  // multiply-adds per accumulator in one round

  /// FLOP, or integer operations, of one round: a multiply-add is two.
  constexpr double ops_per_round() const { return 2.0 * n_accumulators * products; }
};

/// Every build, for each data type the fastest first. f32 ends with "reference", plain C++ that runs anywhere; bf16 and
/// i8 have no such row, because a CPU without instructions for them has no roof for them.
std::span<const PeakVariant> peak_variants();

/// The first supported variant for a data type; nullptr where the CPU has no instructions for it.
const PeakVariant* peak_variant_for(DType arithmetic);

}  // namespace dachlast::kernels
