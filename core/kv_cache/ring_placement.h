#pragma once

#include <unordered_map>
#include <vector>

#include "core/kv_cache/token_placement.h"

namespace dachlast {

/// Sizes of a ring. Every sequence has one block: `n_sinks` slots for its first tokens, and a ring behind them.
struct RingOptions {
  int max_sequences = 0;
  int n_slots = 0;  // see `kv_pool_shape`
  int n_sinks = 0;
  int window = 0;           // tokens that a query may see, itself included, beside the sinks
  int max_step_tokens = 0;  // of one sequence
  int capacity_tokens = 0;
};

/// Keeps the first tokens and the newest: position p lies in slot p where p < n_sinks, else in slot
/// n_sinks + (p − n_sinks) % (slots − n_sinks). Positions stay those of the text.
class RingPlacement final : public TokenPlacement {
 public:
  /// Errors   throws `Error` (kUsage) where a size is not positive (n_sinks: negative).
  explicit RingPlacement(const RingOptions& options);

  SequenceId add(int expected_tokens) override;
  SequenceId fork(SequenceId parent) override;  // refused: what one writes the other would lose
  int adopt_prefix(SequenceId, std::span<const std::int32_t>) override { return 0; }
  /// Errors   also (kUsage) for more tokens than max_step_tokens.
  AppendResult append(SequenceId id, std::span<const std::int32_t> token_ids) override;
  /// Errors   also (kUsage) where tokens that the next one is to see are overwritten.
  void truncate(SequenceId id, int n_tokens) override;
  void remove(SequenceId id) override;

  int n_tokens(SequenceId id) const override { return known(id).n_tokens; }
  std::span<const std::int32_t> block_table(SequenceId id) const override { return {&known(id).block, 1}; }
  SlotMap slots(SequenceId id) const override;
  int slot_of(int position) const override;

  int n_available() const override { return static_cast<int>(free_blocks_.size()); }
  int blocks_needed(SequenceId, int) const override { return 0; }
  int blocks_for_new(int) const override { return 1; }
  BlockStatistics statistics() const override;

 private:
  struct Sequence {
    std::int32_t block = -1;
    int n_tokens = 0;
    int n_slots = 0;  // used so far
    int expected_tokens = 0;
    std::vector<std::int32_t> positions;  // [n_slots]
  };

  const Sequence& known(SequenceId id) const;
  Sequence& known(SequenceId id);
  int n_held(const Sequence& sequence) const;

  RingOptions options_;
  std::unordered_map<SequenceId, Sequence> sequences_;
  std::vector<std::int32_t> free_blocks_;
  std::int64_t next_id_ = 0;
  int n_peak_allocated_ = 0;
  std::int64_t n_dropped_tokens_ = 0;
};

}  // namespace dachlast
