#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/kv_cache/block_pool.h"

namespace dachlast {

/// Names a sequence for as long as the manager lives: numbers are never given twice.
enum class SequenceId : std::int64_t {};

/// Whether full blocks can be found by their tokens.
enum class PrefixSharing : std::uint8_t { kOff, kOn };

struct BlockManagerOptions {
  int n_blocks = 0;
  int block_size = 0;  // tokens
  PrefixSharing sharing = PrefixSharing::kOn;
  BlockHash hash = xxh3_block_hash;
};

/// The first `n_tokens` tokens of block `from` are to be copied to block `to`.
struct BlockCopy {
  std::int32_t from = kNoBlock;
  std::int32_t to = kNoBlock;
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
  std::int64_t sequence_tokens = 0;  // as sequences count them, shared ones once for each
  std::int64_t held_tokens = 0;      // slots of allocated blocks that some sequence reads
  std::int64_t reserved_tokens = 0;
  std::int64_t internal_fragmentation_tokens = 0;
  std::int64_t sequence_blocks = 0;  // entries of all block tables

  // Since the manager was made.
  std::int64_t looked_up_tokens = 0;  // of prompts searched for a known beginning
  std::int64_t hit_tokens = 0;        // of them, found
  std::int64_t n_evicted = 0;         // cached blocks given to somebody else
  std::int64_t n_copied = 0;          // copies on write

  /// Tokens and blocks that sharing saves at this moment.
  std::int64_t saved_tokens() const { return sequence_tokens - held_tokens; }
  std::int64_t saved_blocks() const { return sequence_blocks - n_allocated; }
};

/// Hands out equal blocks to sequences: block tables, shared prefixes, copy on write, least-recently-used eviction of
/// what nobody uses. Pure bookkeeping; whoever owns the memory writes tokens where the tables say.
/// A token at position p of a sequence lies in slot p % block_size of block table[p / block_size]. Tokens become findable by
/// their ids as soon as they are appended and fill a block: the owner writes them in the step that follows, before
/// anybody's attention reads them.
/// Errors   throws `Error` (kUsage) for a sequence it does not know, and where a number is out of its range.
/// Threads  one caller at a time.
/// Source   Kwon et al. 2023, arXiv:2309.06180; vllm-project/vllm:vllm/v1/core/block_pool.py for the order of eviction.
class BlockManager {
 public:
  explicit BlockManager(const BlockManagerOptions& options);

  /// A sequence without tokens, expected to grow to `expected_tokens` (0: nothing is expected), which decides only what
  /// counts as reserved.
  SequenceId add(int expected_tokens = 0);

  /// A sequence with the same tokens in the same blocks.
  SequenceId fork(SequenceId parent);

  /// Gives an empty sequence the findable blocks that `token_ids` begin with; returns how many tokens they hold, a
  /// multiple of the block size. A caller that needs logits leaves the last token of the prompt out.
  int adopt_prefix(SequenceId id, std::span<const std::int32_t> token_ids);

  /// Makes room for new tokens behind those of the sequence. Out of blocks it changes nothing and says how many are
  /// missing: whom to interrupt is the caller's choice.
  AppendResult append(SequenceId id, std::span<const std::int32_t> token_ids);

  /// Forgets the tokens behind the first `n_tokens`, at most as many as there are.
  void truncate(SequenceId id, int n_tokens);

  /// Ends a sequence; blocks that can be found stay cached.
  void remove(SequenceId id);

  /// Forgets all that is cached.
  void drop_cached() { pool_.drop_cached(); }

  int n_sequences() const { return static_cast<int>(sequences_.size()); }
  int n_tokens(SequenceId id) const { return known(id).n_tokens; }
  std::span<const std::int32_t> block_table(SequenceId id) const { return known(id).table; }
  /// Blocks that can be had: free ones and cached ones.
  int n_available() const { return pool_.n_free() + pool_.n_cached(); }
  /// Blocks that appending `n_tokens` would take, a copy of a shared last one included.
  int blocks_needed(SequenceId id, int n_tokens) const;
  const BlockPool& pool() const { return pool_; }

  /// Looks through every block table.
  BlockStatistics statistics() const;

 private:
  struct Sequence {
    std::vector<std::int32_t> table;
    int n_tokens = 0;
    int expected_tokens = 0;
  };

  Sequence& known(SequenceId id);
  const Sequence& known(SequenceId id) const;
  SequenceId keep(Sequence sequence);
  int blocks_needed(const Sequence& sequence, std::int64_t n_tokens) const;
  bool shares_last_slots(const Sequence& sequence) const;
  std::int32_t take_block();
  std::optional<BlockCopy> own_last_block(Sequence& sequence);
  void fill(Sequence& sequence, std::span<const std::int32_t> token_ids);
  void publish_last(const Sequence& sequence);
  void count_slots(BlockStatistics& statistics) const;

  PrefixSharing sharing_;
  BlockPool pool_;
  std::unordered_map<SequenceId, Sequence> sequences_;
  std::int64_t next_id_ = 0;
  int n_peak_allocated_ = 0;
  std::int64_t looked_up_tokens_ = 0;
  std::int64_t hit_tokens_ = 0;
  std::int64_t n_copied_ = 0;
};

}  // namespace dachlast
