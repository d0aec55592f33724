#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/memory/memory_model.h"
#include "core/model/kv_spec.h"
#include "core/model/model_source.h"
#include "core/model/what_if.h"
#include "core/roofline/run.h"

namespace dachlast {

/// Longest step of the engine: a longer prompt is read in pieces, so that activations stay bounded. Large enough that
/// weights are read once per 2,048 tokens, far right of any CPU's ridge point.
inline constexpr int kMaxStepTokens = 2048;

/// Tokens of one sequence in a step of served requests: long prompts come in pieces, so that those who wait for their next
/// token wait for a piece at most (chunked prefill, Agrawal et al. 2023, arXiv:2308.16369).
inline constexpr int kServingStepTokens = 256;

/// Generates text with and without the KV cache and compares.
struct UncachedRequest {
  int prompt_tokens = 8;
  int generate = 200;
};

/// Requests served by continuous batching, all there at the start.
struct ServingRequest {
  int n_requests = 16;
  int at_once = 4;          // sequences at once, at most
  int prompt_tokens = 128;  // on average; lengths spread evenly from half to one and a half
  int generate = 32;
  int shared_tokens = 0;  // with which every prompt begins
  int kv_blocks = 0;      // of a paged cache; 0: enough for `at_once` full sequences
};

/// What to measure, as the user said it. Empty lists and options take defaults that the plan states.
struct RunRequest {
  std::string model;
  std::vector<int> contexts;  // tokens; empty: 512, or the model's limit where that is less
  std::vector<int> batches;   // empty: 1
  int depth_tokens = 0;       // of every context, in the cache before prefill reads the rest
  std::vector<Phase> phases{Phase::kPrefill, Phase::kDecode};  // empty: only what else is asked for
  std::optional<WeightType> weights;        // empty: what the checkpoint is published in, f16 widened to f32
  std::optional<KvFormat> kv_format;        // empty: same as the arithmetic of the weights
  KvSpec kv;                                // kind of cache; kNone: decode steps recompute the sequence
  std::optional<int> n_threads;             // empty: one per core
  std::optional<int> repeats;               // empty: until the median is known to 3 %
  std::optional<double> seconds_per_point;  // cap; empty: the protocol's own
  std::uint64_t seed = 42;                  // of random weights
  std::string attention_variant;            // empty: fastest
  std::string prompt;                       // generated from where the model has weights and a tokenizer
  double bound_threshold = 0.6;             // DESIGN.md §5
  bool full_timeline = false;               // keep the spans of every step, not only of the first few
  std::optional<UncachedRequest> uncached;
  WhatIf what_if = {};
  std::filesystem::path scratch = {};  // folder of an offload:file cache; empty: `default_scratch_folder`
  bool break_even = false;             // compare the offloaded cache with recomputing
  std::optional<ServingRequest> serving;
  std::string command;  // line that repeats this run, for the record
};

struct PlannedPoint {
  Phase phase;
  int context_tokens;
  int depth_tokens = 0;
  int batch_size;
  Seconds expected;                       // one step, from roofs; without efficiency, so a lower bound
  std::optional<Seconds> predicted = {};  // by the curves of this computer, where it has been calibrated for them
};

/// A request with everything resolved and checked, before anything is allocated.
struct RunPlan {
  RunRequest request;
  ModelSource source;
  Precision precision;
  HostTopology host;
  DeviceRoofs roofs;
  int n_threads = 1;
  std::vector<int> contexts;
  std::vector<PlannedPoint> points;
  std::vector<MemorySegment> memory;  // peak over the points
  double needed_bytes = 0;
  double available_bytes = 0;
  Seconds expected;  // of the whole run, repeats included
  std::vector<Remark> warnings;
  std::vector<Remark> assumptions;

  bool fits() const { return needed_bytes <= available_bytes; }
};

/// The cache of the engine that runs a request: one that recomputes fills a contiguous one again and again.
KvSpec cache_of(const RunRequest& request);

/// The cache that --kv-break-even holds against the one asked for: it keeps the newest tokens alone.
KvSpec recomputing_cache(const RunRequest& request);

/// Shortest text of --kv-break-even: less leaves nothing to recompute in blocks of 16 behind the newest.
inline constexpr int kLeastBreakEvenTokens = 64;

/// Tokens of the longest prompt and its answer.
int longest_text(const ServingRequest& request);

/// What the engine holds for one point of the plan, and for its served requests.
MemoryScenario memory_scenario(const RunPlan& plan, int context_tokens, int batch_size);
MemoryScenario serving_scenario(const RunPlan& plan);
MemoryScenario recomputing_scenario(const RunPlan& plan);

/// The segments of a scenario, under the what-if of the plan where it has one: weights stay all there.
std::vector<MemorySegment> planned_segments(const ModelSpec& model, const WhatIf& what_if,
                                            const MemoryScenario& scenario);

}  // namespace dachlast
