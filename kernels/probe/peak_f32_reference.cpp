#include "kernels/probe/peak_cpu.h"

namespace dachlast::kernels {

// The compiler's own vectors of 16 bytes: every target has them or splits them.
using Vector __attribute__((vector_size(kReferenceLanes * sizeof(float)))) = float;

double peak_f32_reference(std::int64_t n_rounds, float x, float y) {
  // Ten accumulators and two operands fit the 16 registers of plain x86-64; multiply and add take 3 to 4 cycles each.
  Vector acc[kReferenceRegisters];
#pragma GCC unroll 10
  for (Vector& a : acc) {
    a = Vector{};
#if defined(__x86_64__)
    asm volatile("" : "+x"(a));  // else equal chains would be merged into one
#elif defined(__aarch64__)
    asm volatile("" : "+w"(a));
#endif
  }
  for (std::int64_t round = 0; round < n_rounds; ++round) {
#pragma GCC unroll 10
    for (Vector& a : acc) a = a * x + y;
  }
  double total = 0.0;
  for (const Vector& a : acc)
    for (int lane = 0; lane < kReferenceLanes; ++lane) total += static_cast<double>(a[lane]);
  return total;
}

}  // namespace dachlast::kernels
