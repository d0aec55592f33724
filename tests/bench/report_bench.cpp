// Time to write a report, and its size: dachlast_report_bench. Budgets of UX.md §4: 150 ms for a run of 200 points, 1 MB.
#include <benchmark/benchmark.h>

#include "reports/html.h"
#include "tests/support/sample_run.h"

namespace dachlast::reports {
namespace {

Run run_of(int n_points) {
  Run run = test::sample_run();
  const std::vector<MeasuredPoint> kinds = run.points;
  run.points.clear();
  for (int i = 0; i < n_points; ++i) {
    MeasuredPoint point = kinds[static_cast<std::size_t>(i) % kinds.size()];
    point.batch_size = 1 + i / static_cast<int>(kinds.size());
    run.points.push_back(std::move(point));
  }
  run.planned_points = n_points;
  return run;
}

void write_report(benchmark::State& state, viewmodel::Language language) {
  const Run run = run_of(static_cast<int>(state.range(0)));
  HtmlOptions options;
  options.timestamp = "2026-03-01T15:00:00Z";
  options.language = language;
  std::size_t bytes = 0;
  for (auto _ : state) bytes = run_html(run, options, test::sample_memory()).size();
  state.counters["bytes"] = static_cast<double>(bytes);
}

void english(benchmark::State& state) {
  write_report(state, viewmodel::Language::kEnglish);
}

void german(benchmark::State& state) {
  write_report(state, viewmodel::Language::kGerman);
}

BENCHMARK(english)->Arg(4)->Arg(200)->Unit(benchmark::kMillisecond);
BENCHMARK(german)->Arg(4)->Arg(200)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dachlast::reports
