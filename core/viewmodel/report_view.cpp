#include "core/viewmodel/report_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/viewmodel/cache_growth.h"
#include "core/viewmodel/compare_view.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/memory_chart.h"
#include "core/viewmodel/phase_bars.h"
#include "core/viewmodel/privacy.h"
#include "core/viewmodel/roofline_plot.h"
#include "core/viewmodel/speed_curves.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

constexpr figure::Size kRooflineWide{kWideFigure, 600.0};
constexpr figure::Size kRooflineNarrow{kNarrowFigure, 460.0};
constexpr figure::Size kGrowthWide{kWideFigure, 340.0};
constexpr figure::Size kGrowthNarrow{kNarrowFigure, 300.0};
constexpr figure::Size kCurvesWide{kWideFigure, 300.0};
constexpr figure::Size kCurvesNarrow{kNarrowFigure, 720.0};
constexpr figure::Size kBarWide{kThirdFigure, 300.0};
constexpr figure::Size kBarNarrow{kNarrowFigure, 300.0};

// More bars than this are a wall of stripes; the table below says the same.
constexpr std::size_t kMostBars = 24;

// A table each for more points than this would bury the report; the ones that stand for their phase are kept.
constexpr std::size_t kMostPointTables = 12;

void add_ops(ReportView& report, const RunView& view) {
  report.ops = view.ops;
  if (view.ops.size() <= kMostPointTables) return;
  std::erase_if(report.ops, [](const PointOps& point) { return !point.representative; });
  report.ops_left_out =
      fmt::format("Operations of {} are not listed here; the data in this report hold them.",
                  counted(static_cast<std::int64_t>(view.ops.size() - report.ops.size()), "point", "points"));
}

void add_figures(ReportView& report, const Run& run, const figure::Wording* wording) {
  const RooflinePlot plot = roofline_plot(run);
  report.roofline = {roofline_figure(plot, figure::for_readers(kRooflineWide, wording), "roofline-chart"),
                     roofline_figure(plot, figure::for_readers(kRooflineNarrow, wording), "roofline-chart-narrow")};
  report.roofline_tables = {roofline_table(plot)};
  if (run.points.size() <= kMostBars)
    report.phase_bars = {phase_bars(run, kWideFigure, "bars", wording),
                         phase_bars(run, kNarrowFigure, "bars-narrow", wording)};
}

void add_memory(ReportView& report, const RunView& view, std::span<const MemorySegment> segments,
                const figure::Wording* wording) {
  if (!view.memory_sentence.empty()) report.memory_lines.push_back(view.memory_sentence);
  report.memory = view.memory;
  if (segments.empty()) return;
  MemoryBar bar;
  bar.title = view.title;
  bar.segments.assign(segments.begin(), segments.end());
  report.memory_bar = {memory_bar_figure(bar, figure::for_readers(kBarWide, wording), "memory-bar"),
                       memory_bar_figure(bar, figure::for_readers(kBarNarrow, wording), "memory-bar-narrow")};
}

void add_kv_cache(ReportView& report, const Run& run, const RunView& view, const figure::Wording* wording) {
  if (view.cache_speedup) {
    report.kv_lines.push_back(view.speedup_sentence);
    if (run.uncached->cached_s.size() > 1)
      report.kv_growth = {
          cache_growth_figure(*run.uncached, figure::for_readers(kGrowthWide, wording), "growth"),
          cache_growth_figure(*run.uncached, figure::for_readers(kGrowthNarrow, wording), "growth-narrow")};
    report.kv_tables.push_back(*view.cache_speedup);
  }
  if (view.kv_use) report.kv_tables.push_back(*view.kv_use);
  if (view.kv_traffic) report.kv_tables.push_back(*view.kv_traffic);
  if (view.what_if) {
    report.kv_lines.push_back(view.what_if_sentence);
    report.kv_tables.push_back(*view.what_if);
  }
  if (view.break_even) {
    report.kv_lines.push_back(view.break_even_sentence);
    report.kv_tables.push_back(*view.break_even);
  }
}

/// Speed over batch and context, of runs that measured more than one size.
void add_curves(ReportView& report, const Run& run, const figure::Wording* wording) {
  for (const auto& [over, id] :
       {std::pair(CurveOver::kBatch, "speed-over-batch"), std::pair(CurveOver::kContext, "speed-over-context")}) {
    const SpeedCurves curves = measured_curves(run, over);
    if (curves.measured.empty()) continue;
    report.latency_charts.push_back(
        {speed_curves_figure(curves, figure::for_readers(kCurvesWide, wording), id),
         speed_curves_figure(curves, figure::for_readers(kCurvesNarrow, wording), std::string(id) + "-narrow"),
         speed_curves_table(curves)});
    report.latency_tables.push_back(*report.latency_charts.back().table);
  }
}

void add_latencies(ReportView& report, const RunView& view) {
  if (!view.latencies) return;
  report.latency_lines.push_back(view.serving_sentence);
  report.latency_tables.push_back(*view.latencies);
  report.latency_tables.push_back(latency_definitions());
}

void add_summary(ReportView& report, const RunView& view) {
  report.status = view.completeness == Completeness::kComplete ? ReportStatus::kGood : ReportStatus::kLimited;
  report.status_text = "Measured, " + view.status;
  report.answer = view.answer;
  report.key_figures = view.key_figures;
  report.configuration_line = view.configuration_line;
  report.risk = view.biggest_risk;
  report.recommendation.title = "Where time can be saved";
  for (const Finding& finding : view.findings) report.recommendation.items.push_back(finding.text);
}

void note_left_out(ReportView& report) {
  const auto leave = [&](bool empty, std::string section, std::string reason) {
    if (empty) report.left_out.push_back({std::move(section), std::move(reason)});
  };
  leave(!report.memory && report.memory_lines.empty(), "Memory",
        "The model of this run is not on this computer, so its memory cannot be broken down.");
  leave(!report.roofline, "Roofline", "No point was measured.");
  leave(report.kv_tables.empty(), "KV cache",
        "Nothing was generated without the cache (--compare-uncached), and no requests were served (--serve).");
  leave(report.latency_tables.empty(), "Latency and throughput", "No requests were served (--serve).");
  leave(!report.options, "Options", "A run weighs no configurations; dachlast recommend does.");
  leave(!report.comparison, "Comparison", "No baseline was given (--baseline).");
}

Table inputs_of(const Run& run) {
  TableBuilder table("inputs", "What went in");
  std::vector<std::string> names;
  std::vector<std::string> values;
  const auto add = [&](std::string name, const std::string& value) {
    if (value.empty()) return;
    names.push_back(std::move(name));
    values.push_back(value);
  };
  add("Model", run.model.name);
  add("Hash of the configuration", run.model.config_hash);
  add("Weights", run.model.weights);
  add("Host, as a hash", run.roofs.host_id);
  add("Run", run.id);
  add("Program version", run.program_version);
  table.text({"input", "Input", "", ""}, names);
  table.text({"value", "Value", "", ""}, values);
  return table.build();
}

ReportView run_report(const Run& run, std::span<const MemorySegment> memory, const figure::Wording* wording) {
  const RunView view = run_view(run, memory);
  ReportView report;
  report.title = view.title;
  report.measured_at = run.created_at;
  report.program_version = run.program_version;
  add_summary(report, view);
  report.configuration = view.configuration;
  add_memory(report, view, memory, wording);
  if (!view.ops.empty()) {
    add_figures(report, run, wording);
    report.phases = view.phases;
    add_ops(report, view);
    report.roofline_tables.push_back(view.compute_roofs);
    report.roofline_tables.push_back(view.bandwidth_roofs);
  }
  add_kv_cache(report, run, view, wording);
  add_curves(report, run, wording);
  add_latencies(report, view);
  report.warnings = view.warnings;
  report.assumptions = view.assumptions;
  report.command = run.command;
  report.inputs = inputs_of(run);
  report.generated_text = view.generated_text;
  return report;
}

bool within_noise(const std::vector<Cell>& row, std::size_t verdict_column) {
  return row[verdict_column].text == "within noise";
}

/// The rows of `points` outside the noise; how many lie inside comes as a sentence.
void keep_changes(ReportComparison& comparison, Table points) {
  const auto verdict = std::ranges::find(points.columns, "verdict", &Column::key);
  const auto column = static_cast<std::size_t>(verdict - points.columns.begin());
  const auto n_within =
      std::erase_if(points.rows, [&](const std::vector<Cell>& row) { return within_noise(row, column); });
  comparison.unchanged =
      fmt::format("{} within noise.", counted(static_cast<std::int64_t>(n_within), "point", "points"));
  points.title = "Points outside the noise";
  comparison.changed = std::move(points);
}

ReportStatus status_of(const Comparison& comparison) {
  const auto any = [&](ChangeVerdict verdict) {
    return std::ranges::any_of(comparison.phases, [&](const auto& p) { return p.time.verdict == verdict; });
  };
  if (any(ChangeVerdict::kSlower)) return any(ChangeVerdict::kFaster) ? ReportStatus::kLimited : ReportStatus::kBad;
  const bool open = comparison.phases.empty() || any(ChangeVerdict::kTooFewRepeats);
  return open ? ReportStatus::kLimited : ReportStatus::kGood;
}

std::vector<KeyFigure> change_figures(const Comparison& comparison) {
  std::vector<KeyFigure> figures;
  for (const PhaseChange& phase : comparison.phases) {
    const std::string title = phase_title(phase.phase);
    figures.push_back(
        {title + ", change", format_change(phase.time.change),
         phase.time.noise ? fmt::format("noise ±{}", format_percent(*phase.time.noise)) : "too few repeats",
         Origin::kMeasured});
    figures.push_back({title, format_time(phase.time.other), fmt::format("baseline {}", format_time(phase.time.base)),
                       Origin::kMeasured});
  }
  return figures;
}

}  // namespace

Table latency_definitions() {
  TableBuilder table("definitions", "Definitions");
  table.text({"term", "Term", "", ""}, {"TTFT", "ITL", "TPOT", "Throughput", "p50, p90, p99"});
  table.text({"definition", "Definition", "", ""},
             {"Time from the request to its first token, waiting included.", "Gap between one token and the next.",
              "(end to end − TTFT) ÷ (output tokens − 1); undefined for one token.",
              "Tokens of all requests together over the time they took.",
              "Half, nine tenths and 99 of 100 samples lie at or below it."});
  return table.build();
}

ReportView report_view(const Run& run, std::span<const MemorySegment> memory, const figure::Wording* wording) {
  ReportView report = run_report(without_paths(run), memory, wording);
  note_left_out(report);
  return report;
}

ReportView report_view(const Run& base, const Run& run, const Comparison& comparison,
                       std::span<const MemorySegment> memory, const figure::Wording* wording) {
  const Run shown = without_paths(run);
  ReportView report = run_report(shown, memory, wording);
  CompareView view = compare_view(without_paths(base), shown, comparison);
  report.status = status_of(comparison);
  report.status_text = "Compared with a baseline";
  report.answer = {view.answer};
  report.key_figures = change_figures(comparison);
  ReportComparison part{view.answer, std::move(view.configuration), std::move(view.phases), {},
                        {},          std::move(view.notes)};
  keep_changes(part, std::move(view.points));
  report.comparison = std::move(part);
  note_left_out(report);
  return report;
}

}  // namespace dachlast::viewmodel
