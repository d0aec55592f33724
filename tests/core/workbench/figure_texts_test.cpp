// Texts of charts can be read: no two lie over each other, none is cut, each stands out from what lies below it, in both
// languages and themes and at the widths charts are shown at.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <span>
#include <utility>

#include "core/viewmodel/cache_growth.h"
#include "core/viewmodel/compare_many.h"
#include "core/viewmodel/kv_cache_view.h"
#include "core/viewmodel/localise.h"
#include "core/viewmodel/phase_bars.h"
#include "core/viewmodel/roofline_plot.h"
#include "core/viewmodel/run_memory.h"
#include "core/viewmodel/timeline.h"
#include "core/workbench/plan_page.h"
#include "core/workbench/recommend_page.h"
#include "core/workbench/scenario_view.h"
#include "core/workbench/speed_curves.h"
#include "tests/support/sample_run.h"
#include "tests/support/text_boxes.h"

namespace dachlast {
namespace {

using MeasuredRun = dachlast::Run;  // in a test `Run` is GoogleTest's
using figure::Figure;
using figure::Size;
using testing::IsEmpty;
using viewmodel::Language;
using viewmodel::Words;

constexpr Size kSizes[] = {{1180.0, 560.0}, {730.0, 500.0}, {480.0, 360.0}};  // maximised, 1,280 and 1,024 wide windows
constexpr Size kTelephone{350.0, 420.0};                                      // that reads a report

/// The chart as a reader of the language sees it.
using Chart = std::function<Figure(Size)>;

void expect_apart(const char* what, const Chart& chart, std::span<const Size> sizes = kSizes) {
  for (const Language language : {Language::kEnglish, Language::kGerman})
    for (Size size : sizes) {
      const Words& words = Words::of(language);
      if (language != Language::kEnglish) size.wording = &words;
      const Figure shown = viewmodel::in_language(chart(size), words);
      const auto where = fmt::format("{}, {}, {} wide", what, viewmodel::code_of(language), size.width);
      EXPECT_THAT(test::overlapping_texts(shown), IsEmpty()) << where;
      EXPECT_THAT(test::cut_texts(shown), IsEmpty()) << where;
      EXPECT_THAT(test::pale_texts(shown), IsEmpty()) << where;
    }
}

/// Of charts that reports hold too.
void expect_apart_everywhere(const char* what, const Chart& chart) {
  expect_apart(what, chart);
  expect_apart(what, chart, {&kTelephone, 1});
}

MeasuredRun slower(double factor) {
  MeasuredRun run = test::sample_run();
  for (MeasuredPoint& point : run.points) {
    for (double& sample : point.samples_s) sample *= factor;
    for (OpMeasurement& op : point.ops) op.time = Seconds{op.time.value * factor};
  }
  return run;
}

ScenarioPlan plan_of(const char* model, const char* device, int context, int batch) {
  ScenarioRequest request;
  request.model = model;
  request.device = device;
  request.engine = "vllm";
  return plan_scenario(find_scenario(request), context, batch);
}

KvUsage used_cache() {
  KvUsage kv;
  kv.n_blocks = 8;
  kv.block_size = 4;
  kv.block_bytes = 4096.0;
  kv.peak_blocks = 4;
  kv.held_tokens = 12;
  kv.reserved_tokens = 3;
  kv.internal_fragmentation_tokens = 4;
  const KvMoment moment{3, 0.5, 4, 1, 12, 0, {{0, 10, {0, 1, 2}}, {1, 6, {0, 3}}}, {4}};
  KvMoment later = moment;
  later.time_s = 0.75;
  kv.moments = {moment, later};
  return kv;
}

TEST(FigureTexts, OfARooflineWithItsBaselineLieApart) {
  const MeasuredRun run = test::sample_run();
  viewmodel::RooflinePlot plot = viewmodel::roofline_plot(run, 1.0);
  expect_apart_everywhere("roofline", [&](Size size) { return viewmodel::roofline_figure(plot, size, "r"); });
  viewmodel::add_ghosts(plot, run, slower(1.5));
  expect_apart_everywhere("with ghosts", [&](Size size) { return viewmodel::roofline_figure(plot, size, "r"); });
}

TEST(FigureTexts, OfCrowdedRooflinesLieApart) {
  const MeasuredRun run = test::sample_run();
  viewmodel::RooflinePlot plot = viewmodel::roofline_plot(run, 1.0);
  // A second compute roof just under the band of the first, as FP32 lies below BF16; all points on one spot.
  viewmodel::RooflineRoof second = plot.compute_roofs.front();
  second.value *= 0.54;
  plot.compute_roofs.push_back(second);
  for (auto& point : plot.points) {
    point.intensity = plot.points.front().intensity;
    point.flops_per_s = plot.points.front().flops_per_s;
  }
  viewmodel::add_ghosts(plot, run, slower(1.5));
  expect_apart_everywhere("crowd", [&](Size size) { return viewmodel::roofline_figure(plot, size, "r"); });
}

TEST(FigureTexts, OfARunLieApart) {
  const MeasuredRun run = test::sample_run();
  expect_apart_everywhere("phases",
                          [&](Size size) { return viewmodel::phase_bars(run, size.width, "p", size.wording); });
  expect_apart("growth", [&](Size size) { return viewmodel::cache_growth_figure(*run.uncached, size, "g"); });
  const auto planned = test::sample_memory();
  MeasuredRun read = run;
  read.memory = MemoryReading{.modelled_bytes = 260e6, .program_bytes = 12e6, .resident_bytes = 281e6};
  for (const MeasuredRun* one : {&run, static_cast<const MeasuredRun*>(&read)})
    expect_apart("memory", [&](Size size) {
      return viewmodel::run_memory_bars(*one, planned, {size.width, 126.0, size.wording}, "m");
    });
  const KvUsage kv = used_cache();
  expect_apart("blocks", [&](Size size) { return viewmodel::occupancy_figure(kv, 0, size, "b"); });
  expect_apart("history", [&](Size size) { return viewmodel::kv_history_figure(kv, 1, size, "h"); });
  expect_apart("waste", [&](Size size) { return viewmodel::waste_figure(kv, {size.width, 92.0, size.wording}, "w"); });
}

TEST(FigureTexts, OfAComparisonLieApart) {
  const MeasuredRun base = test::sample_run();
  const MeasuredRun slow = slower(1.5);
  const viewmodel::NamedRun others[] = {{"same", &base}, {"a run with a longer name", &slow}};
  const auto view = viewmodel::compare_many({"base", &base}, others);
  expect_apart("changes", [&](Size size) { return viewmodel::change_figure(view, size, "c"); });
}

/// One decode step of twelve layers, an operation after the other; memory and tokens below, clock and power of one run.
TEST(FigureTexts, OfATimelineLieApart) {
  std::vector<trace::Span> spans;
  const auto add = [&](trace::ZoneKind zone, std::int64_t from, std::int64_t to) -> trace::Span& {
    trace::Span& span = spans.emplace_back();
    span.zone = zone;
    span.phase = Phase::kDecode;
    span.start_ns = from;
    span.end_ns = to;
    return span;
  };
  for (int layer = 0; layer < 12; ++layer)
    for (int op = 0; op < kOpKindCount; ++op) {
      const std::int64_t from = 100'000 * layer + 4'000 * op;
      trace::Span& span = add(trace::ZoneKind::kOp, from, from + 4'000);
      span.op = static_cast<OpKind>(op);
      span.layer = layer;
    }
  add(trace::ZoneKind::kStep, 0, 1'200'000);
  const std::vector<trace::MemorySample> memory{{0, 1e9}, {1'200'000, 2e9}};
  const viewmodel::RecordedPoint point{
      .heading = "Decode", .phase = Phase::kDecode, .spans = spans, .batch_size = 2, .memory = memory};
  const viewmodel::Timeline timeline = viewmodel::make_timeline({&point, 1});
  const std::vector<trace::ClockPowerSample> clock_power{
      {0, 3e9, {}}, {600'000, 3.1e9, 180.0}, {1'200'000, 3e9, 150.0}};
  viewmodel::RecordedPoint clocked = point;
  clocked.clock_power = clock_power;
  const viewmodel::Timeline with_clock = viewmodel::make_timeline({&clocked, 1});
  const viewmodel::TimelineStrip strips[] = {{"after", &with_clock}, {"Baseline before", &timeline}};
  for (const double end : {1.3e6, 1e4})
    expect_apart("timeline", [&](Size size) { return viewmodel::timeline_figure(strips, {0.0, end}, {}, size, "t"); });
}

TEST(FigureTexts, OfAMemoryPlanLieApart) {
  for (const ScenarioPlan& plan : {plan_of("llama-3.1-8b", "h100-sxm", 8192, 1), plan_of("gpt2", "l4", 512, 4),
                                   plan_of("llama-3.1-70b", "h100-sxm", 32768, 8)}) {
    expect_apart("bar", [&](Size size) {
      return viewmodel::memory_bar_figure(memory_bar_of(plan),
                                          {std::max(size.width / 2.5, 250.0), size.height, size.wording}, "b");
    });
    viewmodel::ContextChart chart = context_chart_of(plan);
    expect_apart_everywhere("context", [&](Size size) { return viewmodel::context_chart_figure(chart, size, "c"); });
    for (const int fits_up_to : {chart.contexts.front(), 700, 2000, chart.contexts.back() - 1}) {
      chart.fits_up_to = fits_up_to;
      expect_apart_everywhere("context and limit",
                              [&](Size size) { return viewmodel::context_chart_figure(chart, size, "c"); });
    }
    for (const auto over : {viewmodel::CurveOver::kBatch, viewmodel::CurveOver::kContext}) {
      const viewmodel::SpeedCurves curves = speed_curves_of(plan, over);
      expect_apart_everywhere("curves", [&](Size size) { return viewmodel::speed_curves_figure(curves, size, "s"); });
    }
  }
}

TEST(FigureTexts, OfARecommendationLieApart) {
  RecommendRequest request;
  request.model = "llama-3.1-8b";
  request.context_tokens = 8192;
  request.tpot_limit_s = 0.02;
  request.ttft_limit_s = 1.0;
  RecommendPage page = recommend_page(request);
  using viewmodel::ParetoAxis;
  for (const auto& [x, y] :
       {std::pair{ParetoAxis::kRequestRate, ParetoAxis::kDeviceRate}, std::pair{ParetoAxis::kTtft, ParetoAxis::kTpot},
        std::pair{ParetoAxis::kDevices, ParetoAxis::kCost}}) {
    viewmodel::ParetoChart chart = page.view.pareto;
    chart.x = x;
    chart.y = y;
    expect_apart_everywhere("pareto", [&](Size size) { return viewmodel::pareto_figure(chart, size, "p"); });
  }
}

TEST(FigureTexts, OfAHeatmapLieApart) {
  const Scenario scenario = plan_of("llama-3.1-8b", "h100-sxm", 8192, 1).scenario;
  for (const int side : {8, 64}) {
    const ScenarioSweep sweep = heatmap_sweep(scenario, side, side);
    expect_apart_everywhere("heatmap", [&](Size size) { return sweep_figure(sweep, size); });
  }
}

}  // namespace
}  // namespace dachlast
