#pragma once

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
};

/// The charts that a report shows, as wide as on a desk: memory, context, heatmap, phases, roofline, kv-growth,
/// speed-over-batch, speed-over-context, pareto; those there is data for.
std::vector<NamedChart> charts_of(const ReportView& report);

/// Those of the cache of requests that were served, at the fullest moment: kv, kv-history, kv-waste.
std::vector<NamedChart> cache_charts_of(const Run& run, const figure::Wording* wording = nullptr);

/// The chart of that name.
/// Errors   throws `Error` (kUsage) naming `option`, the name and those that `subject` has.
const figure::Figure& chart_named(std::span<const NamedChart> charts, const std::string& option,
                                  const std::string& name, const std::string& subject);

}  // namespace dachlast::viewmodel
