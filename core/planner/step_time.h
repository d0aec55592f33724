#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/model/op_list.h"
#include "core/planner/efficiency_catalog.h"
#include "core/planner/engine_profile.h"
#include "core/planner/layout.h"
#include "core/planner/rank_load.h"

namespace dachlast {

/// What one pass of an engine works on: sequences that each get one token, and prompts or pieces of prompts beside them.
struct StepLoad {
  double decode_sequences = 0.0;
  double decode_kv = 0.0;  // tokens each of them holds, on average
  double prefill_sequences = 0.0;
  double prefill_tokens = 0.0;    // new ones, of all of them together
  double prefill_kv = 0.0;        // tokens each holds afterwards
  double finished_prompts = 0.0;  // which yield their first token
};

/// A model on devices under an engine, as far as time is concerned.
struct TimeScenario {
  ModelSpec model;
  WeightFormat weights;
  CacheFormat cache;
  DeviceSpec device;
  Layout layout;
  EngineProfile engine;
  /// Bytes of an element of the matrices, where a file mixes types.
  std::optional<double> weight_bytes = {};
};

/// Time of one kind of operation in a step.
struct OpSeconds {
  OpKind kind = OpKind::kEmbed;
  double seconds = 0.0;
};

/// Time of all calls in a step that one curve stands for.
struct CurveSeconds {
  OpKind kind = OpKind::kEmbed;
  ChosenCurve curve;
  double calls = 0.0;
  double seconds = 0.0;
};

/// Predicts how long one pass takes on the slowest device of each pipeline stage: the sum of its operations by their efficiency
/// curves, the messages between devices, and what the engine's host code adds.
class StepTimer {
 public:
  /// The catalog must outlive this.
  /// Errors   throws `Error`: as `require_shardable` and EfficiencyCatalog::choose.
  StepTimer(const TimeScenario& scenario, const EfficiencyCatalog& curves);

  /// Seconds from start to end of a pass, over all pipeline stages, the host's share included.
  double seconds(const StepLoad& load) const;
  /// Seconds of the longest stage: what a full pipeline takes a pass.
  double stage_seconds(const StepLoad& load) const;
  /// By operation, the longest first; messages under the operation that sends them.
  std::vector<OpSeconds> breakdown(const StepLoad& load) const;
  /// The same sum by kind and curve. In a step with both phases attention stands under its decode curve.
  std::vector<CurveSeconds> by_curve(const StepLoad& load) const;

  /// The furthest origin of any curve in use.
  EfficiencyOrigin origin() const { return origin_; }
  const TimeScenario& scenario() const { return scenario_; }

 private:
  // Work of one layer, in what it needs of a load; `count` layers are alike.
  struct Linear {
    ChosenCurve curve;
    GemmCall call;  // m: rows a token
    enum class Rows { kTokens, kSequences, kRebuilt } rows = Rows::kTokens;
    friend bool operator==(const Linear&, const Linear&) = default;
  };
  struct Attention {
    ChosenCurve decode;
    ChosenCurve prefill;
    DecodeCall decode_call;    // batch and kv_len open
    PrefillCall prefill_call;  // likewise
    double window = 0.0;
    double top_k = 0.0;
    friend bool operator==(const Attention&, const Attention&) = default;
  };
  struct Experts {
    ChosenCurve curve;
    ExpertsCall call;  // rows and touched open
    double n_experts = 0.0;
    double active = 0.0;
    double ranks = 1.0;   // that hold whole experts
    double groups = 1.0;  // whose tokens meet here
    friend bool operator==(const Experts&, const Experts&) = default;
  };
  struct Stream {
    ChosenCurve curve;
    double token_bytes = 0.0;
    double sequence_bytes = 0.0;
    double launches = 1.0;
    friend bool operator==(const Stream&, const Stream&) = default;
  };
  struct Message {
    ChosenCurve curve;
    double token_bytes = 0.0;
    double times = 1.0;
    friend bool operator==(const Message&, const Message&) = default;
  };
  struct Work {
    OpKind kind;
    double count = 1.0;
    std::variant<Linear, Attention, Experts, Stream, Message> what;
  };
  struct Stage {
    std::vector<Work> work;
  };
  class Builder;

  static double work_seconds(const Linear& linear, const StepLoad& load, const DeviceRates& device);
  static double work_seconds(const Attention& attention, const StepLoad& load, const DeviceRates& device);
  static double work_seconds(const Experts& experts, const StepLoad& load, const DeviceRates& device);
  static double work_seconds(const Stream& stream, const StepLoad& load, const DeviceRates& device);
  static double work_seconds(const Message& message, const StepLoad& load, const DeviceRates& device);
  double seconds_of(const Stage& stage, const StepLoad& load) const;
  double host_seconds(const StepLoad& load) const;

  TimeScenario scenario_;
  DeviceRates rates_;
  EfficiencyOrigin origin_ = EfficiencyOrigin::kDevice;
  std::vector<Stage> stages_;
};

}  // namespace dachlast
