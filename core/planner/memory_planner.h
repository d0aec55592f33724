#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/memory/memory_model.h"
#include "core/planner/kv_demand.h"
#include "core/planner/llamacpp_layout.h"
#include "core/planner/step_memory.h"

namespace dachlast {

/// What the user sets of an engine; what is absent follows from its profile.
struct EngineLimits {
  std::optional<double> memory_fraction;  // of the device, 0 … 1
  std::optional<int> max_num_seqs;
  std::optional<int> max_num_batched_tokens;
  std::optional<int> block_tokens;
};

/// A model on devices under an engine: everything of a plan but context and batch.
struct PlanScenario {
  ModelSpec model;
  WeightFormat weights;
  CacheFormat cache;
  DeviceSpec device;
  Layout layout;
  EngineProfile engine;
  EngineLimits limits;
  /// Bytes of all weights as counted in a file, over the devices as the layout spreads them.
  std::optional<Bytes> counted_weights;
  /// Tensor types of a GGUF file, known or to be made; engines other than llama.cpp count their sum as `counted_weights`.
  std::optional<GgufMix> gguf_types = {};
  /// The tensors of the file itself where it is at hand; else they follow from `gguf_types`.
  std::optional<GgufWeights> gguf_file = {};
  /// Total memory of a device where it is better known than from its data file.
  std::optional<Bytes> capacity = {};
};

/// How the weights are stored, for people: "BF16", "MXFP4 (experts), BF16 for the rest", "Q4_K_M".
std::string weights_title(const PlanScenario& scenario);
/// The same as options spell it: "bf16", "mxfp4", "Q4_K_M".
std::string weights_name(const PlanScenario& scenario);

/// Answers what a scenario holds at any context and batch. All that depends on neither is summed once, so that an answer
/// takes some tens of nanoseconds.
class MemoryPlanner {
 public:
  /// Errors   throws `Error`: as `require_shardable`; kUsage where a limit is not positive; kInput where the device has no
  ///          capacity; kDoesNotFit where the engine's own reserve takes all of it.
  explicit MemoryPlanner(PlanScenario scenario);

  /// Memory of the most loaded device with `batch_size` sequences of `context_tokens`.
  /// Numbers  under llama.cpp its layout is computed anew, which takes about a millisecond.
  DeviceMemory at(int context_tokens, int batch_size) const;
  bool fits(int context_tokens, int batch_size) const { return at(context_tokens, batch_size).total() <= budget_; }

  /// The longest context that fits, a whole block unless it is the model's limit; empty where not one block fits.
  std::optional<int> max_context(int batch_size) const;
  /// The most sequences that fit, at most `kMostSequences`; empty where not one fits.
  std::optional<int> max_batch(int context_tokens) const;
  static constexpr int kMostSequences = 1 << 20;

  /// Tokens the engine reports as room for the cache, for sequences of `max_model_len` tokens: the stage with least decides.
  double kv_tokens(int max_model_len) const;
  /// The same for a room that is known.
  double kv_tokens_in(double room_bytes, int max_model_len) const;
  /// Room the engine leaves for the cache on the fullest device; below zero where the rest alone does not fit.
  double kv_room() const;

  /// Bytes one more token of one sequence takes on one device, in the layers that keep every token.
  double kv_bytes_per_token() const;

  /// What loading the weights takes on the fullest device: their bytes, padding, allocator, position tables.
  double loaded_bytes() const;

  double budget_bytes() const { return budget_; }
  double capacity_bytes() const { return capacity_; }
  double memory_fraction() const { return fraction_; }
  const StepLimits& step_limits() const { return limits_; }
  const PlanScenario& scenario() const { return scenario_; }

  /// What lives at the peak of a step's forward pass; llama.cpp's buffers are placed by rules of its own instead.
  const LivePeak& forward() const { return forward_; }

  /// The lines of the breakdown, with their origin and formula.
  std::vector<MemorySegment> segments(int context_tokens, int batch_size) const;

 private:
  struct Stage {
    double fixed = 0.0;  // all but the cache
    double weights = 0.0;
    double workspace = 0.0;
    double loading = 0.0;  // what loading takes beyond the weights
    KvDemand kv;
  };

  int sequences_per_group(int batch_size) const;
  double cache_bytes(const Stage& stage, int context_tokens, int batch_size) const;
  const Stage& fullest(int context_tokens, int batch_size) const;
  void settle_limits();
  void settle_gguf();
  void settle_budget();
  void settle_stages();

  PlanScenario scenario_;
  StepLimits limits_;
  double fraction_ = 1.0;
  double capacity_ = 0.0;
  double budget_ = 0.0;
  LivePeak forward_;
  double activations_ = 0.0;
  double workspace_ = 0.0;
  double runtime_ = 0.0;
  std::vector<Stage> stages_;
  std::optional<LlamaCppLayout> llamacpp_;
};

}  // namespace dachlast
