#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <sstream>

#include "core/base/error.h"
#include "core/model/model_source.h"
#include "core/store/chrome_trace.h"
#include "core/store/run_file.h"
#include "core/viewmodel/run_view.h"
#include "core/workbench/gpu_run.h"
#include "core/workbench/listed_roofs.h"
#include "core/workbench/recording.h"
#include "core/workbench/workbench.h"

namespace dachlast {

std::filesystem::path default_run_file(const RunPlan& plan) {
  return fmt::format("{}-{:%Y%m%d-%H%M%S}.dachlast", plan.source.spec.name, fmt::gmtime(std::time(nullptr)));
}

OpenedRun open_run(const std::filesystem::path& file) {
  StoredRun stored = read_run(file, Spans::kLeaveOut);
  return {.run = held_against(std::move(stored.run), RoofSource::kMeasured), .skipped = std::move(stored.skipped)};
}

viewmodel::Timeline timeline_of(const std::filesystem::path& file) {
  if (is_recording(file)) return timeline_of(open_recording(file));
  const StoredRun stored = read_run(file);
  std::vector<viewmodel::RecordedPoint> points;
  for (std::size_t i = 0; i < stored.run.points.size(); ++i) {
    const MeasuredPoint& point = stored.run.points[i];
    PointSummary summary;  // for its heading alone: a recorded point need not have samples
    summary.phase = point.phase;
    summary.context_tokens = point.context_tokens;
    summary.depth_tokens = point.depth_tokens;
    summary.batch_size = point.batch_size;
    summary.kv_policy = point.kv_policy;
    points.push_back({.heading = viewmodel::point_heading(summary),
                      .phase = point.phase,
                      .n_steps_measured = stored.timelines[i].n_steps_measured,
                      .spans = stored.timelines[i].spans,
                      .batch_size = point.kv_policy == KvPolicy::kNone ? 0 : point.batch_size,
                      .memory = stored.timelines[i].memory,
                      .clock_power = stored.timelines[i].clock_power});
  }
  viewmodel::Timeline timeline = viewmodel::make_timeline(points);
  timeline.clock_power_sources = stored.clock_power;
  if (measured_on_gpu(stored.run))
    timeline.no_kernels =
        "runs on a GPU time operations as a whole; `dachlast attach -- dachlast run …` records their kernels too.";
  return timeline;
}

std::string chrome_trace_of(const std::filesystem::path& file) {
  std::ostringstream out;
  if (is_recording(file))
    write_chrome_trace(out, read_recording(file, NameRules(data_dir() / "rules")));
  else
    write_chrome_trace(out, read_run(file));
  return std::move(out).str();
}

std::vector<MemorySegment> memory_of(const Run& run) {
  ModelSource source;
  RunRequest request;
  try {
    source = resolve_model(run.model.name);
    request.kv = parse_kv_spec("--kv", run.kv);
    if (run.what_if) request.what_if = parse_what_if("--what-if", run.what_if->text);
  } catch (const Error&) {
    return {};  // the model or its kind of cache is not here: the run stays readable without the breakdown
  }
  if (source.config_hash != run.model.config_hash || run.points.empty()) return {};
  std::vector<MemorySegment> largest;
  for (const auto& point : run.points) {
    auto segments = planned_segments(source.spec, request.what_if,
                                     {.precision = run.precision,
                                      .batch_size = point.batch_size,
                                      .capacity_tokens = point.context_tokens,
                                      .max_step_tokens = std::min(point.context_tokens, kMaxStepTokens),
                                      .logits = LogitsFor::kLastToken,
                                      .n_threads = run.n_threads,
                                      .attention_variant = run.attention_variant,
                                      .kv = cache_of(request)});
    if (total_bytes(segments) > total_bytes(largest)) largest = std::move(segments);
  }
  return largest;
}

}  // namespace dachlast
