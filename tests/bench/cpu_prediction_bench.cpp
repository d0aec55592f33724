// Predictions for this computer from the curves that `calibrate` measures on made-up models, beside what the engine
// takes for models and contexts that were never calibrated on. Into a prediction go the curves and what DRAM gives
// before and after the point, no time of the point. Prints a table in Markdown.
//   dachlast_cpu_prediction_bench [--fresh] [MODEL:DTYPE ...]
// --fresh calibrates first, only the types that are asked for, and stores nothing.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/statistics.h"
#include "core/engine/bandwidth_watch.h"
#include "core/engine/curve_calibration.h"
#include "core/engine/quiet_point.h"
#include "core/model/model_source.h"
#include "core/model/weights.h"
#include "core/planner/cpu_time.h"
#include "core/store/roof_store.h"
#include "kernels/cost.h"
#include "kernels/packed_linear.h"

namespace dachlast {
namespace {

constexpr int kStepTokens = 2048;
constexpr const char* kCases[] = {"stories-260k:f32", "gpt2:f32",          "gpt2:bf16",         "gpt2:int8",
                                  "gpt2:int4",        "smollm2-135m:bf16", "smollm2-135m:int4", "smollm2-360m:int8",
                                  "opt-125m:f32",     "qwen2.5-0.5b:int8", "llama-3.2-1b:bf16", "llama-3.2-1b:int4"};

struct Case {
  Phase phase;
  int context;
  int batch;
};
constexpr Case kPoints[] = {{Phase::kPrefill, 100, 1}, {Phase::kPrefill, 300, 1}, {Phase::kPrefill, 800, 1},
                            {Phase::kDecode, 100, 1},  {Phase::kDecode, 800, 1},  {Phase::kDecode, 300, 4},
                            {Phase::kDecode, 300, 12}};

KvFormat cache_of(WeightType type) {
  return type == DType::kF32 ? KvFormat::kF32 : KvFormat::kBF16;
}

struct Row {
  std::string name;
  double predicted;
  double measured;
  double noise;
  double uncorrected;  // predicted as of the calibration, whatever DRAM gives now
  double dram_rate;    // bytes/s around the point

  double error() const { return predicted / measured - 1.0; }
  double uncorrected_error() const { return uncorrected / measured - 1.0; }
};

class Bench {
 public:
  Bench(const HostTopology& host, BandwidthWatch& watch)
      : host_(host), watch_(watch), n_threads_(static_cast<int>(host.core_ids.size())) {}

  /// Only probes of the types that will be asked for.
  void calibrate_afresh(const std::vector<std::string_view>& cases) {
    std::vector<CurveProbe> probes = curve_probes(host_);
    std::erase_if(probes, [&](const CurveProbe& probe) { return !is_asked_for(probe, cases); });
    curves_.emplace(calibrate_curves(host_, probes, n_threads_));
  }

  /// What `calibrate` stored; it is measured and stored now where it never was.
  void calibrate() {
    const RoofStore store;
    auto stored = store.curves(host_id(), n_threads_);
    if (!stored) {
      const auto start = std::chrono::steady_clock::now();
      stored = calibrate_curves(host_, curve_probes(host_), n_threads_);
      store.save(*stored);
      fmt::print("Calibrated in {:.0f} s.\n",
                 std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    curves_.emplace(*stored);
  }

  void run(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string name(text.substr(0, colon));
    const WeightType type = *weight_type_from_name(text.substr(colon + 1));
    const ModelSource source = resolve_model(name);
    const WeightStorage storage = kernels::weight_storage(type);
    const auto weights = source.weights_path ? open_weights(source.spec, *source.weights_path, storage)
                                             : random_weights(source.spec, 42, storage);
    for (const Case& point : kPoints)
      if (point.context <= source.spec.max_context) measure(source.spec, *weights, std::string(text), type, point);
  }

  const std::vector<Row>& rows() const { return rows_; }
  int n_disturbed() const { return n_disturbed_; }

 private:
  static bool is_asked_for(const CurveProbe& probe, const std::vector<std::string_view>& cases) {
    return std::ranges::any_of(cases, [&](std::string_view text) {
      const WeightType type = *weight_type_from_name(text.substr(text.find(':') + 1));
      return probe.contexts.empty() ? name_of(probe.weights) == name_of(type) : probe.kv == cache_of(type);
    });
  }

  void measure(const ModelSpec& model, const Weights& weights, const std::string& name, WeightType type,
               const Case& point) {
    const Precision precision{.weights = type, .kv = {cache_of(type)}};
    Engine engine(model, weights,
                  {.precision = precision,
                   .n_threads = n_threads_,
                   .batch_size = point.batch,
                   .capacity_tokens = point.context,
                   .max_step_tokens = std::min(point.context, kStepTokens),
                   .logits = LogitsFor::kLastToken,
                   .core_ids = host_.core_ids,
                   .attention_variant = {},
                   .linear_variant = {},
                   .kv = {},
                   .weight_layout = kernels::weight_storage(type).layout});
    const double rate_before = watch_.probe().value;
    const QuietPoint quiet =
        run_quietly(engine, point.phase, point.context, {.seconds = 0.3, .n_attempts = 4}, host_.core_ids);
    if (!quiet.quiet()) {
      ++n_disturbed_;
      return;
    }
    const PointResult& result = quiet.result;
    const double rate = 0.5 * (rate_before + watch_.probe().value);
    const CpuTimer timer(model, engine.options().precision, *curves_);
    const Step step{.phase = point.phase,
                    .batch_size = point.batch,
                    .q_len = point.phase == Phase::kPrefill ? point.context : 1,
                    .kv_len = point.context};
    const std::vector<double>& samples = result.measurement.samples_s;
    const Interval interval = median_interval(samples);
    const double middle = median(samples);
    add({fmt::format("{} | {} | {} | {}", name, name_of(point.phase), point.context, point.batch),
         timer.at_dram_rate(rate).seconds(step), middle, 0.5 * (interval.high - interval.low) / middle,
         timer.seconds(step), rate});
    if (std::getenv("DACHLAST_BENCH_OPS") != nullptr) ops(curves_->at_dram_rate(rate), model, engine, step, result);
  }

  void add(const Row& row) {
    rows_.push_back(row);
    fmt::print("| {} | {:.1f} | {:.3g} | {:.3g} | ±{:.1f} % | {:+.1f} % | {:+.1f} % |\n", row.name,
               1e-9 * row.dram_rate, 1e3 * row.predicted, 1e3 * row.measured, 100.0 * row.noise, 100.0 * row.error(),
               100.0 * row.uncorrected_error());
  }

  /// By operation: what the sum hides.
  static void ops(const CpuCurves& curves, const ModelSpec& model, const Engine& engine, const Step& step,
                  const PointResult& result) {
    const auto list = build_op_list(model, step, engine.options().precision);
    double bytes = 0.0;
    for (const Op& op : list)
      bytes += kernels::op_cost(op.shape).weight_bytes.value + kernels::op_cost(op.shape).kv_read_bytes.value;
    for (const OpSamples& timed : result.ops) {
      double predicted = 0.0;
      for (const Op& op : list)
        if (op.kind == timed.op)
          predicted += curves.estimate(features_of(op, kernels::op_cost(op.shape)), bytes).seconds;
      const double measured = median(timed.times_s);
      fmt::print("    {:<12} predicted {:8.1f} us, measured {:8.1f} us, {:+.1f} % of the step's {:.1f} us\n",
                 name_of(timed.op), 1e6 * predicted, 1e6 * measured, 100.0 * (predicted / measured - 1.0),
                 1e6 * median(result.measurement.samples_s));
    }
  }

  const HostTopology& host_;
  BandwidthWatch& watch_;
  int n_threads_;
  std::optional<CpuCurves> curves_;
  std::vector<Row> rows_;
  int n_disturbed_ = 0;
};

void print_errors(const std::vector<Row>& rows) {
  if (rows.empty()) return;
  std::vector<double> errors;
  std::vector<double> uncorrected;
  for (const Row& row : rows) errors.push_back(std::abs(row.error()));
  for (const Row& row : rows) uncorrected.push_back(std::abs(row.uncorrected_error()));
  fmt::print("\nMedian |error| {:.1f} %, nine in ten within {:.1f} %, {} points.\n", 100.0 * median(errors),
             100.0 * percentile(errors, 90.0), rows.size());
  fmt::print("Without the probes of DRAM beside the points {:.1f} %, nine in ten within {:.1f} %.\n",
             100.0 * median(uncorrected), 100.0 * percentile(uncorrected, 90.0));
}

int run(int argc, char** argv) {
  const HostTopology host = read_host_topology();
  BandwidthWatch watch(host, static_cast<int>(host.core_ids.size()));
  watch.probe();
  std::vector<std::string_view> asked(argv + 1, argv + argc);
  const bool fresh = std::erase(asked, "--fresh") > 0;
  if (asked.empty()) asked.assign(std::begin(kCases), std::end(kCases));
  Bench bench(host, watch);
  if (fresh)
    bench.calibrate_afresh(asked);
  else
    bench.calibrate();
  watch.probe();
  fmt::print(
      "| Model | Phase | Tokens | Batch | DRAM, GB/s | Predicted, ms | Measured, ms | Noise | Error | Without probes "
      "|\n");
  fmt::print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  for (const std::string_view text : asked) bench.run(text);
  print_errors(bench.rows());
  const RoofSample rate = watch.roof().bytes_per_s;
  fmt::print("{} points left out, as other programs ran beside each of four attempts.\n", bench.n_disturbed());
  fmt::print("DRAM read while this ran: {:.1f} to {:.1f} GB/s.\n", 1e-9 * rate.min, 1e-9 * rate.max);
  return 0;
}

}  // namespace
}  // namespace dachlast

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // a table that is cut short is still worth reading
  try {
    return dachlast::run(argc, argv);
  } catch (const dachlast::Error& error) {
    fmt::print(stderr, "{}: {} {}\n", error.subject(), error.reason(), error.way_out());
    return 1;
  }
}
