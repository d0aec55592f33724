#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/planner/step_time.h"

namespace dachlast {

/// What a part of a pass waits for.
enum class Resource : std::uint8_t {
  kWeights,      // read from memory
  kProducts,     // of matrices, whose operands come fast enough
  kCache,        // keys and values read from memory
  kAttention,    // products of attention
  kElementwise,  // norms, positions, activations, sampling
  kMessages,     // between devices
  kHost          // launches, scheduling, gaps: all that is in a pass beside its kernels
};
inline constexpr int kResourceCount = static_cast<int>(Resource::kHost) + 1;

constexpr std::string_view name_of(Resource resource) {
  constexpr std::string_view names[kResourceCount] = {"weights",     "products", "kv_cache", "attention",
                                                      "elementwise", "messages", "host"};
  return names[static_cast<int>(resource)];
}

/// Time of a part of a pass under one law. What is predicted by the same law errs together.
struct TimedPart {
  Resource resource = Resource::kHost;
  std::string law;
  double seconds = 0.0;
  double log_error = 0.0;  // half the width of the 90 % interval of ln(seconds)
};

/// Predicts passes of one model on one device, whatever the device is.
class PassTimer {
 public:
  virtual ~PassTimer() = default;
  /// From start to end of a pass.
  virtual double seconds(const StepLoad& load) const = 0;
  /// Of the longest pipeline stage: what a full pipeline takes a pass.
  virtual double stage_seconds(const StepLoad& load) const = 0;
  /// Adds up to `seconds`.
  virtual std::vector<TimedPart> parts(const StepLoad& load) const = 0;
  /// Groups that serve sequences of their own.
  virtual double groups() const { return 1.0; }
  /// From the arrival of a request to its first pass, and from the first token back to the client.
  virtual double request_seconds() const { return 0.0; }
};

/// Passes by the efficiency curves of operators measured on GPUs.
class CurveTimer : public PassTimer {
 public:
  /// The catalog must outlive this.
  /// Errors   as StepTimer.
  CurveTimer(const TimeScenario& scenario, const EfficiencyCatalog& curves);

  double seconds(const StepLoad& load) const override { return timer_.seconds(load); }
  double stage_seconds(const StepLoad& load) const override { return timer_.stage_seconds(load); }
  std::vector<TimedPart> parts(const StepLoad& load) const override;
  double groups() const override { return timer_.scenario().layout.attention_data_parallel; }
  double request_seconds() const override { return 1e-6 * timer_.scenario().engine.speed.request_us; }

 private:
  Resource resource_of(const CurveSeconds& part, const StepLoad& load) const;

  StepTimer timer_;
  double bandwidth_ = 0.0;
  double weight_bytes_ = 0.0;  // of an element
};

/// A batch of equal requests, all there at the start.
struct Workload {
  double prompt_tokens = 0.0;
  double answer_tokens = 1.0;
  double batch_size = 1.0;
  double known_tokens = 0.0;  // of each prompt, in the cache before it comes
};

/// How long a batch takes, and what of it waits for what.
struct WorkloadTime {
  double ttft_s = 0.0;
  double tpot_s = 0.0;  // 0 for one answer token
  double batch_s = 0.0;
  double batch_size = 1.0;
  std::vector<TimedPart> prefill;  // of the whole batch
  std::vector<TimedPart> decode;   // likewise

  double prefill_s() const { return ttft_s; }
  double decode_s() const { return batch_s - ttft_s; }
  double requests_per_s() const { return batch_size / batch_s; }
};

/// Prompts in passes of at most `step_tokens` tokens, then one token of all sequences a pass, each at the mean length
/// of the cache: what `serving_time` makes of a static batch.
WorkloadTime workload_time(const PassTimer& timer, const Workload& load, double step_tokens);

/// A pass that drafts `n_drafted` tokens costs: every matrix is multiplied by (n_drafted + 1) rows a sequence, the
/// cache is read once.
double verification_seconds(const PassTimer& timer, const StepLoad& decode, double n_drafted);

/// Requests a second more than before, as a share: 0.5 is half as many again.
struct Gain {
  double value = 0.0;
  double low = 0.0;  // 90 % interval
  double high = 0.0;
};

/// (batch_size / batch_s) after over before − 1. A law that has the same share of both times errs alike in both, and
/// its error cancels; of one whose share changes the difference remains:
///   ln(ratio) ± sqrt(Σ over laws of ((share before − share after) · log_error)²)
Gain gain_between(const WorkloadTime& before, const WorkloadTime& after);

/// The interval widened to hold another one; the value stays.
Gain widened(Gain gain, const Gain& other);

}  // namespace dachlast
