#include "core/viewmodel/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/nearest_name.h"
#include "core/viewmodel/kv_cache_view.h"

namespace dachlast::viewmodel {
namespace {

constexpr figure::Size kCacheMap{980.0, 420.0};
constexpr figure::Size kCacheBar{980.0, 120.0};

void add(std::vector<NamedChart>& charts, std::string name, const std::optional<ResponsiveFigure>& chart) {
  if (chart) charts.push_back({std::move(name), chart->wide});
}

}  // namespace

std::vector<NamedChart> charts_of(const ReportView& report) {
  std::vector<NamedChart> charts;
  add(charts, "memory", report.memory_bar);
  add(charts, "context", report.memory_context);
  add(charts, "heatmap", report.memory_grid);
  add(charts, "phases", report.phase_bars);
  add(charts, "roofline", report.roofline);
  add(charts, "kv-growth", report.kv_growth);
  for (const ResponsiveFigure& chart : report.latency_charts) charts.push_back({chart.wide.id, chart.wide});
  if (report.options) add(charts, "pareto", report.options->chart);
  return charts;
}

std::vector<NamedChart> cache_charts_of(const Run& run, const figure::Wording* wording) {
  if (!run.serving || run.serving->kv.moments.empty()) return {};
  const KvUsage& kv = run.serving->kv;
  const int moment = fullest_moment(kv);
  return {{"kv", occupancy_figure(kv, moment, figure::for_readers(kCacheMap, wording), "kv")},
          {"kv-history", kv_history_figure(kv, moment, figure::for_readers(kCacheMap, wording), "kv-history")},
          {"kv-waste", waste_figure(kv, figure::for_readers(kCacheBar, wording), "kv-waste")}};
}

const figure::Figure& chart_named(std::span<const NamedChart> charts, const std::string& option,
                                  const std::string& name, const std::string& subject) {
  const auto found = std::ranges::find(charts, name, &NamedChart::name);
  if (found != charts.end()) return found->figure;
  std::vector<std::string> names;
  for (const NamedChart& chart : charts) names.push_back(chart.name);
  const auto nearest = nearest_name(name, names);
  throw Error(ErrorKind::kUsage, fmt::format("{} {}", option, name), fmt::format("{} has no such chart.", subject),
              names.empty() ? "It has none at all: measure it with more points."
                            : fmt::format("{}It has: {}.", nearest ? fmt::format("Did you mean {}? ", *nearest) : "",
                                          fmt::join(names, ", ")));
}

}  // namespace dachlast::viewmodel
