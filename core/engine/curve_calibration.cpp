#include "core/engine/curve_calibration.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "core/base/error.h"
#include "core/base/statistics.h"
#include "core/engine/bandwidth_watch.h"
#include "core/engine/quiet_point.h"
#include "core/model/random_weights.h"
#include "kernels/cost.h"
#include "kernels/packed_linear.h"

namespace dachlast {
namespace {

constexpr int kShortContext = 64;
constexpr int kStepTokens = 2048;  // as `run` cuts prompts
constexpr std::uint64_t kSeed = 42;

/// Times the points of one probe.
class ProbeTimer {
 public:
  ProbeTimer(const HostTopology& host, const CurveProbe& probe, BandwidthWatch& watch, int n_threads,
             const std::stop_token& stop)
      : host_(host),
        probe_(probe),
        watch_(watch),
        n_threads_(n_threads),
        stop_(stop),
        storage_(kernels::weight_storage(probe.weights)),
        weights_(random_weights(probe.model, kSeed, storage_, n_threads)) {}

  void run(std::vector<OpSample>& samples, std::vector<double>& gaps) {
    rate_before_ = watch_.probe().value;
    for (const int batch : probe_.batches) point(Phase::kDecode, kShortContext, batch, samples, gaps);
    for (const int prompt : probe_.prompts) point(Phase::kPrefill, prompt, 1, samples, gaps);
    for (const int context : probe_.contexts) point(Phase::kDecode, context, probe_.context_batch, samples, gaps);
  }

 private:
  EngineOptions options(int context, int batch) const {
    return {.precision = {.weights = probe_.weights, .kv = {probe_.kv}},
            .n_threads = n_threads_,
            .batch_size = batch,
            .capacity_tokens = context,
            .max_step_tokens = std::min(context, kStepTokens),
            .logits = LogitsFor::kLastToken,
            .core_ids = host_.core_ids,
            .attention_variant = {},
            .linear_variant = {},
            .kv = {},
            .weight_layout = storage_.layout};
  }

  void point(Phase phase, int context, int batch, std::vector<OpSample>& samples, std::vector<double>& gaps) {
    if (stop_.stop_requested())
      throw Error(ErrorKind::kInterrupted, "calibration", "Stopped before all curves were measured; none was stored.");
    Engine engine(probe_.model, *weights_, options(context, batch));
    const PointResult result = run_quietly(engine, phase, context, {}, host_.core_ids, stop_).result;
    if (result.measurement.samples_s.empty()) return;
    const double rate_after = watch_.probe().value;
    const double rate = 0.5 * (rate_before_ + rate_after);
    rate_before_ = rate_after;
    const Step step{
        .phase = phase, .batch_size = batch, .q_len = phase == Phase::kPrefill ? context : 1, .kv_len = context};
    take(build_op_list(probe_.model, step, engine.options().precision), result, rate, samples);
    double n_ops = 0.0;
    for (const OpSamples& op : result.ops) n_ops += op.n_calls;
    gaps.push_back(median(result.measurement.samples_s) * (1.0 - result.busy_share) / n_ops);
  }

  /// One sample a kind: its calls are alike but for the last norm, which sees the last rows only.
  void take(const std::vector<Op>& ops, const PointResult& result, double rate, std::vector<OpSample>& samples) const {
    for (const OpSamples& timed : result.ops) {
      const auto op = std::ranges::find(ops, timed.op, &Op::kind);
      if (op == ops.end() || timed.times_s.empty()) continue;
      samples.push_back(
          {features_of(*op, kernels::op_cost(op->shape)), probe_.level, median(timed.times_s) / timed.n_calls, rate});
    }
  }

  const HostTopology& host_;
  const CurveProbe& probe_;
  BandwidthWatch& watch_;
  int n_threads_;
  const std::stop_token& stop_;
  WeightStorage storage_;
  std::unique_ptr<Weights> weights_;
  double rate_before_ = 0.0;  // of DRAM, in bytes/s
};

std::string title_of(const CurveProbe& probe) {
  return fmt::format("{} weights of width {}, {} cache, in {}", name_of(probe.weights), probe.model.d_model,
                     name_of(probe.kv), name_of(probe.level));
}

}  // namespace

HostCurves calibrate_curves(const HostTopology& host, std::span<const CurveProbe> probes, int n_threads,
                            std::stop_token stop, const std::function<void(const CalibrationProgress&)>& progress) {
  HostCurves curves;
  curves.host_id = host_id();
  curves.n_threads = n_threads;
  curves.last_cache_bytes = last_cache_bytes(host);
  std::vector<double> gaps;
  BandwidthWatch watch(host, n_threads);
  for (std::size_t i = 0; i < probes.size(); ++i) {
    if (progress) progress({static_cast<double>(i) / static_cast<double>(probes.size()), title_of(probes[i])});
    ProbeTimer(host, probes[i], watch, n_threads, stop).run(curves.samples, gaps);
  }
  if (!gaps.empty()) curves.gap_s = median(gaps);
  curves.measured_at = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  return curves;
}

}  // namespace dachlast
