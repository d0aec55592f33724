#include "core/model/what_if.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"

namespace dachlast {
namespace {

ModelSpec four_layers() {
  ModelSpec model;
  model.name = "four";
  model.d_model = 64;
  model.vocab_size = 100;
  model.max_context = 512;
  RopeSpec rope;
  rope.rotary_dim = 16;
  LayerSpec layer;
  layer.mixer = AttentionSpec{.n_heads = 8, .n_kv_heads = 4, .head_dim = 16, .rope = rope};
  layer.feed_forward = MlpSpec{.d_ff = 128};
  model.layers.assign(4, layer);
  return model;
}

std::vector<Op> shortcut_ops(const WhatIf& what_if, int n_tokens) {
  std::vector<Op> ops = build_op_list(four_layers(), {Phase::kPrefill, 1, n_tokens, n_tokens}, {});
  take_shortcut(four_layers(), what_if, ops);
  return ops;
}

TEST(WhatIf, TextReadsBack) {
  for (const char* text : {"shared-layers:2", "swiftkv:1"}) EXPECT_EQ(text_of(parse_what_if("--what-if", text)), text);
  EXPECT_EQ(text_of(WhatIf{}), "");
  for (const char* text :
       {"", "shared-layers", "shared-layers:1", "shared-layers:x", "swiftkv:0", "swiftkv:2x", "kv:2"})
    EXPECT_THROW(parse_what_if("--what-if", text), Error) << text;
}

TEST(WhatIf, GroupsOfLayersReadTheFirstOnesCache) {
  const ModelSpec model = with_what_if(four_layers(), {.shared_layers = 3});
  EXPECT_EQ(attention_of(model.layers[0]).shares_kv_with, std::nullopt);
  EXPECT_EQ(attention_of(model.layers[2]).shares_kv_with, 0);
  EXPECT_EQ(attention_of(model.layers[3]).shares_kv_with, std::nullopt);
  EXPECT_THROW(with_what_if(four_layers(), {.shared_layers = 5}), Error);
  EXPECT_THROW(with_what_if(four_layers(), {.swiftkv_from = 4}), Error);
  ModelSpec mixed = four_layers();
  attention_of(mixed.layers[1]).window = 8;
  EXPECT_THROW(with_what_if(mixed, {.shared_layers = 2}), Error);
}

TEST(WhatIf, SharedAttentionHasTheShapeOfItsOwn) {
  const ModelSpec model = with_what_if(four_layers(), {.shared_layers = 2});
  const Step step{Phase::kDecode, 1, 1, 100};
  std::vector<Op> ops = build_op_list(model, step, {});
  shape_shared_attention(model, step, {}, ops);
  EXPECT_EQ(std::ranges::count(ops, OpKind::kKvWrite, &Op::kind), 2);  // of four layers the first and the third
  EXPECT_EQ(std::ranges::count(ops, OpKind::kAttention, &Op::kind), 4);
  for (const Op& op : ops) {
    if (op.kind != OpKind::kAttention) continue;
    const AttentionShape shape = std::get<AttentionShape>(op.shape);
    EXPECT_EQ(shape.n_heads, 8);
    EXPECT_EQ(shape.n_kv_heads, 4);
    EXPECT_EQ(shape.kv_len, 100);
  }
}

TEST(WhatIf, TheShortcutOnlyFillsLaterCaches) {
  const std::vector<Op> ops = shortcut_ops({.swiftkv_from = 2}, 10);
  const auto count = [&](OpKind kind) { return std::ranges::count(ops, kind, &Op::kind); };
  EXPECT_EQ(count(OpKind::kKvWrite), 4);
  EXPECT_EQ(count(OpKind::kAttention), 2);
  EXPECT_EQ(count(OpKind::kMlpUp), 2);
  EXPECT_EQ(count(OpKind::kLmHead) + count(OpKind::kSample), 0);
  for (const Op& op : ops) {
    const int n_heads = op.layer < 2 ? 8 : 0;  // queries are projected where they attend
    if (op.kind == OpKind::kQkvProj) {
      EXPECT_EQ(std::get<LinearShape>(op.shape).n, (n_heads + 2 * 4) * 16);
    }
    if (op.kind == OpKind::kRope) {
      EXPECT_EQ(std::get<RopeShape>(op.shape).n_heads, n_heads + 4);
    }
  }
}

}  // namespace
}  // namespace dachlast
