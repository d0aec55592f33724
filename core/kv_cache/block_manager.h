#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/kv_cache/block_pool.h"
#include "core/kv_cache/token_placement.h"

namespace dachlast {

/// Whether full blocks can be found by their tokens.
enum class PrefixSharing : std::uint8_t { kOff, kOn };

struct BlockManagerOptions {
  int n_blocks = 0;
  int block_size = 0;  // tokens
  PrefixSharing sharing = PrefixSharing::kOn;
  BlockHash hash = xxh3_block_hash;
};

/// Hands out equal blocks to sequences: block tables, shared prefixes, copy on write, least-recently-used eviction of
/// what nobody uses. Pure bookkeeping; whoever owns the memory writes tokens where the tables say.
/// A token at position p of a sequence lies in slot p % block_size of block table[p / block_size]. Tokens become findable by
/// their ids as soon as they are appended and fill a block: the owner writes them in the step that follows, before
/// anybody's attention reads them.
/// Source   Kwon et al. 2023, arXiv:2309.06180; vllm-project/vllm:vllm/v1/core/block_pool.py for the order of eviction.
class BlockManager final : public TokenPlacement {
 public:
  explicit BlockManager(const BlockManagerOptions& options);

  SequenceId add(int expected_tokens) override;
  SequenceId add() { return add(0); }
  SequenceId fork(SequenceId parent) override;
  /// Finds whole blocks. A caller that needs logits leaves the last token of the prompt out.
  int adopt_prefix(SequenceId id, std::span<const std::int32_t> token_ids) override;
  AppendResult append(SequenceId id, std::span<const std::int32_t> token_ids) override;
  void truncate(SequenceId id, int n_tokens) override;
  /// Blocks that can be found stay cached.
  void remove(SequenceId id) override;
  /// Forgets all that is cached.
  void drop_cached() { pool_.drop_cached(); }

  int n_sequences() const { return static_cast<int>(sequences_.size()); }
  int n_tokens(SequenceId id) const override { return known(id).n_tokens; }
  std::span<const std::int32_t> block_table(SequenceId id) const override { return known(id).table; }
  SlotMap slots(SequenceId id) const override { return {.n_slots = known(id).n_tokens, .positions = {}}; }
  int slot_of(int position) const override { return position; }

  /// Free blocks and cached ones.
  int n_available() const override { return pool_.n_free() + pool_.n_cached(); }
  /// The copy of a shared last block included.
  int blocks_needed(SequenceId id, int n_tokens) const override;
  int blocks_for_new(int n_tokens) const override { return (n_tokens + pool_.block_size() - 1) / pool_.block_size(); }
  const BlockPool& pool() const { return pool_; }
  /// Looks through every block table.
  BlockStatistics statistics() const override;
  BlockMap block_map() const override;

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
