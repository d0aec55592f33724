#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/op.h"
#include "core/base/op_cost.h"
#include "core/hardware/device_roofs.h"
#include "core/hardware/host.h"
#include "core/model/kv_traffic.h"
#include "core/model/op_list.h"

namespace dachlast {

/// A remark with a stable code that machines can match ("competing_load", "clock_drift", "random_weights", …).
struct Remark {
  std::string code;
  std::string text;
};

/// One operation kind within one measured step, all layers together.
struct OpMeasurement {
  OpKind op;
  int n_calls = 0;                 // per step
  Seconds time;                    // median over steps of the sum over calls
  OpCost cost;                     // per step, counted by the engine from the shapes it executed
  DType arithmetic = DType::kF32;  // whose compute roof applies
};

/// One (phase, context, batch) of a run.
struct MeasuredPoint {
  Phase phase = Phase::kPrefill;
  int context_tokens = 0;  // in the cache when the step ends
  int depth_tokens = 0;    // prefill: of these, in the cache before it
  int batch_size = 1;
  KvPolicy kv_policy = KvPolicy::kContiguous;
  std::vector<double> samples_s;      // every step, in order
  std::vector<OpMeasurement> ops;     // in op-list order
  OpCost cost;                        // per step
  std::optional<double> predicted_s;  // of a step, by the curves that `calibrate` measured; empty: there were none
  std::string stop_reason;            // "converged" or why sampling ended
  double busy_share = 0.0;            // share of step time inside operations; the rest is the engine between them
  std::optional<KvTrafficPerStep> kv_traffic = {};  // of a cache with a second tier, or that recomputes
  std::vector<Remark> remarks;                      // about this point only
};

struct ModelInfo {
  std::string name;
  std::string architecture;
  double n_parameters = 0;
  double weight_bytes = 0;  // as they lie in memory
  std::string config_hash;  // of the config file's bytes
  std::string weights;      // "model.safetensors" or "random, seed 42"
  bool random_weights = false;
  int max_context = 0;
};

/// A text the model really produced in this run, for the reader to see that it works.
struct Generation {
  std::vector<std::int32_t> prompt_ids;
  std::vector<std::int32_t> generated_ids;
  std::string text;  // empty where the model has no tokenizer
};

/// The same greedy generation twice: with the KV cache, and recomputing the whole sequence for every token.
struct UncachedComparison {
  int prompt_tokens = 0;
  std::vector<double> cached_s;    // time of generated token i, median over repeats; sequence length prompt_tokens + i
  std::vector<double> uncached_s;  // same length and meaning
  int n_repeats = 0;
};

/// One request of a served batch. All requests are there at the start: TTFT holds the time in the queue.
struct ServedRequest {
  int prompt_tokens = 0;
  int hit_tokens = 0;  // of the prompt, found in the cache
  int n_preempted = 0;
  double ttft_s = 0;
  std::vector<double> itl_s;  // one per later token
};

/// Blocks of a request in the cache.
struct KvSequence {
  int request = 0;  // in the order they came
  int n_tokens = 0;
  std::vector<std::int32_t> blocks;

  friend bool operator==(const KvSequence&, const KvSequence&) = default;
};

/// A cache of blocks after one step: what is used, and by whom. Blocks that are named nowhere are free.
struct KvMoment {
  int step = 0;
  double time_s = 0;  // since serving began
  int n_allocated = 0;
  int n_cached = 0;
  std::int64_t held_tokens = 0;
  std::int64_t n_evicted = 0;  // until then
  std::vector<KvSequence> sequences;
  std::vector<std::int32_t> cached;  // no user, content kept

  friend bool operator==(const KvMoment&, const KvMoment&) = default;
};

/// Blocks and token slots of a KV cache at its fullest, and what happened in it.
struct KvUsage {
  int n_blocks = 0;
  int block_size = 0;         // tokens
  double block_bytes = 0;     // of all layers
  double mean_block_use = 0;  // allocated / all, mean over steps
  double mean_token_use = 0;  // slots that hold tokens / all, mean over steps
  int peak_blocks = 0;        // most allocated at once
  // At the fullest step, in tokens.
  std::int64_t held_tokens = 0;
  std::int64_t reserved_tokens = 0;
  std::int64_t internal_fragmentation_tokens = 0;
  std::int64_t saved_tokens = 0;  // by sharing
  // Over the whole run.
  std::int64_t looked_up_tokens = 0;
  std::int64_t hit_tokens = 0;
  std::int64_t n_evicted = 0;
  std::int64_t n_copied = 0;
  std::int64_t n_dropped_tokens = 0;  // let go by a ring
  std::vector<KvMoment> moments;      // every so many steps; none of caches without shared blocks, and of older files
};

/// Requests served by continuous batching.
struct Serving {
  int max_sequences = 0;  // at once
  int step_tokens = 0;    // of one sequence in one step, at most
  int n_steps = 0;
  double seconds = 0;
  std::vector<ServedRequest> requests;  // the finished ones
  KvUsage kv;
  std::optional<KvTrafficPerStep> kv_traffic = {};  // of a cache with a second tier, or that recomputes
};

/// Decode steps at one length of text: with all K and V kept, with the earlier ones fetched, and with them computed anew.
struct KvBreakEvenPoint {
  int context_tokens = 0;
  int recomputed_tokens = 0;
  double kept_s = 0;
  double fetch_predicted_s = 0;
  double fetch_s = 0;
  double recompute_predicted_s = 0;
  double recompute_s = 0;

  friend bool operator==(const KvBreakEvenPoint&, const KvBreakEvenPoint&) = default;
};

/// Offload against recompute: the three factors, what they predict, and what running both gave.
struct KvBreakEven {
  std::string tier;       // "host", "file"
  std::string tier_text;  // "a file of 12 MiB, O_DIRECT"
  int n_layers = 0;
  // Chunk size.
  int chunk_tokens = 0;
  double chunk_bytes = 0;  // of one layer
  // Transfer overhead, measured without computing.
  double per_layer_s = 0;
  double per_chunk_s = 0;
  // Recompute cost.
  double flops_per_token = 0;
  double flops_per_pair = 0;
  double flops_per_s = 0;  // attained by the prefill of `rate_tokens`
  double roof_share = 0;   // of what the roofs allow that prefill
  int rate_tokens = 0;
  std::optional<int> fetch_faster_at = {};            // tokens; empty: recomputing is faster at any length asked about
  std::optional<double> break_even_bytes_per_s = {};  // of a tier, at the longest text
  std::vector<KvBreakEvenPoint> points;

  friend bool operator==(const KvBreakEven&, const KvBreakEven&) = default;
};

/// A measured point under a what-if and as the model is.
struct WhatIfPoint {
  Phase phase = Phase::kPrefill;
  int context_tokens = 0;
  int batch_size = 1;
  double as_is_s = 0;  // medians
  double what_if_s = 0;
  double kv_as_is_bytes = 0;
  double kv_what_if_bytes = 0;

  friend bool operator==(const WhatIfPoint&, const WhatIfPoint&) = default;
};

/// What a change would save that the model was not trained for: times and bytes are measured, the outputs are not the
/// model's.
struct WhatIfRun {
  std::string text;  // as --what-if spells it
  std::vector<WhatIfPoint> points;

  friend bool operator==(const WhatIfRun&, const WhatIfRun&) = default;
};

/// What the process held when it held most, beside what the memory model counts for that point.
struct MemoryReading {
  double modelled_bytes = 0;  // weights, KV cache, activations, workspace, roof probe
  double program_bytes = 0;   // in RAM before the weights came: code and libraries
  double resident_bytes = 0;  // in RAM at that point

  double unaccounted_bytes() const { return resident_bytes - program_bytes - modelled_bytes; }
};

/// One measurement, immutable once complete. Pure data: measured by workbench, kept by store, read by view-models.
struct Run {
  std::string id;          // unique, sortable
  std::string created_at;  // ISO 8601 UTC
  std::string program_version;
  std::string command;  // exact line that repeats it
  ModelInfo model;
  Precision precision;
  int n_threads = 1;
  std::string attention_variant;  // "tiled", "naive", …
  HostTopology host;
  DeviceRoofs roofs;
  int planned_points = 0;
  bool complete = false;
  double bound_threshold = 0.6;  // of DESIGN.md §5
  std::vector<MeasuredPoint> points;
  std::optional<Generation> generation;
  std::optional<UncachedComparison> uncached;
  std::string kv = "contiguous";  // kind of cache, as --kv spells it
  std::optional<Serving> serving;
  std::optional<KvBreakEven> break_even = {};
  std::optional<WhatIfRun> what_if = {};  // all points of the run are measured under it
  std::optional<MemoryReading> memory;
  std::vector<Remark> warnings;
  std::vector<Remark> assumptions;
};

}  // namespace dachlast
