#pragma once

#include <optional>
#include <string_view>

#include "core/base/dtype.h"
#include "core/base/op.h"
#include "core/hardware/device_roofs.h"
#include "core/roofline/run.h"
#include "core/trace/span.h"

namespace dachlast {

constexpr std::string_view name_of(trace::ZoneKind zone) {
  return zone == trace::ZoneKind::kStep ? "step" : "op";
}

/// The enumerator among `candidates` that is stored under `name`; empty for a name of a newer version.
template <class Enum, std::size_t n>
constexpr std::optional<Enum> enum_from_name(std::string_view name, const Enum (&candidates)[n]) {
  for (const Enum candidate : candidates)
    if (name_of(candidate) == name) return candidate;
  return std::nullopt;
}

inline constexpr Phase kAllPhases[] = {Phase::kPrefill, Phase::kDecode};
inline constexpr trace::ZoneKind kAllZones[] = {trace::ZoneKind::kStep, trace::ZoneKind::kOp};
inline constexpr Origin kAllOrigins[] = {Origin::kMeasured, Origin::kExact, Origin::kEstimated, Origin::kDatasheet};
inline constexpr MemoryLevel kAllLevels[] = {MemoryLevel::kL1, MemoryLevel::kL2, MemoryLevel::kL3, MemoryLevel::kDram};
inline constexpr AccessPattern kAllPatterns[] = {AccessPattern::kRead, AccessPattern::kWrite, AccessPattern::kCopy,
                                                 AccessPattern::kTriad};

}  // namespace dachlast
