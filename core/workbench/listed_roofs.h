#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/roofline/run.h"

namespace dachlast {

/// Which roofs figures refer to, where a device has both measured ones and those its maker lists.
enum class RoofSource : std::uint8_t { kMeasured, kListed };

/// DRAM bandwidth and dense peaks that the catalog lists for a device, as roofs of `n_threads` threads; empty where it does not know
/// the device or lists neither. Host processors are measured for the cores they grant, which no data sheet knows: they are never found.
std::optional<DeviceRoofs> listed_roofs(const std::string& device, int n_threads);

/// The run held against the roofs asked for. Roofs of the other source stay in the lists behind them: charts show both, and a
/// level or data type that has none of the first is held against the other.
Run held_against(Run run, RoofSource source);

}  // namespace dachlast
