#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/planner/known_load.h"
#include "core/planner/memory_planner.h"
#include "core/planner/served_speed.h"
#include "core/roofline/run.h"

namespace dachlast {

/// A scenario as the user names it: model × device × types × layout under an engine. Empty texts take the default.
struct ScenarioRequest {
  std::string model;    // preset, config.json, folder, .safetensors, .gguf
  std::string device;   // id, name or file; empty: none, amounts without a budget
  std::string weights;  // storage format; default: as published
  std::string cache;    // cache format; default: 16 bits, as the activations
  std::string engine = "vllm";
  std::string kv = {};  // kind of cache, as `run --kv` spells it; of the engine dachlast only
  Layout layout;
  EngineLimits limits;
};

/// What the files hold that a request names.
struct ScenarioSources;

/// A scenario found and ready to be asked; everything but context and batch is settled.
struct Scenario {
  ScenarioRequest request;
  std::shared_ptr<const MemoryPlanner> planner;
  std::shared_ptr<const ScenarioSources> sources;
  bool has_device = false;
  std::vector<Remark> warnings;
  std::vector<Remark> assumptions;

  const ModelSpec& model() const { return planner->scenario().model; }
};

/// Reads model, device and engine of a request. Headers of weight files are read where there are any, and nothing else of them.
/// Errors   throws `Error` for whatever is wrong with the request, naming it.
Scenario find_scenario(const ScenarioRequest& request);

/// What would make a scenario fit that does not.
struct WayToFit {
  std::string text;  // "batch 13", "FP8 KV cache", "TP 2"
};

/// Predicted speed of a plan, or why there is none.
struct ScenarioSpeed {
  ServedLoad load;
  SpeedOrReason predicted;
  std::optional<MeasuredSpeed> measured = {};  // what the prediction was held to
};

/// A scenario at one context and batch.
struct ScenarioPlan {
  Scenario scenario;
  int context_tokens = 0;
  int batch_size = 0;
  DeviceMemory memory;
  std::vector<MemorySegment> segments;
  bool fits = true;
  double fit_probability = 1.0;             // see `fit_probability`
  std::optional<int> max_context;           // at this batch
  std::optional<int> max_batch;             // at this context
  std::vector<WayToFit> ways;               // at most three; empty where it fits
  std::optional<ScenarioSpeed> speed = {};  // where asked for: `predict_speed`
};

/// Errors   throws `Error` (kUsage) where a size is not positive, (kDoesNotFit) where the context is over the model's limit.
ScenarioPlan plan_scenario(const Scenario& scenario, int context_tokens, int batch_size);

/// A grid of contexts and batches.
struct ScenarioSweep {
  Scenario scenario;
  std::vector<int> contexts;
  std::vector<int> batches;
  std::vector<DeviceMemory> cells;  // batches.size() rows of contexts.size()

  const DeviceMemory& at(std::size_t batch, std::size_t context) const {
    return cells[batch * contexts.size() + context];
  }
};

/// Errors   as `plan_scenario`; also (kUsage) for more than 100,000 combinations.
ScenarioSweep sweep_scenario(const Scenario& scenario, std::vector<int> contexts, std::vector<int> batches);

/// Context a plan takes where none is given: the model's limit, at most this.
inline constexpr int kDefaultPlanContext = 8192;

}  // namespace dachlast
