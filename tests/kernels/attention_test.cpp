#include "kernels/attention.h"

#include <gtest/gtest.h>

#include "tests/kernels/attention_problem.h"

namespace dachlast::kernels {
namespace {

using testing::AttentionPlan;
using testing::AttentionProblem;
using testing::contiguous;
using testing::expect_all_right;
using testing::SequencePlan;

class AttentionOf : public ::testing::TestWithParam<KvFormat> {};

INSTANTIATE_TEST_SUITE_P(Formats, AttentionOf, ::testing::ValuesIn(kAllKvFormats),
                         [](const auto& format) { return std::string(name_of(format.param)); });

TEST_P(AttentionOf, AnyHeadDim) {
  for (const int head_dim : {1, 3, 8, 15, 17, 32, 33, 40, 64, 80, 100, 128, 192, 255, 256}) {
    expect_all_right(contiguous(GetParam(), 2, 2, head_dim, {1, 70}));
    expect_all_right(contiguous(GetParam(), 2, 2, head_dim, {40, 70}));
  }
}

TEST_P(AttentionOf, LengthsAroundEveryTile) {
  // Blocks of 32 and 48 query rows, key tiles of 96, 128 and 1,024, score steps of 2, 4 and 8 keys, few rows up to 16.
  for (const int q_len : {1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 49, 97})
    for (const int past : {0, 1, 7, 30, 63, 95, 96, 127, 128})
      expect_all_right(contiguous(GetParam(), 1, 1, 16, {q_len, past + q_len}));
  for (const int q_len : {1, 8, 33})
    for (const int past : {1022, 1023, 1024, 2100})
      expect_all_right(contiguous(GetParam(), 1, 1, 16, {q_len, past + q_len}));
}

TEST_P(AttentionOf, QueriesBeyondOneUnit) {
  // Units hold 384 rows: 384 queries of 1 head, 128 of 3.
  expect_all_right(contiguous(GetParam(), 1, 1, 8, {400, 410}));
  expect_all_right(contiguous(GetParam(), 6, 2, 8, {130, 150}));
}

TEST_P(AttentionOf, EveryGroupSize) {
  for (const int group : {1, 2, 3, 4, 5, 6, 7, 8, 12, 16})
    for (const int q_len : {1, 3, 34}) expect_all_right(contiguous(GetParam(), group * 2, 2, 20, {q_len, q_len + 45}));
}

TEST_P(AttentionOf, ManyHeadsOnOneKvHead) {
  expect_all_right(contiguous(GetParam(), 71, 1, 64, {1, 130}));  // Falcon 7B
  expect_all_right(contiguous(GetParam(), 400, 1, 8, {2, 30}));   // more heads than a unit has rows
}

TEST_P(AttentionOf, WindowsHideOldKeys) {
  for (const int window : {1, 2, 31, 97, 500})
    for (const int q_len : {1, 20, 70})
      for (const int past : {0, 40, 270})
        expect_all_right(contiguous(GetParam(), 4, 2, 24, {q_len, past + q_len}, window));
}

TEST_P(AttentionOf, SinksAreSeenThroughWindows) {
  for (const int n_sinks : {1, 4, 200})
    for (const int q_len : {1, 20, 70}) {
      AttentionPlan plan = contiguous(GetParam(), 4, 2, 24, {q_len, 250 + q_len}, 33);
      plan.mask.n_sinks = n_sinks;
      expect_all_right(plan);
    }
}

TEST_P(AttentionOf, SoftcapBendsScores) {
  for (const int q_len : {1, 40})
    for (const int window : {0, 50})
      for (const float softcap : {2.0f, 50.0f}) {  // scores reach 8 here: far into the bend of 2
        AttentionPlan plan = contiguous(GetParam(), 2, 2, 64, {q_len, q_len + 90}, window);
        plan.softcap = softcap;
        expect_all_right(plan);
      }
}

TEST_P(AttentionOf, LargeScoresNeitherOverflowNorVanish) {
  // Scores up to ±500: exp(500) is no float, differences from the largest are.
  for (const int q_len : {1, 40}) {
    AttentionPlan plan = contiguous(GetParam(), 2, 2, 32, {q_len, q_len + 100});
    plan.scale = 25.0f;
    expect_all_right(plan);
  }
}

TEST_P(AttentionOf, WholeVectorsOfEveryRowCount) {
  // Widths that are multiplied as they are stored, groups of four query rows full and not, tiles of 128 keys and
  // stretches of 512 around their ends.
  for (const int head_dim : {32, 64, 96, 128, 256})
    for (const int group : {1, 4, 5, 16}) expect_all_right(contiguous(GetParam(), group, 1, head_dim, {1, 131}));
  for (const int kv_len : {127, 128, 129, 511, 512, 513, 1025})
    expect_all_right(contiguous(GetParam(), 4, 1, 64, {1, kv_len}));
}

TEST_P(AttentionOf, QueriesThatNoShortFormatHolds) {
  // Multiples of 2^-20: rounded by every kernel that does not compute in float.
  for (const int head_dim : {40, 64, 128})
    for (const int q_len : {1, 40}) {
      AttentionPlan plan = contiguous(GetParam(), 4, 2, head_dim, {q_len, q_len + 150});
      plan.q_grid = 0x1p20f;
      expect_all_right(plan);
    }
}

TEST_P(AttentionOf, LongCachesAreCutIntoStretches) {
  // 3 KV heads: 21 stretches at most; 2,500 slots make 3 of 896.
  expect_all_right(contiguous(GetParam(), 6, 3, 12, {1, 2500}));
  expect_all_right(contiguous(GetParam(), 6, 3, 12, {4, 2500}));
  expect_all_right(contiguous(GetParam(), 2, 1, 12, {2, 3000}, 1100));  // the window skips a stretch
  expect_all_right(contiguous(GetParam(), 40, 1, 8, {1, 2100}));        // more than a few rows
}

class AttentionOver : public ::testing::TestWithParam<KvLayout> {};

/// Odd widths: the last vector of a row and the last group of int4 are not full.
INSTANTIATE_TEST_SUITE_P(Layouts, AttentionOver, ::testing::ValuesIn(testing::all_layouts(2, 16, 40, 24)),
                         [](const auto& l) {
                           return std::string(name_of(l.param.format)) +
                                  (has_channel_scales(l.param) ? "_channel" : "_token");
                         });

TEST_P(AttentionOver, SequencesOfDifferentLengthsInScatteredBlocks) {
  for (const int block_size : {1, 5, 16, 64}) {
    KvLayout layout = GetParam();
    layout.block_size = block_size;
    expect_all_right({layout, 6, {{1, 77}, {40, 40}, {1, 1}, {3, 200}, {20, 131}}});
  }
}

TEST_P(AttentionOver, LongAndShortSequencesTogether) {
  expect_all_right({GetParam(), 4, {{1, 2100}, {5, 70}, {1, 30}, {2, 1500}}});
}

TEST_P(AttentionOver, RingsHoldPositionsInAnyOrder) {
  for (const int q_len : {1, 3, 40})
    for (const MaskRule mask : {MaskRule{}, MaskRule{50, 0}, MaskRule{50, 4}}) {
      AttentionPlan plan{GetParam(), 4, {{q_len, 150 + q_len, 9}, {1, 20, 1}}, mask};
      expect_all_right(plan);
    }
}

TEST_P(AttentionOver, SlicesDoNotChangeAnyBit) {
  for (const int q_len : {1, 5, 100})
    for (const int window : {0, 40}) {
      const AttentionProblem problem({GetParam(), 6, {{q_len, q_len + 30}, {1, 1500}}, {window, 0}, 10.0f});
      testing::for_each_build(attention_variants(), [&](const AttentionVariant& variant) {
        const auto whole = problem.run(variant);
        for (const int pieces : {2, 5, problem.n_units(), problem.n_units() + 3})
          EXPECT_EQ(testing::first_difference(whole, problem.run(variant, pieces)), -1)
              << problem.name(variant.name) << ", " << pieces << " slices";
      });
    }
}

TEST_P(AttentionOver, LatentRowsServeAsKeysAndValues) {
  KvLayout layout = GetParam();
  layout.values = KvValues::kInKeys;
  layout.n_kv_heads = 1;
  layout.head_dim = 72;
  layout.value_dim = 64;
  for (const int n_heads : {4, 16, 40}) {
    expect_all_right({layout, n_heads, {{1, 90}, {1, 1400}}});
    expect_all_right({layout, n_heads, {{20, 90}}});
  }
}

TEST(AttentionMla, FullWidthOfDeepSeek) {
  // Absorbed form: 512 latent elements that are also the values, and 64 of RoPE.
  const KvLayout layout{KvFormat::kBF16, KeyScales::kPerToken, KvValues::kInKeys, 1, 64, 576, 512};
  expect_all_right({layout, 16, {{1, 150}}});
  expect_all_right({layout, 128, {{1, 150}}});
}

TEST(AttentionUnits, CountsQueryTilesOrStretchesOfEveryKvHead) {
  const auto units = [](int n_heads, int n_kv_heads, const SequencePlan& s) {
    return AttentionProblem(contiguous(KvFormat::kF32, n_heads, n_kv_heads, 1, s)).n_units();
  };
  // Group 4: tiles of 384 / 4 = 96 queries; ceil(200 / 96) = 3 of each of 2 KV heads.
  EXPECT_EQ(units(8, 2, {200, 200}), 6);
  EXPECT_EQ(units(8, 2, {1, 1024}), 2);
  // 5,000 slots: ceil(5000 / 1024) = 5 stretches of 1,024.
  EXPECT_EQ(units(8, 2, {1, 5000}), 10);
  // 70,000 slots, 2 KV heads: 64 / 2 stretches each, of 2,188 slots; in whole tiles of 128 that is 2,304, and 31 do.
  EXPECT_EQ(units(2, 2, {1, 70'000}), 62);
}

TEST(AttentionStates, HoldThePartialResultsOfDecode) {
  // 2 sequences · 5 stretches · 8 heads · (16 + 2).
  EXPECT_EQ(attention_state_floats({2, 1, 5000, 8, 2, 16, 16}), 2u * 5 * 8 * 18);
  EXPECT_EQ(attention_state_floats({2, 1, 1024, 8, 2, 16, 16}), 0u);
  // A prefill of 512 may be followed by steps of up to 4 queries.
  EXPECT_EQ(attention_state_floats({1, 512, 5000, 8, 2, 16, 16}), 1u * 5 * 4 * 8 * 18);
}

TEST(AttentionVariants, OrderAndNames) {
  EXPECT_EQ(attention_variant_for(KvFormat::kF32).name, "tiled");
  EXPECT_EQ(attention_variant_for(KvFormat::kBF16, "naive").name, "naive");
  EXPECT_EQ(attention_variants().back().name, "reference");
}

TEST(AttentionVariants, PlansReserveScratchForAnyCpu) {
  const AttentionSizes sizes{1, 512, 4096, 32, 8, 128, 128};
  for (const KvFormat format : kAllKvFormats) {
    const std::size_t planned = planned_scratch_floats(format, sizes);
    EXPECT_GE(planned, attention_variant_for(format).scratch_floats(sizes));
    EXPECT_GE(planned, attention_variant_for(format, "tiled").scratch_floats(sizes));
    EXPECT_EQ(planned_scratch_floats(format, sizes, "reference"), 4096u);
  }
}

TEST(AttentionCost, OfACallCountsWhatItsSequencesSee) {
  // 1 query over 10 keys and 3 over 3: 10 + (1 + 2 + 3) pairs; 4 heads, 2 · (8 + 8) FLOP a pair and head.
  const std::vector<std::int32_t> table{0, 1};
  const KvSequence sequences[] = {{table, 10, {}, {}, 1, 9, 0}, {table, 3, {}, {}, 3, 0, 1}};
  AttentionCall call{.n_heads = 4, .rule = {}, .mask = {}, .q = {}, .q_stride = 0, .kv = {}, .out = {}, .states = {}};
  call.kv.pool.layout = {KvFormat::kInt8, KeyScales::kPerToken, KvValues::kOwnRows, 2, 8, 8, 8};
  call.kv.sequences = sequences;
  EXPECT_DOUBLE_EQ(attention_cost(call).flops.value, 16.0 * 4 * 2 * 16);
  // A token: 2 heads · 2 rows · (8 codes + 4 bytes of scale); 13 tokens, and two tables of 8 bytes.
  EXPECT_DOUBLE_EQ(attention_cost(call).kv_read_bytes.value, 13 * 48.0 + 16.0);
  // Window 4 and 2 sinks: the first sees 4 + 2 of its 10 keys.
  call.mask = {4, 2};
  EXPECT_DOUBLE_EQ(attention_cost(call).flops.value, 12.0 * 4 * 2 * 16);
  EXPECT_DOUBLE_EQ(attention_cost(call).kv_read_bytes.value, 9 * 48.0 + 16.0);
}

TEST(AttentionVariants, NoneButTheNaiveNeedsMoreScratchForLongerContexts) {
  const AttentionSizes brief{1, 512, 512, 8, 2, 64, 64}, lengthy{1, 512, 100'000, 8, 2, 64, 64};
  for (const AttentionVariant& variant : attention_variants()) {
    if (variant.name == "tiled" || variant.name == "bf16") {
      EXPECT_EQ(variant.scratch_floats(brief), variant.scratch_floats(lengthy)) << variant.name;
    }
    if (variant.name == "naive") {
      EXPECT_GE(variant.scratch_floats(lengthy), 512u * 100'000u);
    }
  }
}

}  // namespace
}  // namespace dachlast::kernels
