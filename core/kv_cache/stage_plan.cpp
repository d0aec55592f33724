#include "core/kv_cache/stage_plan.h"

#include <algorithm>

namespace dachlast {
namespace {

int ceil_div(int n, int size) {
  return (n + size - 1) / size;
}

void sort_out_twins(std::vector<StagedBlock>& blocks) {
  std::ranges::sort(blocks);
  blocks.erase(std::ranges::unique(blocks).begin(), blocks.end());
}

}  // namespace

StageLists offload_lists(std::span<const StagedSequence> sequences, int block_size) {
  StageLists lists;
  const auto add = [](std::vector<StagedBlock>& list, std::int32_t block) { list.push_back({block, block}); };
  for (const StagedSequence& sequence : sequences) {
    const auto block = [&](int index) { return sequence.blocks[static_cast<std::size_t>(index)]; };
    for (int i = 0; i < ceil_div(sequence.n_before, block_size); ++i) add(lists.load, block(i));
    for (int i = sequence.n_before / block_size; i < ceil_div(sequence.n_after, block_size); ++i)
      add(lists.store, block(i));
  }
  sort_out_twins(lists.load);
  sort_out_twins(lists.store);
  return lists;
}

RecomputePlan::RecomputePlan(int max_sequences, int keep_tokens, int block_size)
    : texts_(static_cast<std::size_t>(max_sequences)), keep_tokens_(keep_tokens), block_size_(block_size) {}

void RecomputePlan::reset(int place) {
  text(place) = {};
}

void RecomputePlan::truncate(int place, int n_tokens) {
  text(place).ids.resize(static_cast<std::size_t>(n_tokens));
}

StagedBlock RecomputePlan::staged(const StagedSequence& sequence, int index) const {
  const int n_records = kept_blocks(keep_tokens_, block_size_);
  return {.block = sequence.blocks[static_cast<std::size_t>(index)],
          .record = std::int64_t{sequence.place} * n_records + index % n_records};
}

int RecomputePlan::take(const StagedSequence& sequence, std::span<const std::int32_t> new_ids, StageLists& lists) {
  Text& held = text(sequence.place);
  held.ids.insert(held.ids.end(), new_ids.begin(), new_ids.end());
  const int n_anew = std::min(held.kept_from, sequence.n_before);
  for (int i = n_anew / block_size_; n_anew < sequence.n_before && i < ceil_div(sequence.n_before, block_size_); ++i)
    lists.load.push_back(staged(sequence, i));
  // Of what stays, blocks that only held tokens before are in their records already, unless they were just computed anew.
  held.kept_from = std::max(0, sequence.n_after - keep_tokens_) / block_size_ * block_size_;
  for (int i = held.kept_from / block_size_; i < ceil_div(sequence.n_after, block_size_); ++i)
    if (i * block_size_ < n_anew || (i + 1) * block_size_ > sequence.n_before)
      lists.store.push_back(staged(sequence, i));
  return n_anew;
}

}  // namespace dachlast
