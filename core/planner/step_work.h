#pragma once

#include <variant>
#include <vector>

#include "core/model/op_list.h"
#include "core/planner/efficiency_catalog.h"
#include "core/planner/time_scenario.h"

// Work of one pass on one device, in what it needs of a load.
namespace dachlast {

/// A product with a weight matrix.
struct LinearWork {
  ChosenCurve curve;
  GemmCall call;  // m: rows a token
  enum class Rows { kTokens, kSequences, kRebuilt } rows = Rows::kTokens;
  friend bool operator==(const LinearWork&, const LinearWork&) = default;
};

struct AttentionWork {
  ChosenCurve decode;
  ChosenCurve prefill;
  DecodeCall decode_call;    // batch and kv_len open
  PrefillCall prefill_call;  // likewise
  double window = 0.0;
  double top_k = 0.0;
  friend bool operator==(const AttentionWork&, const AttentionWork&) = default;
};

struct ExpertsWork {
  ChosenCurve curve;
  ExpertsCall call;  // rows and touched open
  double n_experts = 0.0;
  double active = 0.0;
  double ranks = 1.0;   // that hold whole experts
  double groups = 1.0;  // whose tokens meet here
  friend bool operator==(const ExpertsWork&, const ExpertsWork&) = default;
};

/// An elementwise operation, or several that only their launches make count.
struct StreamWork {
  ChosenCurve curve;
  double token_bytes = 0.0;
  double sequence_bytes = 0.0;
  double launches = 1.0;
  friend bool operator==(const StreamWork&, const StreamWork&) = default;
};

/// A collective.
struct MessageWork {
  ChosenCurve curve;
  double token_bytes = 0.0;
  double times = 1.0;
  friend bool operator==(const MessageWork&, const MessageWork&) = default;
};

using OpWork = std::variant<LinearWork, AttentionWork, ExpertsWork, StreamWork, MessageWork>;

struct StageOp {
  OpKind kind;
  double count = 1.0;  // layers that are alike
  OpWork what;
};

/// One pipeline stage: the work of each of its devices.
struct StepStage {
  std::vector<StageOp> ops;
  double weight_bytes = 0.0;  // of one device
};

struct StepStages {
  std::vector<StepStage> stages;
  EfficiencyOrigin origin = EfficiencyOrigin::kDevice;  // the furthest of any curve in use
};

/// Turns the op list of one token into the work of each stage. The catalog must outlive the result.
/// Errors   throws `Error`: as `require_shardable` and EfficiencyCatalog::choose.
StepStages step_stages(const TimeScenario& scenario, const EfficiencyCatalog& curves);

/// Seconds of one operation under a load.
double work_seconds(const OpWork& work, const StepLoad& load, const DeviceRates& device);

/// Bytes of the cache that an operation reads or writes under a load; 0 but for attention.
double cache_bytes(const OpWork& work, const StepLoad& load);

/// Rows that get logits.
double rows_with_logits(const StepLoad& load);

}  // namespace dachlast
