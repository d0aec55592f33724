#include "core/kv_cache/block_manager.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/base/error.h"

namespace dachlast {
namespace {

using Ids = std::vector<std::int32_t>;

Ids count_from(int first, int n) {
  Ids ids(static_cast<std::size_t>(n));
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

BlockManager manager_of(int n_blocks, int block_size, PrefixSharing sharing = PrefixSharing::kOn) {
  return BlockManager({.n_blocks = n_blocks, .block_size = block_size, .sharing = sharing});
}

SequenceId sequence_of(BlockManager& manager, const Ids& ids, int expected = 0) {
  const SequenceId sequence = manager.add(expected);
  EXPECT_TRUE(manager.append(sequence, ids).done());
  return sequence;
}

std::vector<std::int32_t> table_of(const BlockManager& manager, SequenceId sequence) {
  const auto table = manager.block_table(sequence);
  return {table.begin(), table.end()};
}

TEST(BlockManager, TokensTakeWholeBlocksAndGiveThemBack) {
  BlockManager manager = manager_of(10, 4, PrefixSharing::kOff);
  const SequenceId sequence = sequence_of(manager, count_from(0, 9));  // ceil(9 / 4) = 3 blocks
  EXPECT_EQ(manager.block_table(sequence).size(), 3u);
  EXPECT_EQ(manager.n_available(), 7);
  EXPECT_EQ(manager.blocks_needed(sequence, 3), 0);
  EXPECT_EQ(manager.blocks_needed(sequence, 4), 1);
  manager.truncate(sequence, 4);
  EXPECT_EQ(manager.n_available(), 9);
  manager.remove(sequence);
  EXPECT_EQ(manager.n_available(), 10);
  EXPECT_EQ(manager.n_sequences(), 0);
}

TEST(BlockManager, OutOfBlocksSaysHowManyAreMissingAndChangesNothing) {
  BlockManager manager = manager_of(4, 4);
  const SequenceId sequence = sequence_of(manager, count_from(0, 6));
  // 6 + 14 tokens are 5 blocks, of which 2 are there and 2 free.
  EXPECT_EQ(manager.append(sequence, count_from(6, 14)).n_missing_blocks, 1);
  EXPECT_EQ(manager.n_tokens(sequence), 6);
  EXPECT_EQ(manager.n_available(), 2);
  EXPECT_TRUE(manager.append(sequence, count_from(6, 10)).done());
  EXPECT_EQ(manager.n_available(), 0);
}

TEST(BlockManager, APromptThatWasThereBeforeGetsItsFullBlocks) {
  BlockManager manager = manager_of(10, 4);
  const SequenceId first = sequence_of(manager, count_from(0, 10));
  const SequenceId second = manager.add();
  EXPECT_EQ(manager.adopt_prefix(second, count_from(0, 10)), 8);  // two full blocks; 2 tokens in the third
  EXPECT_EQ(table_of(manager, second), (std::vector{table_of(manager, first)[0], table_of(manager, first)[1]}));
  const BlockStatistics statistics = manager.statistics();
  EXPECT_EQ(statistics.looked_up_tokens, 10);
  EXPECT_EQ(statistics.hit_tokens, 8);
  EXPECT_EQ(statistics.saved_tokens(), 8);  // 10 + 8 as counted by sequences, 10 held
  EXPECT_EQ(statistics.saved_blocks(), 2);
}

TEST(BlockManager, WhatIsCachedIsFoundAfterItsSequenceIsGone) {
  BlockManager manager = manager_of(4, 4);
  manager.remove(sequence_of(manager, count_from(0, 11)));
  EXPECT_EQ(manager.statistics().n_cached, 2);  // the third block was not full
  EXPECT_EQ(manager.n_available(), 4);
  const SequenceId later = manager.add();
  EXPECT_EQ(manager.adopt_prefix(later, count_from(0, 11)), 8);
  EXPECT_EQ(manager.statistics().n_cached, 0);
}

TEST(BlockManager, TheMapNamesHoldersAndWhatIsCached) {
  BlockManager manager = manager_of(10, 4);
  const SequenceId first = sequence_of(manager, count_from(0, 8));     // two full blocks, both findable
  const SequenceId second = sequence_of(manager, count_from(100, 5));  // one full, one with a single token
  manager.remove(first);
  const BlockMap map = manager.block_map();
  ASSERT_EQ(map.sequences.size(), 1u);
  EXPECT_EQ(map.sequences[0].id, second);
  EXPECT_EQ(map.sequences[0].n_tokens, 5);
  EXPECT_EQ(map.sequences[0].blocks, table_of(manager, second));
  EXPECT_EQ(map.cached.size(), 2u);
  EXPECT_EQ(static_cast<int>(map.cached.size()), manager.statistics().n_cached);
}

TEST(BlockManager, ABlockIsFoundOnlyBehindItsOwnBeginning) {
  BlockManager manager = manager_of(8, 2);
  sequence_of(manager, {1, 1, 2, 2});
  const SequenceId other = manager.add();
  EXPECT_EQ(manager.adopt_prefix(other, Ids{2, 2}), 0);  // these ids are known behind {1, 1} only
  EXPECT_EQ(manager.adopt_prefix(other, Ids{1, 1, 3, 3}), 2);
}

TEST(BlockManager, EqualHashesOfDifferentTextsDoNotMixThemUp) {
  BlockManager manager({.n_blocks = 8, .block_size = 2, .hash = [](auto, auto) { return std::uint64_t{7}; }});
  sequence_of(manager, {1, 1, 2, 2});
  sequence_of(manager, {3, 3, 2, 2});
  const SequenceId found = manager.add();
  EXPECT_EQ(manager.adopt_prefix(found, Ids{3, 3, 2, 2}), 4);
  EXPECT_EQ(manager.pool().token_ids(manager.block_table(found)[0])[0], 3);
  const SequenceId unknown = manager.add();
  EXPECT_EQ(manager.adopt_prefix(unknown, Ids{4, 4}), 0);
}

TEST(BlockManager, EvictsWhatWasLeftLongestAgoItsEndFirst) {
  BlockManager manager = manager_of(4, 2);
  manager.remove(sequence_of(manager, {1, 1, 2, 2}));
  manager.remove(sequence_of(manager, {3, 3, 4, 4}));
  sequence_of(manager, {9, 9, 9});  // two blocks: {2, 2} behind {1, 1} goes, then {1, 1}
  EXPECT_EQ(manager.statistics().n_evicted, 2);
  EXPECT_EQ(manager.adopt_prefix(manager.add(), Ids{1, 1}), 0);
  EXPECT_EQ(manager.adopt_prefix(manager.add(), Ids{3, 3, 4, 4}), 4);
}

TEST(BlockManager, UsingACachedBlockAgainMakesItTheNewest) {
  BlockManager manager = manager_of(2, 2);
  manager.remove(sequence_of(manager, {1, 1}));
  manager.remove(sequence_of(manager, {2, 2}));
  const SequenceId again = manager.add();
  EXPECT_EQ(manager.adopt_prefix(again, Ids{1, 1}), 2);
  manager.remove(again);
  sequence_of(manager, {3});
  EXPECT_EQ(manager.adopt_prefix(manager.add(), Ids{2, 2}), 0);
  EXPECT_EQ(manager.adopt_prefix(manager.add(), Ids{1, 1}), 2);
}

TEST(BlockManager, AForkCopiesTheLastBlockWhenItWrites) {
  BlockManager manager = manager_of(8, 4);
  const SequenceId parent = sequence_of(manager, count_from(0, 6));
  const SequenceId child = manager.fork(parent);
  EXPECT_EQ(manager.n_available(), 6);
  EXPECT_EQ(manager.blocks_needed(child, 1), 1);
  const std::int32_t shared = manager.block_table(parent)[1];
  const AppendResult result = manager.append(child, Ids{50});
  ASSERT_TRUE(result.copy);
  EXPECT_EQ(*result.copy, (BlockCopy{.from = shared, .to = manager.block_table(child)[1], .n_tokens = 2}));
  EXPECT_EQ(manager.pool().token_ids(manager.block_table(child)[1])[1], 5);
  EXPECT_EQ(manager.pool().token_ids(manager.block_table(child)[1])[2], 50);
  EXPECT_FALSE(manager.append(parent, Ids{60}).copy) << "the parent is alone with its block by now";
  EXPECT_EQ(manager.statistics().n_copied, 1);
}

TEST(BlockManager, RewritingACachedBlockForgetsItAndWhatCameBehind) {
  BlockManager manager = manager_of(8, 2);
  const SequenceId sequence = sequence_of(manager, {1, 1, 2, 2, 3, 3});
  manager.truncate(sequence, 3);  // {3, 3} stays cached behind {2, 2}
  EXPECT_EQ(manager.statistics().n_cached, 1);
  EXPECT_FALSE(manager.append(sequence, Ids{7}).copy);
  EXPECT_EQ(manager.statistics().n_cached, 0);
  EXPECT_EQ(manager.adopt_prefix(manager.add(), Ids{1, 1, 2, 2}), 2);
  EXPECT_EQ(manager.adopt_prefix(manager.add(), Ids{1, 1, 2, 7, 3, 3}), 4);
}

TEST(BlockManager, WasteKeepsTheThreeNames) {
  BlockManager manager = manager_of(10, 8, PrefixSharing::kOff);
  sequence_of(manager, count_from(0, 10), 13);  // 16 slots: 10 hold tokens, 3 are reserved, 3 nobody will fill
  sequence_of(manager, count_from(0, 3));       // 8 slots: 3 hold tokens, 5 are waste
  const BlockStatistics statistics = manager.statistics();
  EXPECT_EQ(statistics.n_allocated, 3);
  EXPECT_EQ(statistics.held_tokens, 13);
  EXPECT_EQ(statistics.reserved_tokens, 3);
  EXPECT_EQ(statistics.internal_fragmentation_tokens, 8);
  EXPECT_EQ(statistics.n_peak_allocated, 3);
}

TEST(BlockManager, SlotsThatAnotherSequenceReadsAreNoWaste) {
  BlockManager manager = manager_of(10, 8);
  const SequenceId parent = sequence_of(manager, count_from(0, 7));
  const SequenceId child = manager.fork(parent);
  manager.truncate(child, 2);
  EXPECT_EQ(manager.statistics().held_tokens, 7);
  EXPECT_EQ(manager.statistics().saved_tokens(), 2);  // 7 + 2 − 7
  manager.remove(parent);
  EXPECT_EQ(manager.statistics().held_tokens, 2);
  EXPECT_EQ(manager.statistics().internal_fragmentation_tokens, 6);
}

TEST(BlockManager, RefusesWhatCannotBe) {
  BlockManager manager = manager_of(4, 4);
  const SequenceId sequence = sequence_of(manager, count_from(0, 5));
  EXPECT_THROW(manager.truncate(sequence, 6), Error);
  EXPECT_THROW(manager.truncate(sequence, -1), Error);
  EXPECT_THROW(manager.adopt_prefix(sequence, Ids{1}), Error);
  EXPECT_THROW(manager.blocks_needed(sequence, -1), Error);
  manager.remove(sequence);
  EXPECT_THROW(manager.remove(sequence), Error);
  EXPECT_THROW(manager.append(sequence, Ids{1}), Error);
  EXPECT_THROW(manager.fork(SequenceId{99}), Error);
  EXPECT_THROW(manager.add(-1), Error);
  EXPECT_THROW(manager_of(0, 4), Error);
  EXPECT_THROW(manager_of(4, -1), Error);
}

}  // namespace
}  // namespace dachlast
