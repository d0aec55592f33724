#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/op.h"
#include "core/figure/figure.h"

namespace dachlast::viewmodel {

/// Operations that belong together in a reader's mind; each has one colour in every chart (UX.md §3.1).
enum class OpFamily : std::uint8_t { kAttention, kProjection, kMlp, kNormRope, kHead };

inline constexpr int kOpFamilyCount = static_cast<int>(OpFamily::kHead) + 1;

constexpr std::string_view name_of(OpFamily family) {
  constexpr std::string_view names[] = {"attention", "QKV/O projection", "MLP", "norm/rope", "embedding and head"};
  return names[static_cast<int>(family)];
}

constexpr OpFamily family_of(OpKind op) {
  switch (op) {
    case OpKind::kAttention:
    case OpKind::kKvWrite:
    case OpKind::kIndexScore:
    case OpKind::kConv:
    case OpKind::kScan: return OpFamily::kAttention;
    case OpKind::kQkvProj:
    case OpKind::kOProj:
    case OpKind::kLatentDown:
    case OpKind::kLatentUp:
    case OpKind::kIndexProj:
    case OpKind::kMixerIn:
    case OpKind::kMixerOut: return OpFamily::kProjection;
    case OpKind::kMlpUp:
    case OpKind::kMlpAct:
    case OpKind::kMlpDown:
    case OpKind::kRouter:
    case OpKind::kExpertUp:
    case OpKind::kExpertAct:
    case OpKind::kExpertDown:
    case OpKind::kCombine: return OpFamily::kMlp;
    case OpKind::kNorm:
    case OpKind::kQkNorm:
    case OpKind::kRope:
    case OpKind::kGate:
    case OpKind::kResidual: return OpFamily::kNormRope;
    case OpKind::kEmbed:
    case OpKind::kLmHead:
    case OpKind::kSample: return OpFamily::kHead;
  }
  return OpFamily::kHead;
}

constexpr figure::Role role_of(OpFamily family) {
  return static_cast<figure::Role>(static_cast<int>(figure::Role::kSeries1) + static_cast<int>(family));
}

/// Prefill is a circle, decode a square, everywhere.
constexpr figure::MarkerShape shape_of(Phase phase) {
  return phase == Phase::kPrefill ? figure::MarkerShape::kCircle : figure::MarkerShape::kSquare;
}

}  // namespace dachlast::viewmodel
