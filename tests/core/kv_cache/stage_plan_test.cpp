#include "core/kv_cache/stage_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace dachlast {
namespace {

using Blocks = std::vector<StagedBlock>;

TEST(OffloadLists, FetchWhatHeldTokensAndKeepWhatGotSome) {
  // Blocks of 4: six tokens fill one and a half, three more end in the third.
  const std::vector<std::int32_t> table = {7, 3, 9};
  const std::vector<StagedSequence> step = {{.place = 0, .blocks = table, .n_before = 6, .n_after = 9}};
  const StageLists lists = offload_lists(step, 4);
  EXPECT_EQ(lists.load, (Blocks{{3, 3}, {7, 7}}));
  EXPECT_EQ(lists.store, (Blocks{{3, 3}, {9, 9}}));
}

TEST(OffloadLists, SharedBlocksMoveOnce) {
  const std::vector<std::int32_t> a = {0, 1}, b = {0, 2};
  const std::vector<StagedSequence> step = {{.place = 0, .blocks = a, .n_before = 5, .n_after = 6},
                                            {.place = 1, .blocks = b, .n_before = 4, .n_after = 5}};
  const StageLists lists = offload_lists(step, 4);
  EXPECT_EQ(lists.load, (Blocks{{0, 0}, {1, 1}}));
  EXPECT_EQ(lists.store, (Blocks{{1, 1}, {2, 2}}));
}

TEST(OffloadLists, APromptFindsNothing) {
  const std::vector<std::int32_t> table = {0, 1};
  const std::vector<StagedSequence> step = {{.place = 0, .blocks = table, .n_before = 0, .n_after = 8}};
  EXPECT_TRUE(offload_lists(step, 4).load.empty());
  EXPECT_EQ(offload_lists(step, 4).store.size(), 2u);
}

/// Plays steps against a memory in which every block carries the length of text it was written for: what a step reads was
/// either fetched, or computed anew in it.
class Player {
 public:
  Player(int keep, int block_size) : keep_(keep), block_size_(block_size), plan_(1, keep, block_size) {
    for (std::int32_t i = 0; i < 64; ++i) table_.push_back(i);
  }

  void step(int n_new) {
    std::vector<std::int32_t> ids;
    for (int i = 0; i < n_new; ++i) ids.push_back(n_tokens_ + i);
    StageLists lists;
    const StagedSequence sequence{.place = 0, .blocks = table_, .n_before = n_tokens_, .n_after = n_tokens_ + n_new};
    const int n_anew = plan_.take(sequence, ids, lists);
    std::vector<int> slot(table_.size() * static_cast<std::size_t>(block_size_), -1);
    for (const StagedBlock& one : lists.load) move(records_[one.record], slot, one.block, Direction::kIn);
    for (int i = 0; i < n_anew; ++i) slot[static_cast<std::size_t>(i)] = i;
    for (int i = n_tokens_; i < n_tokens_ + n_new; ++i) slot[static_cast<std::size_t>(i)] = i;
    n_tokens_ += n_new;
    for (int i = 0; i < n_tokens_; ++i)
      ASSERT_EQ(slot[static_cast<std::size_t>(i)], i) << "of " << n_tokens_ << ", keeping " << keep_;
    for (const StagedBlock& one : lists.store) move(records_[one.record], slot, one.block, Direction::kOut);
    ASSERT_LE(records_.size(), static_cast<std::size_t>(kept_blocks(keep_, block_size_)));
    most_anew_ = std::max(most_anew_, n_anew);
    last_anew_ = n_anew;
  }

  void truncate(int n) {
    plan_.truncate(0, n);
    n_tokens_ = n;
  }

  int n_tokens() const { return n_tokens_; }
  int last_anew() const { return last_anew_; }

 private:
  enum class Direction { kIn, kOut };

  void move(std::vector<int>& record, std::vector<int>& slot, std::int32_t block, Direction direction) const {
    record.resize(static_cast<std::size_t>(block_size_), -1);
    const auto first = slot.begin() + static_cast<std::ptrdiff_t>(block) * block_size_;
    if (direction == Direction::kIn)
      std::ranges::copy(record, first);
    else
      std::copy_n(first, block_size_, record.begin());
  }

  int keep_;
  int block_size_;
  RecomputePlan plan_;
  std::vector<std::int32_t> table_;
  std::map<std::int64_t, std::vector<int>> records_;
  int n_tokens_ = 0;
  int most_anew_ = 0;
  int last_anew_ = 0;
};

TEST(RecomputePlan, ComputesAnewWhatLiesBeforeTheKeptBlocks) {
  Player player(6, 4);
  player.step(20);
  EXPECT_EQ(player.last_anew(), 0);  // a prompt holds all it needs
  player.step(1);
  EXPECT_EQ(player.last_anew(), 12);  // of 20 the newest 6 stay, and what shares a block with token 14: 12 and 13
}

TEST(RecomputePlan, WhateverComesAndGoesNothingIsMissing) {
  std::mt19937 random(5);
  for (const int keep : {1, 4, 6, 30}) {
    Player player(keep, 4);
    for (int i = 0; i < 400; ++i) {
      const int room = 200 - player.n_tokens();
      if (room < 9 || random() % 4 == 0)
        player.truncate(static_cast<int>(random() % static_cast<unsigned>(player.n_tokens() + 1)));
      else
        player.step(1 + static_cast<int>(random() % 9));
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace dachlast
