#include "core/engine/rope_tables.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dachlast {
namespace {

AttentionSpec with_rope(RopeSpec rope) {
  AttentionSpec attention;
  attention.rope = rope;
  return attention;
}

ModelSpec model_with(std::initializer_list<AttentionSpec> attentions) {
  ModelSpec model;
  for (const AttentionSpec& attention : attentions) model.layers.push_back({attention, {}});
  return model;
}

TEST(RopeTables, HoldCosAndSinOfEveryPosition) {
  // Pairs turn by theta^(−2i/4) = 1 and 1/10 radian per token.
  const ModelSpec model = model_with({with_rope({.theta = 100.0, .rotary_dim = 4, .scaling = {}})});
  const RopeTables tables(model, 50);
  const RopeTables::Table table = tables.of_layer(0);
  ASSERT_EQ(table.n_pairs, 2);
  EXPECT_FLOAT_EQ(table.cos[0], 1.0f);
  EXPECT_FLOAT_EQ(table.sin[0], 0.0f);
  EXPECT_FLOAT_EQ(table.from(49).cos[0], static_cast<float>(std::cos(49.0)));
  EXPECT_FLOAT_EQ(table.from(49).sin[1], static_cast<float>(std::sin(4.9)));
}

TEST(RopeTables, EqualAnglesShareATable) {
  const RopeSpec near{.theta = 100.0, .rotary_dim = 4, .scaling = {}};
  const RopeSpec far{.theta = 10000.0, .rotary_dim = 4, .scaling = {}};
  const ModelSpec model = model_with({with_rope(near), with_rope(far), with_rope(near)});
  const RopeTables tables(model, 16);
  EXPECT_EQ(tables.of_layer(0).cos.data(), tables.of_layer(2).cos.data());
  EXPECT_NE(tables.of_layer(0).cos.data(), tables.of_layer(1).cos.data());
  // 2 tables · (cos, sin) · 16 positions · 2 pairs · 4 bytes = 512
  EXPECT_DOUBLE_EQ(tables.bytes(), 512.0);
  EXPECT_DOUBLE_EQ(RopeTables::bytes_for(model, 16), 512.0);
}

TEST(RopeTables, LearnedPositionsNeedNone) {
  const ModelSpec model = model_with({AttentionSpec{}});
  EXPECT_DOUBLE_EQ(RopeTables(model, 1000).bytes(), 0.0);
}

TEST(RopeTables, AttentionFactorScalesBoth) {
  const YarnRopeScaling yarn{
      .factor = 4.0, .beta_fast = 32.0, .beta_slow = 1.0, .attention_factor = 1.5, .original_context = 64};
  const RopeTables tables(model_with({with_rope({.theta = 100.0, .rotary_dim = 4, .scaling = yarn})}), 8);
  const RopeTables::Table row = tables.of_layer(0).from(3);
  EXPECT_NEAR(row.cos[0] * row.cos[0] + row.sin[0] * row.sin[0], 1.5 * 1.5, 1e-6);
}

}  // namespace
}  // namespace dachlast
