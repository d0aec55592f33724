#include "core/viewmodel/kv_cache_view.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/viewmodel/format.h"
#include "tests/support/sample_run.h"

namespace dachlast::viewmodel {
namespace {

using KvRun = dachlast::Run;

/// Eight blocks of four tokens: request 0 holds 10 tokens in blocks 0, 1, 2, request 1 six in 0 (shared) and 3; block 4 is cached.
KvUsage small_cache() {
  KvUsage kv;
  kv.n_blocks = 8;
  kv.block_size = 4;
  kv.block_bytes = 4096.0;
  kv.peak_blocks = 4;
  kv.held_tokens = 12;  // 4 shared once, 4 + 2 of request 0, 2 of request 1
  kv.internal_fragmentation_tokens = 4;
  kv.saved_tokens = 4;
  const KvMoment moment{3, 0.5, 4, 1, 12, 0, {{0, 10, {0, 1, 2}}, {1, 6, {0, 3}}}, {4}};
  KvMoment later = moment;
  later.step = 4;
  later.time_s = 0.75;
  kv.moments = {moment, later};
  return kv;
}

KvRun served_run() {
  KvRun run = test::sample_run();
  run.kv = "paged:4";
  run.serving = Serving{2, 256, 4, 1.0, {{7, 0, 0, 0.1, {0.1, 0.1}}, {4, 0, 0, 0.1, {0.1}}}, {}};
  run.serving->kv = small_cache();
  return run;
}

TEST(BlockCells, KnowStateFillingAndUsers) {
  const KvUsage kv = small_cache();
  const auto cells = block_cells(kv, kv.moments.front());
  ASSERT_EQ(cells.size(), 8u);
  EXPECT_EQ(cells[0].state, BlockState::kShared);
  EXPECT_EQ(cells[0].n_users, 2);
  EXPECT_EQ(cells[1].state, BlockState::kLive);
  EXPECT_EQ(cells[2].n_tokens, 2);  // 10 − 2 · 4
  EXPECT_EQ(cells[2].position, 8);
  EXPECT_EQ(cells[3].request, 1);
  EXPECT_EQ(cells[4].state, BlockState::kCached);
  EXPECT_EQ(cells[5].state, BlockState::kFree);
}

TEST(BlockCells, IgnoreBlocksThatDoNotExist) {
  KvUsage kv = small_cache();
  kv.moments.front().sequences = {{0, 8, {-1, 99}}};
  kv.moments.front().cached = {8, -5};
  const auto cells = block_cells(kv, kv.moments.front());
  EXPECT_TRUE(std::ranges::all_of(cells, [](const BlockCell& cell) { return cell.state == BlockState::kFree; }));
}

TEST(KvCacheView, NeedsServedRequests) {
  EXPECT_FALSE(kv_cache_view(test::sample_run()));
}

TEST(KvCacheView, StatesBlockAndTokenUseApart) {
  const auto view = kv_cache_view(served_run());
  ASSERT_TRUE(view);
  // 12 of 32 slots = 37.5 % → 38 %; 4 of 8 blocks = 50 %; 4 of 32 slots wasted = 12.5 % → 12 or 13 %.
  EXPECT_NE(plain_spaces(view->answer).find("38 % of its slots"), std::string::npos) << view->answer;
  EXPECT_NE(plain_spaces(view->answer).find("50 % of its blocks"), std::string::npos) << view->answer;
  EXPECT_TRUE(view->no_map.empty());
}

TEST(KvCacheView, StatesCapacityInTokensFirst) {
  // 8 · 4 = 32 tokens. Requests of 7 + 3 and 4 + 2 tokens: 8 on average, two blocks each, four at once.
  const auto view = kv_cache_view(served_run());
  EXPECT_TRUE(plain_spaces(view->capacity).starts_with("Capacity: 32 tokens, in 8 blocks")) << view->capacity;
  EXPECT_NE(plain_spaces(view->capacity).find("4 requests at once of 8 tokens"), std::string::npos) << view->capacity;
}

TEST(KvCacheView, CountsTheWasteOfOtherBlockSizes) {
  const auto view = kv_cache_view(served_run());
  const auto row = std::ranges::find_if(view->block_sizes.rows,
                                        [](const auto& cells) { return std::get<std::int64_t>(cells[0].raw) == 8; });
  ASSERT_NE(row, view->block_sizes.rows.end());
  EXPECT_EQ(std::get<std::int64_t>((*row)[1].raw), 3);  // ⌈10 / 8⌉ + ⌈6 / 8⌉
  EXPECT_EQ(std::get<std::int64_t>((*row)[2].raw), 8);  // 3 · 8 − 16
}

TEST(KvCacheView, SaysWhyThereIsNoMap) {
  KvRun run = served_run();
  run.kv = "contiguous";
  EXPECT_NE(kv_cache_view(run)->no_map.find("contiguous"), std::string::npos);
  run = served_run();
  run.serving->kv.moments.clear();
  EXPECT_FALSE(kv_cache_view(run)->no_map.empty());
  EXPECT_TRUE(kv_cache_view(run)->block_sizes.rows.empty());
}

int hit_boxes(const figure::Figure& figure) {
  return static_cast<int>(std::ranges::count_if(
      figure.primitives, [](const auto& p) { return std::holds_alternative<figure::HitBox>(p); }));
}

TEST(OccupancyFigure, HasACellForEveryBlock) {
  EXPECT_EQ(hit_boxes(occupancy_figure(small_cache(), 0, {400.0, 300.0}, "m")), 8);
  EXPECT_EQ(hit_boxes(occupancy_figure(small_cache(), 7, {400.0, 300.0}, "m")), 0);
}

TEST(OccupancyFigure, JoinsBlocksOfALargePool) {
  KvUsage kv = small_cache();
  kv.n_blocks = 100'000;
  const auto drawn = occupancy_figure(kv, 0, {800.0, 600.0}, "m");
  EXPECT_LT(drawn.primitives.size(), 2u * kMostBlockCells + 50u);
  const bool told = std::ranges::any_of(drawn.primitives, [](const auto& p) {
    const auto* text = std::get_if<figure::Text>(&p);
    return text != nullptr && text->text == "5 blocks a cell";
  });
  EXPECT_TRUE(told);
}

TEST(KvFigures, DrawEveryPartAndMoment) {
  EXPECT_EQ(hit_boxes(kv_history_figure(small_cache(), 1, {600.0, 240.0}, "h")), 2);
  EXPECT_EQ(hit_boxes(waste_figure(small_cache(), {600.0, 90.0}, "w")), 3);  // held, internal fragmentation, free
  EXPECT_EQ(hit_boxes(kv_history_figure(KvUsage{}, 0, {600.0, 240.0}, "h")), 0);
  EXPECT_EQ(hit_boxes(waste_figure(KvUsage{}, {600.0, 90.0}, "w")), 0);
}

}  // namespace
}  // namespace dachlast::viewmodel
