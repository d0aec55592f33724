#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "core/roofline/run.h"
#include "core/viewmodel/report_view.h"

namespace dachlast::viewmodel {

/// A chart under the name by which `--view` asks for it.
struct NamedChart {
  std::string name;
  figure::Figure figure;
  std::optional<Table> table = std::nullopt;  // that stands beside it
  std::optional<Table> data = std::nullopt;   // to draw it again from, where that takes more than the table
};

/// The charts that a report shows, as wide as on a desk: memory, context, heatmap, phases, roofline, kv-growth,
/// speed-over-batch, speed-over-context, pareto; those there is data for.
std::vector<NamedChart> charts_of(const ReportView& report);
/// The same of a run, with the roofs in the data of the roofline, and those of its cache.
std::vector<NamedChart> charts_of(const Run& run, const ReportView& report, const figure::Wording* wording = nullptr);

/// Those of the cache of requests that were served, at the fullest moment: kv, kv-history, kv-waste.
std::vector<NamedChart> cache_charts_of(const Run& run, const figure::Wording* wording = nullptr);

/// What is in a file of a chart's data: its own, else its table, else what each datum tells on hover.
Table data_of(const NamedChart& chart);

/// Every datum with the facts that it tells on hover, for charts without a table.
Table facts_table(const figure::Figure& figure);

/// The chart of that name.
/// Errors   throws `Error` (kUsage) naming `option`, the name and those that `subject` has.
const NamedChart& chart_named(std::span<const NamedChart> charts, const std::string& option, const std::string& name,
                              const std::string& subject);

}  // namespace dachlast::viewmodel
