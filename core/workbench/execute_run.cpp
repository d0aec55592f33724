#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <memory>
#include <random>
#include <utility>

#include "core/base/error.h"
#include "core/base/statistics.h"
#include "core/collect/clock_power.h"
#include "core/collect/gpu_clock_power.h"
#include "core/collect/span_collector.h"
#include "core/engine/bandwidth_watch.h"
#include "core/engine/calibration.h"
#include "core/engine/load_monitor.h"
#include "core/engine/point_runner.h"
#include "core/hardware/process_memory.h"
#include "core/model/weights.h"
#include "core/store/roof_store.h"
#include "core/store/run_file.h"
#include "core/viewmodel/format.h"
#include "core/workbench/break_even.h"
#include "core/workbench/generate.h"
#include "core/workbench/gpu_run.h"
#include "core/workbench/host_speed.h"
#include "core/workbench/measure_what_if.h"
#include "core/workbench/plan_view.h"
#include "core/workbench/serve.h"
#include "core/workbench/workbench.h"
#include "kernels/attention.h"
#include "kernels/packed_linear.h"

namespace dachlast {
namespace {

std::string now_iso() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

/// Sortable by time; the random tail keeps runs of one second apart.
std::string new_run_id() {
  return fmt::format("{:%Y%m%d-%H%M%S}-{:08x}", fmt::gmtime(std::time(nullptr)), std::random_device{}());
}

ModelInfo model_info(const RunPlan& plan, const Weights& weights) {
  const ModelSpec& spec = plan.source.spec;
  return {.name = spec.name,
          .architecture = spec.architecture,
          .n_parameters = parameter_count(spec),
          .weight_bytes = weights.resident_bytes(),
          .config_hash = plan.source.config_hash,
          .weights = weights.description(),
          .random_weights = weights.random(),
          .max_context = spec.max_context};
}

/// A GPU's kernel is chosen step by step.
std::string attention_name(const RunPlan& plan) {
  const std::string& wanted = plan.request.attention_variant;
  if (plan.request.device) return wanted.empty() ? "by step" : wanted;
  return std::string(kernels::attention_variant_for(plan.precision.kv.format, wanted).name);
}

/// A GPU reads plain weights in rows, for the products of cuBLASLt.
WeightStorage weight_storage_of(const RunPlan& plan) {
  return plan.request.device ? WeightStorage(plan.precision.weights) : kernels::weight_storage(plan.precision.weights);
}

Run new_run(const RunPlan& plan, const Weights& weights) {
  Run run;
  run.id = new_run_id();
  run.created_at = now_iso();
  run.program_version = DACHLAST_VERSION;
  run.command = plan.request.command;
  run.model = model_info(plan, weights);
  run.precision = plan.precision;
  run.n_threads = plan.n_threads;
  run.attention_variant = attention_name(plan);
  run.kv = text_of(plan.request.kv);
  if (plan.request.what_if.any()) run.what_if = WhatIfRun{.text = text_of(plan.request.what_if), .points = {}};
  run.host = plan.host;
  run.roofs = plan.roofs;
  run.planned_points = static_cast<int>(plan.points.size());
  run.bound_threshold = plan.request.bound_threshold;
  run.warnings = plan.warnings;
  run.assumptions = plan.assumptions;
  return run;
}

std::unique_ptr<Weights> load_weights(const RunPlan& plan) {
  if (plan.source.weights_path && plan.source.weights_path->extension() == ".gguf")
    throw Error(ErrorKind::kInput, plan.source.weights_path->string(), "GGUF weights cannot be run by this version.",
                "Plan with it, or run the same model from safetensors or a preset.");
  const WeightStorage storage = weight_storage_of(plan);
  if (plan.source.weights_path) return open_weights(plan.source.spec, *plan.source.weights_path, storage);
  return random_weights(plan.source.spec, plan.request.seed, storage);
}

StopRule stop_rule(const RunRequest& request) {
  StopRule rule = request.repeats ? StopRule::exactly(*request.repeats) : StopRule{};
  if (request.seconds_per_point) rule.max_seconds = *request.seconds_per_point;
  return rule;
}

OpMeasurement op_measurement(const OpSamples& op) {
  return {.op = op.op,
          .n_calls = op.n_calls,
          .time = Seconds{op.times_s.empty() ? 0.0 : median(op.times_s)},
          .cost = op.cost,
          .arithmetic = op.arithmetic};
}

MeasuredPoint measured_point(const PlannedPoint& planned, KvPolicy policy, const PointResult& result) {
  MeasuredPoint point{.phase = planned.phase,
                      .context_tokens = planned.context_tokens,
                      .depth_tokens = planned.depth_tokens,
                      .batch_size = planned.batch_size,
                      .kv_policy = policy,
                      .samples_s = result.measurement.samples_s,
                      .ops = {},
                      .cost = result.cost,
                      .predicted_s = planned.predicted ? std::optional(planned.predicted->value) : std::nullopt,
                      .stop_reason = std::string(name_of(result.measurement.reason)),
                      .busy_share = result.busy_share,
                      .kv_traffic = result.kv_traffic,
                      .remarks = {}};
  for (const auto& op : result.ops) point.ops.push_back(op_measurement(op));
  return point;
}

/// Puts the roof probed between the points of this run in the place of the stored one.
void replace_dram_roof(DeviceRoofs& roofs, const BandwidthRoof& probed) {
  const auto same = [&](const BandwidthRoof& roof) {
    return roof.level == probed.level && roof.pattern == probed.pattern && roof.n_threads == probed.n_threads;
  };
  const auto stored = std::find_if(roofs.bandwidths.begin(), roofs.bandwidths.end(), same);
  if (stored == roofs.bandwidths.end())
    roofs.bandwidths.push_back(probed);
  else
    *stored = probed;
}

/// Where K and V of the layers lie that are not in work; the newest engine's word stays.
void note_tier(Run& run, const std::string& tier) {
  if (tier.empty()) return;
  std::erase_if(run.assumptions, [](const Remark& remark) { return remark.code == "kv_tier"; });
  run.assumptions.push_back({"kv_tier", fmt::format("K and V of the layers not in work lie in {}.", tier)});
}

/// Spans that one point may produce: enough for the largest models' steps within the repeat cap, bounded in memory
/// (about 100 MB).
constexpr std::size_t kMaxSpans = 1'000'000;

std::unique_ptr<ClockPowerReader> clock_power_reader(const RunPlan& plan) {
  if (!plan.request.device) return std::make_unique<CpuClockPowerReader>(plan.host.core_ids);
  return std::make_unique<GpuClockPowerReader>(plan.request.device->facts().pci_bus_id);
}

/// Measures the points of one plan, one engine per context and batch.
class PointLoop {
 public:
  /// `program`: what the process held before the weights came.
  PointLoop(const RunPlan& plan, const Weights& weights, JobObserver& observer, std::stop_token stop,
            const std::optional<ProcessMemory>& program)
      : plan_(plan), weights_(weights), observer_(observer), stop_(std::move(stop)), program_(program) {
    if (plan.request.full_timeline) sampler_.emplace(clock_power_reader(plan));
    if (plan.request.device) return;
    watch_.emplace(plan.host, plan.n_threads);
    dram_rate_ = watch_->probe();
    timer_ = run_timer(plan);
  }

  /// Where clock and power are read while points are measured; empty: nobody asked.
  std::optional<trace::ClockPowerSources> clock_power_sources() const {
    return sampler_ ? std::optional(sampler_->sources()) : std::nullopt;
  }

  /// False where it was interrupted before the point had a sample.
  bool measure(const PlannedPoint& planned, Run& run, RunWriter& writer) {
    observer_.began(point_title(planned), static_cast<int>(run.points.size()), run.planned_points);
    PointRunner& runner = runner_for(planned);
    collector_.start();
    LoadMonitor monitor(plan_.host.core_ids);
    if (sampler_) sampler_->start();
    const PointResult result = runner.run(request_for(planned), stop_);
    std::vector<trace::ClockPowerSample> clock_power;
    if (sampler_) clock_power = sampler_->stop();
    const LoadReading load = monitor.finish();
    note_memory(planned, run);
    if (result.measurement.samples_s.empty()) return false;
    MeasuredPoint point = measured_point(planned, policy_of(planned), result);
    if (watch_)
      for (const auto& remark : remarks_of(load)) point.remarks.push_back({remark.code, remark.text});
    if (collector_.n_dropped() > 0)
      point.remarks.push_back({"spans_dropped", fmt::format("{} spans found no room and are not in the timeline.",
                                                            collector_.n_dropped())});
    note_tier(run, tier_);
    if (watch_) {
      const BytesPerSecond before = std::exchange(dram_rate_, watch_->probe());
      replace_dram_roof(run.roofs, watch_->roof());
      predict_at((before + dram_rate_) * 0.5, planned, point);
    }
    writer.update(run);
    writer.add_point(point, collector_.drain(), result.memory, clock_power);
    run.points.push_back(std::move(point));
    observer_.point_finished(run, run.points.back());
    return true;
  }

  /// Keeps the reading of the point that holds most.
  void note_memory(const PlannedPoint& planned, Run& run) const {
    if (plan_.request.device) {
      const MemoryReading reading = memory_on_gpu(plan_, planned);
      if (!run.memory || run.memory->resident_bytes < reading.resident_bytes) run.memory = reading;
      return;
    }
    const auto process = read_process_memory();
    if (!process || !program_) return;
    const MemoryScenario scenario = memory_scenario(plan_, planned.context_tokens, planned.batch_size);
    const double modelled = total_bytes(planned_segments(plan_.source.spec, plan_.request.what_if, scenario)).value +
                            BandwidthWatch::memory_for(plan_.host, plan_.n_threads).value;
    if (!run.memory || run.memory->resident_bytes < process->resident_bytes)
      run.memory = {.modelled_bytes = modelled,
                    .program_bytes = program_->resident_bytes,
                    .resident_bytes = process->resident_bytes};
  }

  /// Said where the probes between the points differ by more than the shared memory of a quiet host does.
  std::optional<Remark> drift_remark() const {
    constexpr double kNotableDrift = 0.85;
    if (!watch_) return std::nullopt;
    const RoofSample rate = watch_->roof().bytes_per_s;
    if (rate.min >= kNotableDrift * rate.max) return std::nullopt;
    return Remark{"bandwidth_drift",
                  fmt::format("DRAM read gave between {} and {} while the run lasted; shares of memory bandwidth "
                              "refer to the most.",
                              viewmodel::format(viewmodel::Measure::kBandwidth, rate.min),
                              viewmodel::format(viewmodel::Measure::kBandwidth, rate.max))};
  }

 private:
  /// By the curves at the rate that DRAM gave around the point: the roof of these minutes goes into the prediction, the
  /// time of the point does not.
  void predict_at(BytesPerSecond dram_rate, const PlannedPoint& planned, MeasuredPoint& point) const {
    if (timer_) point.predicted_s = predicted_time(timer_->at_dram_rate(dram_rate.value), plan_, planned).value;
  }

  KvPolicy policy_of(const PlannedPoint& point) const {
    const KvPolicy layout = plan_.request.kv.layout;
    return layout == KvPolicy::kNone && point.phase == Phase::kPrefill ? KvPolicy::kContiguous : layout;
  }

  static std::string point_title(const PlannedPoint& point) {
    return fmt::format("{}, {} tokens, batch {}", name_of(point.phase), point.context_tokens, point.batch_size);
  }

  PointRequest request_for(const PlannedPoint& point) {
    return {.phase = point.phase,
            .context_tokens = point.context_tokens,
            .depth_tokens = point.depth_tokens,
            .kv_policy = policy_of(point),
            .rule = stop_rule(plan_.request),
            .observer = &collector_};
  }

  /// Keeps the engine while context and batch stay the same, so that decode finds the cache its prefill filled.
  PointRunner& runner_for(const PlannedPoint& point) {
    if (runner_ && point.context_tokens == context_ && point.batch_size == batch_) return *runner_;
    runner_.reset();
    engine_.reset();
    if (plan_.request.device && !uploaded_)
      uploaded_ = plan_.request.device->upload(plan_.source.spec, weights_,
                                               build_op_list(plan_.source.spec, {}, plan_.precision));
    engine_ = std::make_unique<Engine>(plan_.source.spec, weights_,
                                       engine_options(plan_, point.context_tokens, point.batch_size));
    tier_ = engine_->kv_tier_description();
    runner_ = std::make_unique<PointRunner>(*engine_);
    context_ = point.context_tokens;
    batch_ = point.batch_size;
    return *runner_;
  }

  const RunPlan& plan_;
  const Weights& weights_;
  JobObserver& observer_;
  std::stop_token stop_;
  std::optional<ProcessMemory> program_;
  std::optional<BandwidthWatch> watch_;  // of the CPU
  BytesPerSecond dram_rate_;             // when it was probed last
  std::optional<CpuTimer> timer_;
  SpanCollector collector_{kMaxSpans};
  std::optional<ClockPowerSampler> sampler_;       // where a timeline is asked for
  std::shared_ptr<const DeviceWeights> uploaded_;  // stay on the GPU from one engine to the next
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<PointRunner> runner_;
  std::string tier_;  // of the newest engine
  int context_ = 0;
  int batch_ = 0;
};

void refuse_unless_fits(const RunPlan& plan) {
  if (!plan.fits())
    throw Error(ErrorKind::kDoesNotFit, plan.source.spec.name, shortage_text(plan),
                "Ask for a smaller --context or --batch, or for --dtype bf16, int8 or int4.");
}

}  // namespace

EngineOptions engine_options(const RunPlan& plan, int context_tokens, int batch_size) {
  return {.precision = plan.precision,
          .n_threads = plan.n_threads,
          .batch_size = batch_size,
          .capacity_tokens = context_tokens,
          .max_step_tokens = std::min(context_tokens, kMaxStepTokens),
          .logits = LogitsFor::kLastToken,
          .core_ids = plan.host.core_ids,
          .attention_variant = plan.request.attention_variant,
          .linear_variant = {},
          .kv = cache_of(plan.request),
          .kv_tier = {.scratch = plan.request.scratch},
          .what_if = plan.request.what_if,
          .weight_layout = weight_storage_of(plan).layout,
          .device = plan.request.device,
          .host_logits = HostLogits::kNever};
}

Run execute_run(const RunPlan& plan, const RunOutput& output, JobObserver& observer, std::stop_token stop) {
  refuse_unless_fits(plan);
  require_writable_name(output.file, output.if_exists);
  observer.began("Loading weights", 0, static_cast<int>(plan.points.size()));
  const auto program = read_process_memory();
  const auto weights = load_weights(plan);
  Run run = new_run(plan, *weights);
  RunWriter writer = RunWriter::create(output.file, run, output.if_exists,
                                       plan.request.full_timeline ? Timeline::kFull : Timeline::kFirstSteps);
  if (!plan.request.what_if.any()) run.generation = generate(plan, *weights);
  writer.update(run);

  PointLoop loop(plan, *weights, observer, stop, program);
  if (const auto sources = loop.clock_power_sources()) writer.note_sources(*sources);
  for (const auto& point : plan.points)
    if (stop.stop_requested() || !loop.measure(point, run, writer)) break;
  if (plan.request.uncached && !stop.stop_requested()) {
    run.uncached = compare_uncached(plan, *weights, observer, stop);
    writer.update(run);
  }
  if (plan.request.what_if.any()) {
    run.what_if = measure_what_if(plan, run, *weights, observer, stop);
    writer.update(run);
  }
  if (plan.request.break_even && !stop.stop_requested()) {
    run.break_even = measure_break_even(plan, *weights, observer, stop);
    writer.update(run);
  }
  if (plan.request.serving && !stop.stop_requested()) {
    ServedRun served = serve(plan, *weights, observer, stop);
    run.serving = std::move(served.serving);
    note_tier(run, served.kv_tier);
    writer.update(run);
  }
  if (const auto remark = loop.drift_remark()) run.warnings.push_back(*remark);
  writer.update(run);
  run.complete = !stop.stop_requested();
  if (run.complete) writer.finish();
  return run;
}

DeviceRoofs calibrate_host(JobObserver& observer, std::stop_token stop, Seconds budget) {
  constexpr int kProgressSteps = 100;
  CalibrationOptions options;
  options.time_budget = budget;
  options.stop = std::move(stop);
  const Calibration calibration = calibrate(read_host_topology(), options, [&](const CalibrationProgress& progress) {
    observer.began("Measuring roofs: " + progress.what, static_cast<int>(progress.fraction * kProgressSteps),
                   kProgressSteps);
  });
  for (const auto& remark : calibration.remarks) observer.remarked({remark.code, remark.text});
  RoofStore().save(calibration.roofs);
  return calibration.roofs;
}

}  // namespace dachlast
