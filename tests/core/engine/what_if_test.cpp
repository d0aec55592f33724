// What-ifs under the engine. Their outputs are no model's, but those of a model that can be written down: layers that share
// a cache have equal projections of K and V, and equal inputs of layers make the shortcut exact.
#include "core/model/what_if.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/engine/tiny_model.h"

namespace dachlast {
namespace {

// As in engine_test.cpp: sums in another order stay far below this, a wrong row or position does not.
constexpr double kTolerance = 2e-5;

EngineOptions options_with(const char* what_if) {
  EngineOptions options = options_for(64);
  if (*what_if != '\0') options.what_if = parse_what_if("--what-if", what_if);
  return options;
}

class OpLog : public trace::SpanSink {
 public:
  void add(const trace::Span& span) override {
    if (span.zone == trace::ZoneKind::kOp) flops[static_cast<std::size_t>(span.op)] += span.cost.flops.value;
  }
  double of(OpKind kind) const { return flops[static_cast<std::size_t>(kind)]; }
  std::array<double, kOpKindCount> flops{};
};

OpLog prefill_work(const ModelSpec& model, const char* what_if, int n_tokens) {
  TinyEngine tiny(model, options_with(what_if));
  OpLog log;
  tiny.engine.set_sink(&log);
  tiny.engine.prefill(some_ids(n_tokens, model.vocab_size));
  tiny.engine.set_sink(nullptr);
  return log;
}

TEST(WhatIfEngine, SharedLayersTakeAShareOfTheCache) {
  const double all = engine_memory(deep_model(), options_with("")).kv_cache_bytes;
  EXPECT_DOUBLE_EQ(engine_memory(deep_model(), options_with("shared-layers:2")).kv_cache_bytes, all / 2);
  EXPECT_DOUBLE_EQ(engine_memory(deep_model(), options_with("shared-layers:4")).kv_cache_bytes, all / 4);
  EXPECT_DOUBLE_EQ(TinyEngine(deep_model(), options_with("shared-layers:2")).engine.memory().kv_cache_bytes, all / 2);
}

TEST(WhatIfEngine, DecodeAfterAPrefillEqualsOnePrefill) {
  // Whatever a what-if computes, what it keeps must be what a later step needs.
  const ModelSpec model = deep_model();
  const auto ids = some_ids(30, model.vocab_size);
  for (const char* what_if : {"shared-layers:2", "shared-layers:3"}) {
    TinyEngine whole(model, options_with(what_if)), cut(model, options_with(what_if));
    const auto expected = copy_of(whole.engine.prefill(ids));
    cut.engine.prefill(std::span(ids).first(20));
    for (std::size_t i = 20; i < 29; ++i) cut.engine.decode({&ids[i], 1});
    EXPECT_LT(distance(cut.engine.decode({&ids[29], 1}), expected), kTolerance) << what_if;
  }
}

TEST(WhatIfEngine, WhatItComputesIsAnotherModels) {
  const ModelSpec model = deep_model();
  const auto ids = some_ids(30, model.vocab_size);
  TinyEngine plain(model, options_with(""));
  const auto expected = copy_of(plain.engine.prefill(ids));
  for (const char* what_if : {"shared-layers:2", "swiftkv:2"}) {
    TinyEngine changed(model, options_with(what_if));
    EXPECT_GT(distance(changed.engine.prefill(ids), expected), 1e-3) << what_if;
  }
}

TEST(WhatIfEngine, OneTokenHasNoShortcut) {
  // A prompt of one token passes all layers: nothing is left to skip.
  const ModelSpec model = deep_model();
  const auto ids = some_ids(1, model.vocab_size);
  TinyEngine plain(model, options_with("")), changed(model, options_with("swiftkv:1"));
  EXPECT_EQ(copy_of(changed.engine.prefill(ids)), copy_of(plain.engine.prefill(ids)));
}

TEST(WhatIfEngine, CutPromptsFillTheSameCache) {
  const ModelSpec model = deep_model();
  const auto ids = some_ids(40, model.vocab_size);
  EngineOptions options = options_with("swiftkv:2");
  TinyEngine whole(model, options);
  const auto expected = copy_of(whole.engine.prefill(ids));
  options.max_step_tokens = 7;
  TinyEngine cut(model, options);
  EXPECT_LT(distance(cut.engine.prefill(ids), expected), kTolerance);
  EXPECT_EQ(cut.engine.position(), 40);
}

TEST(WhatIfEngine, TheShortcutSkipsHalfOfThePrefillFromTheMiddleOn) {
  const OpLog plain = prefill_work(deep_model(), "", 40), shortcut = prefill_work(deep_model(), "swiftkv:2", 40);
  // MLPs: all 40 tokens in 2 of 4 layers, the last one in the other 2.
  EXPECT_DOUBLE_EQ(shortcut.of(OpKind::kMlpUp) / plain.of(OpKind::kMlpUp), (2 * 40.0 + 2 * 1) / (4 * 40));
  // Attention of query i to i + 1 keys: 820 pairs a layer; in 2 layers the last query's 40 alone.
  EXPECT_NEAR(shortcut.of(OpKind::kAttention) / plain.of(OpKind::kAttention), (2 * 820.0 + 2 * 40) / (4 * 820), 1e-9);
}

TEST(WhatIfEngine, ASharedLayerProjectsQueriesOnly) {
  const ModelSpec model = deep_model();
  const AttentionSpec& a = attention_of(model.layers[0]);
  const OpLog plain = prefill_work(model, "", 20), shared = prefill_work(model, "shared-layers:2", 20);
  const double share = 1.0 * a.n_heads / (a.n_heads + 2 * a.n_kv_heads);
  EXPECT_NEAR(shared.of(OpKind::kQkvProj) / plain.of(OpKind::kQkvProj), (1 + share) / 2, 1e-12);
  EXPECT_DOUBLE_EQ(shared.of(OpKind::kAttention), plain.of(OpKind::kAttention));
}

TEST(WhatIfEngine, QuantizedPanelsAreCutAtWholeOnes) {
  ModelSpec model = deep_model();
  const auto ids = some_ids(20, model.vocab_size);
  EngineOptions options = options_with("shared-layers:2");
  TinyEngine floats(model, options);
  const auto expected = copy_of(floats.engine.prefill(ids));
  options.precision.weights = kInt8Rows;
  TinyEngine packed(model, options);
  // int8 weights move these logits by hundredths (golden_test.cpp); a wrong row moves them by 1.
  EXPECT_LT(distance(packed.engine.prefill(ids), expected), 0.3);
}

TEST(WhatIfEngine, RefusesWhatItCannotRun) {
  EngineOptions options = options_with("swiftkv:2");
  options.logits = LogitsFor::kAllTokens;
  const ModelSpec model = deep_model();
  TinyEngine tiny(model, options);
  EXPECT_THROW(tiny.engine.prefill(some_ids(9, model.vocab_size), LogitsFor::kAllTokens), Error);
  EXPECT_THROW(TinyEngine(model, options_with("swiftkv:4")), Error);
  options = options_with("shared-layers:2");
  options.kv = parse_kv_spec("--kv", "offload:host");
  EXPECT_THROW(TinyEngine(model, options), Error);
}

}  // namespace
}  // namespace dachlast
