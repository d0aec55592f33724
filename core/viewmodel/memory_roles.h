#pragma once

#include <string_view>

#include "core/figure/figure.h"

namespace dachlast::viewmodel {

/// The colour of a memory segment, the same in every chart; hatches keep neighbours apart without colour.
struct SegmentLook {
  figure::Role role = figure::Role::kLatency;
  figure::Hatch hatch = figure::Hatch::kNone;
};

constexpr SegmentLook look_of_segment(std::string_view name) {
  using figure::Hatch;
  using figure::Role;
  if (name == "weights") return {Role::kSeries2, Hatch::kNone};
  if (name == "KV cache") return {Role::kSeries1, Hatch::kForward};
  if (name == "activations") return {Role::kSeries3, Hatch::kNone};
  if (name == "workspace") return {Role::kSeries5, Hatch::kBackward};
  if (name == "runtime") return {Role::kSeries4, Hatch::kNone};
  return {Role::kLatency, Hatch::kDots};
}

/// Strong enough to tell apart, light enough for text on it.
inline constexpr double kSegmentOpacity = 0.55;

}  // namespace dachlast::viewmodel
