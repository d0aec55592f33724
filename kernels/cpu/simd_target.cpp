#include "kernels/cpu/simd_target.h"

#include <hwy/targets.h>

namespace dachlast::kernels::cpu {
namespace {

void choose_among(std::int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace

std::vector<SimdTarget> simd_targets() {
  std::vector<SimdTarget> targets;
  for (const std::int64_t bit : hwy::SupportedAndGeneratedTargets()) targets.push_back({hwy::TargetName(bit), bit});
  return targets;
}

SimdTargetScope::SimdTargetScope(const SimdTarget& target) {
  choose_among(target.bit);
}

SimdTargetScope::~SimdTargetScope() {
  choose_among(0);
}  // 0: what the CPU supports

}  // namespace dachlast::kernels::cpu
