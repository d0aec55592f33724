#pragma once

#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/kv_cache/aligned_buffer.h"
#include "core/kv_cache/block_manager.h"
#include "core/kv_cache/token_placement.h"
#include "core/model/kv_spec.h"
#include "core/model/model_spec.h"
#include "kernels/kv_store.h"
#include "kernels/kv_view.h"

namespace dachlast {

struct KvCacheOptions {
  KvSpec spec;  // layout and scales; its format, where it names one, is `format`
  KvFormat format = KvFormat::kF32;
  int max_sequences = 1;
  int capacity_tokens = 0;  // per sequence
  int max_step_tokens = 0;  // of one sequence in one step: the room a ring needs beside its window; 0: capacity
  int n_blocks = 0;         // kPaged: 0 for as many as max_sequences of full length fill
  PrefixSharing sharing = PrefixSharing::kOff;
};

/// Bytes a cache allocates, before it does:
///   Σ over layers of n_blocks · (key rows + value rows + scales), each kind rounded up to a cache line,
///   and of the bf16 keys that wait for their block to fill, max_sequences times, where keys have scales along channels.
/// Errors   as the constructor of `KvCache`.
double kv_cache_bytes(const ModelSpec& model, const KvCacheOptions& options);

/// New tokens of one sequence in a step.
struct KvAppend {
  SequenceId sequence;
  std::span<const std::int32_t> token_ids;
};

/// Keys and values of every layer: the memory behind a `TokenPlacement`, and what kernels are shown of it in a step.
/// Sequences come and go between steps; a step covers any of them, each with any number of new tokens.
/// Memory   per layer one pool of blocks (layout: kernels/kv_view.h), all allocated in the constructor.
/// Errors   throws `Error` (kUsage) for sequences it does not know and numbers out of range.
/// Threads  one writer at a time.
class KvCache {
 public:
  /// Errors   throws `Error`: kUsage where a size is not positive or the spec names no cache, kDoesNotFit where there is
  ///          no memory.
  KvCache(const ModelSpec& model, const KvCacheOptions& options);

  const KvCacheOptions& options() const { return options_; }
  double bytes() const { return static_cast<double>(memory_.size_bytes()); }
  /// What one block of every layer takes: bytes a copy on write reads and writes.
  double block_bytes() const;

  /// Errors   also (kDoesNotFit) where max_sequences are there already.
  SequenceId add(int expected_tokens = 0);
  /// Errors   also (kUsage) for a ring.
  SequenceId fork(SequenceId parent);
  /// See `BlockManager::adopt_prefix`; 0 without sharing.
  int adopt_prefix(SequenceId id, std::span<const std::int32_t> token_ids);
  void remove(SequenceId id);
  /// Forgets the tokens behind the first `n_tokens`.
  /// Errors   also (kUsage) where what stays cannot be continued: a ring has overwritten it, or the keys of its last
  ///          block have lost their bf16 form to scales along channels.
  void truncate(SequenceId id, int n_tokens);

  int n_sequences() const { return static_cast<int>(places_.size()); }
  int n_tokens(SequenceId id) const { return placement_->n_tokens(id); }
  int room(SequenceId id) const { return options_.capacity_tokens - n_tokens(id); }
  BlockStatistics statistics() const { return placement_->statistics(); }
  BlockMap block_map() const { return placement_->block_map(); }

  /// Blocks that a step of these entries would lack, were a new sequence of `n_new_tokens` to join it (0: none).
  int missing_blocks(std::span<const KvAppend> entries, int n_new_tokens = 0) const;

  /// Makes room for a step and copies what would otherwise be written under somebody's eyes. Returns how many blocks are
  /// missing; where any are, nothing has changed. Each sequence comes once at most.
  int begin_step(std::span<const KvAppend> entries);

  /// The step as attention and `store_kv` see it; entry i is entries[i] of `begin_step`. Valid until the next change.
  kernels::KvView view(int layer_index);
  kernels::KvTarget target(int layer_index, int entry);

 private:
  struct Layer {
    kernels::KvLayout layout;
    std::size_t k_offset = 0;
    std::size_t v_offset = 0;
    std::size_t k_scale_offset = 0;
    std::size_t v_scale_offset = 0;
    std::size_t tail_offset = 0;  // of all sequences
    std::size_t k_bytes = 0;
    std::size_t v_bytes = 0;
    std::size_t k_scale_bytes = 0;
    std::size_t v_scale_bytes = 0;
  };

  /// What a sequence has beside its blocks.
  struct Place {
    int index = 0;        // 0 … max_sequences − 1
    int tail_block = -1;  // entry of the block table whose keys the tails hold
  };

  static Layer layer_at(const AttentionSpec& attention, const KvCacheOptions& options, const KvPoolShape& shape,
                        std::size_t& offset);
  Layer& layer(int i) { return layers_[static_cast<std::size_t>(i)]; }
  const Place& place_of(SequenceId id) const;
  void require_place() const;
  int take_place();
  void copy_block(const BlockCopy& copy);
  std::span<BF16> tail(const Layer& layer, int place);
  void show(const KvAppend& entry, int first_row);
  kernels::MutableKvPool pool(const Layer& layer);
  bool keeps_tails() const { return options_.spec.key_scales == KeyScales::kPerChannel && has_scales(options_.format); }

  KvCacheOptions options_;
  KvPoolShape shape_;
  std::vector<Layer> layers_;
  AlignedBuffer memory_;
  std::unique_ptr<TokenPlacement> placement_;
  std::unordered_map<SequenceId, Place> places_;
  std::vector<int> free_places_;

  // The step in progress.
  std::vector<kernels::KvSequence> step_;
  std::vector<int> step_places_;
  std::vector<std::int32_t> step_slots_;    // of the new tokens, where a ring places them
  std::vector<std::size_t> first_slot_of_;  // entry → its first in step_slots_
};

}  // namespace dachlast
