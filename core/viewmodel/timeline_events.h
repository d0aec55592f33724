#pragma once

#include <string>
#include <string_view>

#include "core/viewmodel/timeline.h"

namespace dachlast::viewmodel {

/// Rows of events, from the outermost to the innermost; levels follow below them.
enum class EventRow : std::uint8_t { kSteps, kLayers, kOps, kKernels };

inline constexpr EventRow kAllEventRows[] = {EventRow::kSteps, EventRow::kLayers, EventRow::kOps, EventRow::kKernels};

/// In datums and machine formats.
constexpr std::string_view key_of(EventRow row) {
  constexpr std::string_view keys[] = {"step", "layer", "op", "kernel"};
  return keys[static_cast<int>(row)];
}

/// Beside the row.
constexpr std::string_view name_of(EventRow row) {
  constexpr std::string_view names[] = {"Phases", "Layers", "Operations", "Kernels"};
  return names[static_cast<int>(row)];
}

const TimelineRow& row_of(const Timeline& timeline, EventRow row);

/// Time of an event as it was recorded: what its row cuts off counts too.
double event_seconds(const Timeline& timeline, EventRow row, int event);

/// "decode", "3", "attention", "flash_fwd_kernel".
std::string event_label(const Timeline& timeline, EventRow row, int event);

/// The datum of an event's hit box: "op:12"; those of later strips carry their number in front: "1/op:12".
std::string event_datum(std::size_t strip, EventRow row, int event);

}  // namespace dachlast::viewmodel
