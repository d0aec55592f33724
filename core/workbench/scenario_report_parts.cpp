// What a plan's report holds beside memory: predicted speed, and the hardware weighed for the same load.
#include <fmt/core.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/viewmodel/format.h"
#include "core/workbench/scenario_report.h"
#include "core/workbench/speed_curves.h"

namespace dachlast {
namespace {

using viewmodel::CurveOver;
using viewmodel::ReportView;
using viewmodel::ResponsiveFigure;

constexpr figure::Size kCurvesWide{viewmodel::kWideFigure, 300.0};
constexpr figure::Size kCurvesNarrow{viewmodel::kNarrowFigure, 720.0};
constexpr figure::Size kParetoWide{viewmodel::kWideFigure, 460.0};
constexpr figure::Size kParetoNarrow{viewmodel::kNarrowFigure, 420.0};

// The nearest misses are worth reading; hundreds of rows are not.
constexpr std::size_t kMostRejected = 30;

// A list that matters to nobody who reads a report of one device at more than this.
constexpr int kReportDevices = 8;

void no_longer_left_out(ReportView& report, std::string_view section) {
  std::erase_if(report.left_out, [&](const viewmodel::LeftOut& left) { return left.section == section; });
}

void add_curves(ReportView& report, const ScenarioPlan& plan, CurveOver over, const std::string& id,
                const figure::Wording* wording) {
  const viewmodel::SpeedCurves curves = speed_curves_of(plan, over);
  if (!curves.reason.empty()) return;
  report.latency_charts.push_back(ResponsiveFigure{
      viewmodel::speed_curves_figure(curves, figure::for_readers(kCurvesWide, wording), id),
      viewmodel::speed_curves_figure(curves, figure::for_readers(kCurvesNarrow, wording), id + "-narrow"),
      viewmodel::speed_curves_table(curves)});
}

void shorten(viewmodel::Table& rejected) {
  if (rejected.rows.size() <= kMostRejected) return;
  const std::size_t n = rejected.rows.size() - kMostRejected;
  rejected.rows.resize(kMostRejected);
  rejected.notes.push_back(
      fmt::format("{} not listed here; dachlast recommend --show-rejected lists all.",
                  viewmodel::counted(static_cast<std::int64_t>(n), "further one is", "further ones are")));
}

}  // namespace

void add_speed(ReportView& report, ScenarioPlan plan, const figure::Wording* wording) {
  if (!plan.speed) {
    const std::size_t n_told = plan.scenario.assumptions.size();
    predict_speed(plan, {});
    report.assumptions.insert(report.assumptions.end(),
                              plan.scenario.assumptions.begin() + static_cast<std::ptrdiff_t>(n_told),
                              plan.scenario.assumptions.end());
  }
  if (!plan.speed->predicted.speed) {
    no_longer_left_out(report, "Latency and throughput");
    report.left_out.push_back({"Latency and throughput", speed_sentence(*plan.speed)});
    return;
  }
  no_longer_left_out(report, "Latency and throughput");
  report.latency_lines.push_back(speed_sentence(*plan.speed));
  report.latency_tables = {speed_table(*plan.speed), viewmodel::latency_definitions()};
  add_curves(report, plan, CurveOver::kBatch, "speed-over-batch", wording);
  add_curves(report, plan, CurveOver::kContext, "speed-over-context", wording);
}

RecommendRequest options_request(const ScenarioPlan& plan) {
  RecommendRequest request;
  request.model = plan.scenario.request.model;
  request.engine = plan.scenario.request.engine;
  request.limits = plan.scenario.request.limits;
  request.context_tokens = plan.context_tokens;
  request.concurrency = plan.batch_size;
  request.max_devices = std::max(kReportDevices, plan.scenario.request.layout.n_devices());
  return request;
}

void add_options(ReportView& report, const RecommendPage& page, const figure::Wording* wording) {
  viewmodel::ReportOptions options;
  options.lines = {page.view.answer, page.view.rejected_summary};
  options.chart = {
      viewmodel::pareto_figure(page.view.pareto, figure::for_readers(kParetoWide, wording), "pareto"),
      viewmodel::pareto_figure(page.view.pareto, figure::for_readers(kParetoNarrow, wording), "pareto-narrow")};
  options.tables.push_back(viewmodel::options_with_reasons(page.view));
  viewmodel::Table rejected = page.view.rejected;
  shorten(rejected);
  if (!rejected.rows.empty()) options.tables.push_back(std::move(rejected));
  report.options = std::move(options);
  no_longer_left_out(report, "Options");
}

ReportView full_report_view(const ScenarioPlan& plan, viewmodel::CapacityUnits units, const figure::Wording* wording) {
  ReportView report = report_view(plan, units, wording);
  add_speed(report, plan, wording);
  try {
    add_options(report, recommend_page(options_request(plan)), wording);
  } catch (const Error& error) {
    no_longer_left_out(report, "Options");
    report.left_out.push_back({"Options", error.what()});
  }
  return report;
}

}  // namespace dachlast
