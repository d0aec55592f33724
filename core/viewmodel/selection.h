#pragma once

#include <optional>
#include <span>

#include "core/figure/figure.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// Count, sum, least, median, mean, p95, most and standard deviation of some durations, in one row. Without durations the
/// row has only its count; one alone has no standard deviation.
Table duration_statistics(std::span<const double> seconds);

/// The same of what selected data of a chart amount to; empty where they are not all of one unit.
std::optional<Table> selection_statistics(std::span<const figure::Amount> amounts);

}  // namespace dachlast::viewmodel
