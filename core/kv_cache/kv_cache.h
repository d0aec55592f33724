#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/kv_cache/block_manager.h"
#include "core/kv_cache/cache_layout.h"
#include "core/kv_cache/kv_cache_options.h"
#include "core/kv_cache/kv_memory.h"
#include "core/kv_cache/kv_stage.h"
#include "core/kv_cache/kv_step.h"
#include "core/kv_cache/stage_plan.h"
#include "core/kv_cache/token_placement.h"
#include "core/model/kv_spec.h"
#include "core/model/kv_traffic.h"
#include "core/model/model_spec.h"
#include "kernels/kv_store.h"
#include "kernels/kv_view.h"

namespace dachlast {

/// New tokens of one sequence in a step.
struct KvAppend {
  SequenceId sequence;
  std::span<const std::int32_t> token_ids;
};

/// Tokens whose K and V a step computes anew: all of entry `entry` before its first kept one, positions 0 … size − 1.
struct KvRecompute {
  int entry = 0;
  std::span<const std::int32_t> token_ids;
};

/// Keys and values of every layer: the memory behind a `TokenPlacement`, and what kernels are shown of it in a step.
/// Sequences come and go between steps; a step covers any of them, each with any number of new tokens.
/// Memory   per layer one pool of blocks (layout: kernels/kv_view.h), all allocated in the constructor.
/// Errors   throws `Error` (kUsage) for sequences it does not know and numbers out of range.
/// Threads  one writer at a time.
class KvCache final : public KvStep {
 public:
  /// Errors   throws `Error`: kUsage where a size is not positive or the spec names no cache, kDoesNotFit where there is
  ///          no memory.
  /// `device`: whose memory it lies in; nullptr: RAM. It must outlive the cache.
  KvCache(const ModelSpec& model, const KvCacheOptions& options, KvDevice* device = nullptr);

  const KvCacheOptions& options() const { return options_; }
  /// Bytes it has allocated; in RAM they equal `kv_cache_bytes`.
  double bytes() const { return static_cast<double>(memory_->bytes().size()) + (stage_ ? stage_->bytes() : 0.0); }
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

  /// What the step is to compute beside its entries: part i of these is entry entries.size() + i of `view` and `target`.
  /// Valid until the next change.
  std::span<const KvRecompute> recomputed() const { return recomputed_; }

  void enter_layer(int layer_index) override;
  void leave_layer(int layer_index) override;
  void finish_step() override;

  /// What passed between the tiers and was recomputed so far; empty for a cache without. Waits for what is under way.
  std::optional<KvTraffic> traffic();
  /// "a file of 12 MiB, O_DIRECT"; empty for a cache without a second tier.
  std::string tier_description() const;

  /// The step as attention and `store_kv` see it; entry i is entries[i] of `begin_step`. Valid until the next change.
  kernels::KvView view(int layer_index) override;
  std::span<BF16> tails(int layer_index) override;
  kernels::KvTarget target(int layer_index, int entry);

 private:
  using Layer = LayerPool;

  /// What a sequence has beside its blocks.
  struct Place {
    int index = 0;        // 0 … max_sequences − 1
    int tail_block = -1;  // entry of the block table whose keys the tails hold
  };

  Layer& layer(int i) { return layers_[static_cast<std::size_t>(i)]; }
  const Place& place_of(SequenceId id) const;
  void require_place() const;
  int take_place();
  void copy_block(const BlockCopy& copy);
  std::span<BF16> tails_of(const Layer& layer);
  std::span<BF16> tail(const Layer& layer, int place);
  void copy_tails(int to_place, int from_place);
  void show(const KvAppend& entry, int first_row);
  void stage_step(std::span<const KvAppend> entries, int n_rows);
  void show_recomputed(const StagedSequence& sequence, int entry, int n_tokens, int first_row);
  std::span<std::byte> memory_of(const Layer& layer);
  kernels::MutableKvPool pool(const Layer& layer);
  bool keeps_tails() const { return options_.spec.key_scales == KeyScales::kPerChannel && has_scales(options_.format); }

  KvCacheOptions options_;
  KvPoolShape shape_;
  std::vector<Layer> layers_;
  std::unique_ptr<KvMemory> memory_;  // of all layers; staged: of the tails
  std::unique_ptr<KvStage> stage_;    // where only layers in work are at hand
  RecomputePlan recompute_;
  std::unique_ptr<TokenPlacement> placement_;
  std::unordered_map<SequenceId, Place> places_;
  std::vector<int> free_places_;

  // The step in progress.
  std::vector<kernels::KvSequence> step_;
  std::vector<int> step_places_;
  std::vector<std::int32_t> step_slots_;    // of the new tokens, where a ring places them
  std::vector<std::size_t> first_slot_of_;  // entry → its first in step_slots_
  std::vector<int> n_before_;               // tokens of each entry before the step
  std::vector<KvRecompute> recomputed_;
  std::int64_t n_recomputed_tokens_ = 0;
};

}  // namespace dachlast
