#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/engine/step_runner.h"
#include "core/kv_cache/kv_cache.h"
#include "core/model/kv_spec.h"
#include "core/model/model_spec.h"
#include "core/model/op_list.h"
#include "core/model/weights.h"
#include "core/model/what_if.h"
#include "core/trace/mark.h"

namespace dachlast {

class EngineDevice;

/// Whether logits come back to the host after every step. A row of them is as large as the vocabulary: who wants tokens only
/// leaves them where they are.
enum class HostLogits : std::uint8_t { kEveryStep, kNever };

struct EngineOptions {
  Precision precision;
  int n_threads = 1;
  int batch_size = 1;       // sequences at once, at most
  int capacity_tokens = 0;  // KV cache room per sequence
  int max_step_tokens = 0;  // largest q_len of one step; a longer prefill is cut into steps of this size. 0: no cut
  LogitsFor logits = LogitsFor::kLastToken;  // the most that any prefill will ask for; decides the room for logits
  std::vector<int> core_ids;                 // hardware threads to pin to, see ThreadPool; empty: not pinned
  std::string attention_variant;             // empty: fastest
  std::string linear_variant;                // empty: by shape
  KvSpec kv = {};                            // layout of the cache; its format, where named, is precision.kv.format
  int kv_blocks = 0;                         // of a paged cache; 0: enough for batch_size full sequences
  PrefixSharing sharing = PrefixSharing::kOff;
  KvTierOptions kv_tier = {};
  WhatIf what_if = {};
  WeightLayout weight_layout = WeightLayout::kRows;  // of plain weights; quantized ones lie in panels anyway
  std::shared_ptr<EngineDevice> device = {};         // empty: the CPU
  HostLogits host_logits = HostLogits::kEveryStep;   // of a device

  WeightStorage weight_storage() const {
    return precision.weights.quantized() ? WeightStorage(precision.weights)
                                         : WeightStorage(precision.weights, weight_layout);
  }
};

/// The cache of an engine with these options.
KvCacheOptions cache_options(const EngineOptions& options);

/// Bytes an engine with these options allocates beyond the weights, known before it does.
struct EngineMemory {
  double kv_cache_bytes = 0;
  double activation_bytes = 0;
  double workspace_bytes = 0;  // logits, chosen tokens, packed activations, attention scratch, position and RoPE tables
  double total_bytes() const { return kv_cache_bytes + activation_bytes + workspace_bytes; }
};

/// Errors   as the constructor of `Engine`, before anything is allocated.
EngineMemory engine_memory(const ModelSpec& spec, const EngineOptions& options);

/// New tokens of one sequence in a step that others may take part in.
using SequenceStep = KvAppend;

/// What came of a step. Spans are valid until the next one.
struct StepOutcome {
  int n_missing_blocks = 0;                // 0: done; else nothing happened, for lack of so many blocks
  std::span<const float> logits;           // of each entry's last token, [entries, vocab_size]; empty: on a device
  std::span<const std::int32_t> next_ids;  // greedy choice after each entry's last token

  bool done() const { return n_missing_blocks == 0; }
};

/// Runs a model on the CPU or on a device: walks the op list and calls the kernels, each operation under a `trace::Mark`.
/// Where the cache has a second tier, its failure (see `LayerStage`) can come out of any step; the engine is of no use then.
/// Threads: one caller at a time; work inside is spread over a pool that sleeps when idle. Results do not depend on
/// n_threads.
/// Sequences are run in one of two ways. In lockstep, `prefill` and `decode` give all batch_size of them equally many
/// tokens: what measurements need. One by one, sequences are added, take part in any `step` with any number of tokens,
/// and are removed (continuous batching, Yu et al. 2022, Orca). An engine is used in one way at a time: lockstep makes its
/// sequences on first use and keeps them.
class Engine {
 public:
  /// `model` and `weights` must outlive the engine.
  /// Errors   throws `Error`: kUsage where a size is not positive, capacity exceeds the model's context, a variant is
  ///          unknown or the weights were opened to be kept otherwise; kDevice where this CPU cannot run a variant;
  ///          kDoesNotFit where there is no memory.
  Engine(const ModelSpec& model, const Weights& weights, const EngineOptions& options);
  ~Engine();

  const ModelSpec& model() const;
  const EngineOptions& options() const;

  /// Receives a span for every step and operation; nullptr: nobody listens. A device's spans carry its own times, shifted
  /// to where its step began on the host.
  void set_sink(trace::SpanSink* sink);
  /// Whether a device takes the time of every operation or of steps alone, as it does unless told otherwise. On the CPU every
  /// operation has its span anyway.
  void time_operations(OpTimes times);

  /// Reads `token_ids` [batch_size, q_len] into the cache behind what is there. Returns logits [rows, vocab_size], rows
  /// = batch_size or batch_size · q_len; valid until the next step.
  /// Errors   throws `Error` and changes nothing: kUsage where the ids do not fill the batch or one is not in the
  ///          vocabulary, where more logits are asked for than `options().logits`, or for all tokens of a prefill that
  ///          is cut into steps; kDoesNotFit where the cache has no room.
  std::span<const float> prefill(std::span<const std::int32_t> token_ids, LogitsFor logits = LogitsFor::kLastToken);

  /// One token per sequence; returns logits [batch_size, vocab_size].
  /// Errors   as `prefill`.
  std::span<const float> decode(std::span<const std::int32_t> token_ids);

  /// Greedy choice made by the last step, [batch_size].
  std::span<const std::int32_t> next_ids() const;

  /// Tokens of each lockstep sequence.
  int position() const;
  /// Forgets the tokens behind the first `n_tokens`.
  /// Errors   throws `Error` (kUsage) unless 0 <= `n_tokens` <= position(); also as `KvCache::truncate`.
  void truncate(int n_tokens);
  void reset() { truncate(0); }

  /// A sequence without tokens; see `KvCache` for what is expected of it and for errors.
  SequenceId add_sequence(int expected_tokens = 0);
  SequenceId fork_sequence(SequenceId parent);
  void remove_sequence(SequenceId id);
  /// Gives an empty sequence what is known of this prompt but for its last token, which must be run for its logits; returns
  /// how many tokens need not be run.
  int adopt_prefix(SequenceId id, std::span<const std::int32_t> prompt);
  int sequence_tokens(SequenceId id) const;

  /// Runs the new tokens of some sequences in one pass over the weights. Each sequence comes once, with at most as many
  /// tokens as the largest step allows.
  /// Errors   throws `Error` and changes nothing: kUsage where there is no entry or too many tokens, an id is not in the
  ///          vocabulary, a sequence is unknown or comes twice; kDoesNotFit where a sequence would exceed capacity_tokens.
  StepOutcome step(std::span<const SequenceStep> entries);

  /// Blocks that a step of these entries would lack, were a new sequence of `n_new_tokens` to join it (0: none).
  int missing_blocks(std::span<const SequenceStep> entries, int n_new_tokens = 0) const;

  BlockStatistics kv_statistics() const;
  BlockMap kv_block_map() const;
  /// What one block of every layer takes.
  double kv_block_bytes() const;

  /// What passed between the tiers of the cache and was recomputed so far; empty for a cache without.
  /// Errors   as `LayerStage`.
  std::optional<KvTraffic> kv_traffic();
  /// See `KvCache::tier_description`.
  std::string kv_tier_description() const;

  /// What this engine has allocated beyond the weights, on a device where it runs on one: equals `engine_memory` of its
  /// options.
  EngineMemory memory() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dachlast
