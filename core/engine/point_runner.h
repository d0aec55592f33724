#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "core/base/op.h"
#include "core/engine/engine.h"
#include "core/engine/measure.h"
#include "core/trace/memory_sample.h"
#include "core/trace/op_sums.h"

namespace dachlast {

/// What one point measures.
struct PointRequest {
  Phase phase = Phase::kPrefill;
  int context_tokens = 0;  // in the cache when the step ends
  int depth_tokens = 0;    // prefill: of these, in the cache when the step begins
  KvPolicy kv_policy = KvPolicy::kContiguous;
  StopRule rule;
  trace::SpanSink* observer = nullptr;  // receives the spans of the measured steps, warm-up left out
};

/// One operation kind of a point, layers together.
struct OpSamples {
  OpKind op = OpKind::kEmbed;
  int n_calls = 0;                 // per step
  OpCost cost;                     // per step
  DType arithmetic = DType::kF32;  // of its largest call
  std::vector<double> times_s;     // of each measured step, the sum over the calls
};

struct PointResult {
  Measurement measurement;
  std::vector<OpSamples> ops;  // in the order they run
  OpCost cost;                 // per step
  std::optional<KvTrafficPerStep>
      kv_traffic;  // of the measured steps; of a cache with a second tier, or that recomputes
  /// Median over steps of time inside operations / time of the step; 0 without samples. Of a device: of the step's time there /
  /// on the host, which tells it what to do and waits.
  double busy_share = 0.0;
  /// Before the first measured step and after each; none without an observer, or where the system does not tell.
  std::vector<trace::MemorySample> memory;
};

/// Measures points on one engine: prefill (cache emptied or cut to its depth, the rest of the prompt read), decode (cache filled to one token less
/// than the context by a real prefill, one token decoded, cut off again) and decode without a cache (the whole sequence
/// recomputed for the last token's logits, its operations under phase prefill because that is what runs).
/// The token at a position depends on position and sequence only, so that a cache filled for one point is a prefix of
/// the next one's and only what is missing is read. Which tokens they are changes no time: dense layers compute the
/// same for all.
class PointRunner {
 public:
  /// Takes over the engine's sink and empties its cache; `engine` must outlive the runner.
  explicit PointRunner(Engine& engine);
  ~PointRunner();
  PointRunner(const PointRunner&) = delete;
  PointRunner& operator=(const PointRunner&) = delete;

  /// Errors   throws `Error`: kUsage where context_tokens is not larger than depth_tokens, kDoesNotFit where it exceeds the engine's
  /// capacity.
  PointResult run(const PointRequest& request, std::stop_token stop = {});

 private:
  /// Adds up a step and passes its spans on.
  class Sink : public trace::SpanSink {
   public:
    void add(const trace::Span& span) override;
    trace::OpSums sums;
    trace::SpanSink* observer = nullptr;
  };

  TimedStep step_of(const PointRequest& request, const std::stop_token& stop);
  TimedStep prefill_of(int context, int depth, const std::stop_token& stop);
  std::vector<std::int32_t> ids(int first_position, int n_tokens) const;
  void fill_to(int n_tokens, const std::stop_token& stop);
  void time_operations(const TimedStep& step, const PointRequest& request, const std::stop_token& stop,
                       PointResult& result);
  PointResult sample_point(const TimedStep& step, const PointRequest& request, const std::stop_token& stop);

  Engine& engine_;
  Sink sink_;
};

}  // namespace dachlast
