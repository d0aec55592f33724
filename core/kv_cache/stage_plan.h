#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/kv_cache/layer_stage.h"

namespace dachlast {

/// One sequence's part of a step, its new tokens appended.
struct StagedSequence {
  int place = 0;  // of the sequence in the cache
  std::span<const std::int32_t> blocks;
  int n_before = 0;
  int n_after = 0;
};

/// Offloaded: every block has its record. Blocks with tokens from before the step are fetched, those with new ones kept; a
/// block that sequences share moves once.
StageLists offload_lists(std::span<const StagedSequence> sequences, int block_size);

/// Recomputed: of each sequence the blocks of its newest tokens stay, in a ring of records; what came before is computed anew
/// from its token ids in every step.
class RecomputePlan {
 public:
  RecomputePlan() = default;
  RecomputePlan(int max_sequences, int keep_tokens, int block_size);

  /// Begins a sequence.
  void reset(int place);
  void truncate(int place, int n_tokens);
  /// Notes the step's tokens and what is to be moved for it. Returns how many tokens from the first one on are to be
  /// computed anew.
  int take(const StagedSequence& sequence, std::span<const std::int32_t> new_ids, StageLists& lists);
  std::span<const std::int32_t> ids(int place) const { return text(place).ids; }

 private:
  struct Text {
    std::vector<std::int32_t> ids;
    int kept_from = 0;  // first token whose K and V stay; a multiple of the block size
  };

  Text& text(int place) { return texts_[static_cast<std::size_t>(place)]; }
  const Text& text(int place) const { return texts_[static_cast<std::size_t>(place)]; }
  StagedBlock staged(const StagedSequence& sequence, int index) const;

  std::vector<Text> texts_;
  int keep_tokens_ = 0;
  int block_size_ = 1;
};

}  // namespace dachlast
