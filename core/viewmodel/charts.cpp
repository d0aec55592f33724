#include "core/viewmodel/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/nearest_name.h"
#include "core/viewmodel/kv_cache_view.h"
#include "core/viewmodel/roofline_plot.h"

namespace dachlast::viewmodel {
namespace {

constexpr figure::Size kCacheMap{980.0, 420.0};
constexpr figure::Size kCacheBar{980.0, 120.0};

void add(std::vector<NamedChart>& charts, std::string name, const std::optional<ResponsiveFigure>& chart,
         std::optional<Table> table = std::nullopt) {
  if (chart) charts.push_back({std::move(name), chart->wide, std::move(table)});
}

std::optional<Table> first_of(const std::vector<Table>& tables) {
  return tables.empty() ? std::nullopt : std::optional(tables.front());
}

std::string on_one_line(std::string facts) {
  for (std::size_t at = 0; (at = facts.find('\n', at)) != std::string::npos;) facts.replace(at, 1, "; ");
  return facts;
}

}  // namespace

std::vector<NamedChart> charts_of(const ReportView& report) {
  std::vector<NamedChart> charts;
  add(charts, "memory", report.memory_bar, report.memory);
  add(charts, "context", report.memory_context);
  add(charts, "heatmap", report.memory_grid);
  add(charts, "phases", report.phase_bars, report.phases);
  add(charts, "roofline", report.roofline, first_of(report.roofline_tables));
  add(charts, "kv-growth", report.kv_growth);
  for (const ResponsiveFigure& chart : report.latency_charts) add(charts, chart.wide.id, chart, chart.table);
  if (report.options) add(charts, "pareto", report.options->chart, first_of(report.options->tables));
  return charts;
}

std::vector<NamedChart> charts_of(const Run& run, const ReportView& report, const figure::Wording* wording) {
  std::vector<NamedChart> charts = charts_of(report);
  const auto roofline = std::ranges::find(charts, "roofline", &NamedChart::name);
  if (roofline != charts.end() && roofline->table) roofline->data = with_roofs(*roofline->table, roofline_plot(run));
  for (NamedChart& chart : cache_charts_of(run, wording)) charts.push_back(std::move(chart));
  return charts;
}

Table facts_table(const figure::Figure& figure) {
  Table table{.id = figure.id, .title = figure.title, .columns = {}, .rows = {}, .notes = {}};
  table.columns = {{"datum", "Datum", "", "", Align::kLeft}, {"facts", "Facts", "", "", Align::kLeft}};
  for (const auto& primitive : figure.primitives)
    if (const auto* hit = std::get_if<figure::HitBox>(&primitive))
      table.rows.push_back({text_cell(hit->datum), text_cell(on_one_line(hit->tooltip))});
  return table;
}

Table data_of(const NamedChart& chart) {
  if (chart.data) return *chart.data;
  return chart.table ? *chart.table : facts_table(chart.figure);
}

std::vector<NamedChart> cache_charts_of(const Run& run, const figure::Wording* wording) {
  if (!run.serving || run.serving->kv.moments.empty()) return {};
  const KvUsage& kv = run.serving->kv;
  const int moment = fullest_moment(kv);
  return {{"kv", occupancy_figure(kv, moment, figure::for_readers(kCacheMap, wording), "kv")},
          {"kv-history", kv_history_figure(kv, moment, figure::for_readers(kCacheMap, wording), "kv-history")},
          {"kv-waste", waste_figure(kv, figure::for_readers(kCacheBar, wording), "kv-waste")}};
}

const NamedChart& chart_named(std::span<const NamedChart> charts, const std::string& option, const std::string& name,
                              const std::string& subject) {
  const auto found = std::ranges::find(charts, name, &NamedChart::name);
  if (found != charts.end()) return *found;
  std::vector<std::string> names;
  for (const NamedChart& chart : charts) names.push_back(chart.name);
  const auto nearest = nearest_name(name, names);
  throw Error(ErrorKind::kUsage, fmt::format("{} {}", option, name), fmt::format("{} has no such chart.", subject),
              names.empty() ? "It has none at all: measure it with more points."
                            : fmt::format("{}It has: {}.", nearest ? fmt::format("Did you mean {}? ", *nearest) : "",
                                          fmt::join(names, ", ")));
}

}  // namespace dachlast::viewmodel
