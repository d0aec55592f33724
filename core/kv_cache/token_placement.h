#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace dachlast {

/// Names a sequence for as long as its cache lives: numbers are never given twice.
enum class SequenceId : std::int64_t {};

/// The first `n_tokens` tokens of block `from` are to be copied to block `to`.
struct BlockCopy {
  std::int32_t from = -1;
  std::int32_t to = -1;
  int n_tokens = 0;

  friend bool operator==(const BlockCopy&, const BlockCopy&) = default;
};

/// What came of appending tokens.
struct AppendResult {
  int n_missing_blocks = 0;       // 0: done; else nothing changed and so many more would have been needed
  std::optional<BlockCopy> copy;  // to be made before the new tokens are written: the last block was shared

  bool done() const { return n_missing_blocks == 0; }
};

/// Where the memory of a pool of blocks goes at one moment, in blocks and token slots, and what happened so far.
/// Waste keeps the names of Kwon et al. 2023, arXiv:2309.06180, section 3.1: slots of allocated blocks that no token fills
/// are reserved as far as their sequence is expected to grow into them, internal fragmentation beyond that. External
/// fragmentation is none: every free block serves every sequence.
struct BlockStatistics {
  int n_blocks = 0;
  int block_size = 0;
  int n_free = 0;
  int n_allocated = 0;
  int n_cached = 0;                  // no user, content kept: free for whoever needs it
  int n_peak_allocated = 0;          // most blocks allocated at once so far
  std::int64_t sequence_tokens = 0;  // as sequences hold them, shared ones once for each
  std::int64_t held_tokens = 0;      // slots of allocated blocks that some sequence reads
  std::int64_t reserved_tokens = 0;
  std::int64_t internal_fragmentation_tokens = 0;
  std::int64_t sequence_blocks = 0;  // entries of all block tables

  // Since the beginning.
  std::int64_t looked_up_tokens = 0;  // of prompts searched for a known beginning
  std::int64_t hit_tokens = 0;        // of them, found
  std::int64_t n_evicted = 0;         // cached blocks given to somebody else
  std::int64_t n_copied = 0;          // copies on write
  std::int64_t n_dropped_tokens = 0;  // overwritten by a ring

  /// Tokens and blocks that sharing saves at this moment.
  std::int64_t saved_tokens() const { return sequence_tokens - held_tokens; }
  std::int64_t saved_blocks() const { return sequence_blocks - n_allocated; }
};

/// Blocks of one sequence, in the order of its tokens.
struct SequenceBlocks {
  SequenceId id{};
  int n_tokens = 0;
  std::vector<std::int32_t> blocks;
};

/// Who holds which block at one moment; blocks that are named nowhere are free.
struct BlockMap {
  std::vector<SequenceBlocks> sequences;  // oldest first
  std::vector<std::int32_t> cached;       // no user, content kept
};

/// What a sequence has in its slots. Slot s lies in block block_table[s / block_size], row s % block_size.
struct SlotMap {
  int n_slots = 0;                          // in use, from slot 0 on
  std::span<const std::int32_t> positions;  // of each slot, −1 for an empty one; no span: slot s holds position s
};

/// Decides where the tokens of sequences go; knows no memory. Tokens are numbered from 0 in the order they came.
/// Errors   every call throws `Error` (kUsage) for a sequence it does not know, and where a number is out of its range.
/// Threads  one caller at a time.
class TokenPlacement {
 public:
  virtual ~TokenPlacement() = default;

  /// A sequence without tokens, expected to grow to `expected_tokens` (0: nothing is expected), which decides only what
  /// counts as reserved.
  virtual SequenceId add(int expected_tokens) = 0;
  /// A sequence with the same tokens in the same blocks.
  /// Errors   also (kUsage) where blocks cannot be shared.
  virtual SequenceId fork(SequenceId parent) = 0;
  /// Gives an empty sequence the known blocks that `token_ids` begin with; returns how many tokens they hold.
  virtual int adopt_prefix(SequenceId id, std::span<const std::int32_t> token_ids) = 0;
  /// Makes room for new tokens behind those of the sequence. Out of blocks it changes nothing and says how many are
  /// missing: whom to interrupt is the caller's choice.
  virtual AppendResult append(SequenceId id, std::span<const std::int32_t> token_ids) = 0;
  /// Forgets the tokens behind the first `n_tokens`, at most as many as there are.
  virtual void truncate(SequenceId id, int n_tokens) = 0;
  /// Ends a sequence.
  virtual void remove(SequenceId id) = 0;

  virtual int n_tokens(SequenceId id) const = 0;
  virtual std::span<const std::int32_t> block_table(SequenceId id) const = 0;
  virtual SlotMap slots(SequenceId id) const = 0;
  /// Slot that the token at `position` has while it is kept.
  virtual int slot_of(int position) const = 0;

  /// Blocks that can be had; that appending `n_tokens` would take; that a new sequence of so many would take.
  virtual int n_available() const = 0;
  virtual int blocks_needed(SequenceId id, int n_tokens) const = 0;
  virtual int blocks_for_new(int n_tokens) const = 0;
  virtual BlockStatistics statistics() const = 0;
  /// Empty where blocks belong to places, not to whoever needs them.
  virtual BlockMap block_map() const { return {}; }
};

}  // namespace dachlast
