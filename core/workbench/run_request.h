#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/memory/memory_model.h"
#include "core/model/model_source.h"
#include "core/roofline/run.h"

namespace dachlast {

/// Longest step of the engine: a longer prompt is read in pieces, so that activations stay bounded. Large enough that
/// weights are read once per 2,048 tokens, far right of any CPU's ridge point.
inline constexpr int kMaxStepTokens = 2048;

/// Generates text with and without the KV cache and compares.
struct UncachedRequest {
  int prompt_tokens = 8;
  int generate = 200;
};

/// What to measure, as the user said it. Empty lists and options take defaults that the plan states.
struct RunRequest {
  std::string model;
  std::vector<int> contexts;          // tokens; empty: 512, or the model's limit where that is less
  std::vector<int> batches;           // empty: 1
  std::vector<Phase> phases;          // empty: both
  std::optional<WeightType> weights;  // empty: what the checkpoint is published in, f16 widened to f32
  std::optional<DType> kv;            // empty: same as the arithmetic of the weights
  KvPolicy kv_policy = KvPolicy::kContiguous;
  std::optional<int> n_threads;             // empty: one per core
  std::optional<int> repeats;               // empty: until the median is known to 3 %
  std::optional<double> seconds_per_point;  // cap; empty: the protocol's own
  std::uint64_t seed = 42;                  // of random weights
  std::string attention_variant;            // empty: fastest
  std::string prompt;                       // generated from where the model has weights and a tokenizer
  double bound_threshold = 0.6;             // DESIGN.md §5
  bool full_timeline = false;               // keep the spans of every step, not only of the first few
  std::optional<UncachedRequest> uncached;
  std::string command;  // line that repeats this run, for the record
};

struct PlannedPoint {
  Phase phase;
  int context_tokens;
  int batch_size;
  Seconds expected;  // one step, from roofs; without efficiency, so a lower bound
};

/// A request with everything resolved and checked, before anything is allocated.
struct RunPlan {
  RunRequest request;
  ModelSource source;
  Precision precision;
  HostTopology host;
  DeviceRoofs roofs;
  int n_threads = 1;
  std::vector<PlannedPoint> points;
  std::vector<MemorySegment> memory;  // peak over the points
  double needed_bytes = 0;
  double available_bytes = 0;
  Seconds expected;  // of the whole run, repeats included
  std::vector<Remark> warnings;
  std::vector<Remark> assumptions;

  bool fits() const { return needed_bytes <= available_bytes; }
};

/// What the engine holds for one point of the plan.
MemoryScenario memory_scenario(const RunPlan& plan, int context_tokens, int batch_size);

}  // namespace dachlast
