#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dachlast::kernels::cpu {

/// An instruction set that SIMD kernels were compiled for.
struct SimdTarget {
  std::string name;  // Highway's: "AVX3" is AVX-512, "SCALAR" plain C++
  std::int64_t bit;
};

/// Those that this CPU supports, the one in use first.
std::vector<SimdTarget> simd_targets();

/// While it lives, SIMD kernels run with `target` instead of the best instruction set: lets a test reach every build.
/// Threads  not while kernels run.
class SimdTargetScope {
 public:
  explicit SimdTargetScope(const SimdTarget& target);
  ~SimdTargetScope();
  SimdTargetScope(const SimdTargetScope&) = delete;
  SimdTargetScope& operator=(const SimdTargetScope&) = delete;
};

}  // namespace dachlast::kernels::cpu
