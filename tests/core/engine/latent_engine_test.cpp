// Multi-head latent attention under every kind of cache, held against one contiguous cache of floats. That this one is
// right, tests/architecture says.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/base/error.h"
#include "core/engine/latent_form.h"
#include "kernels/cost.h"
#include "tests/core/engine/tiny_model.h"

namespace dachlast {
namespace {

using Ids = std::vector<std::int32_t>;

/// 2 layers, 3 heads of 10 + 6, a latent of 19.
ModelSpec latent_model() {
  ModelSpec model = tiny_model();
  MlaSpec latent;
  latent.n_heads = 3;
  latent.q_lora_rank = 21;
  latent.kv_lora_rank = 19;
  latent.qk_nope_head_dim = 10;
  latent.qk_rope_head_dim = 6;
  latent.v_head_dim = 7;
  latent.scale = 0.25;
  latent.rope = {.theta = 10000.0, .rotary_dim = 6, .scaling = {}, .pairs = RopePairs::kNeighbours};
  for (LayerSpec& layer : model.layers) layer.mixer = latent;
  return model;
}

/// A latent wider than a head's keys and values together, as DeepSeek's: rebuilding can pay.
ModelSpec wide_latent_model() {
  ModelSpec model = latent_model();
  for (LayerSpec& layer : model.layers) std::get<MlaSpec>(layer.mixer).kv_lora_rank = 45;
  return model;
}

std::vector<float> all_logits(const EngineOptions& options, const ModelSpec& model = latent_model()) {
  return logits_of_text(model, options);
}

class ExactLatentCaches : public testing::TestWithParam<std::string> {};

TEST_P(ExactLatentCaches, HoldWhatTheContiguousOneHolds) {
  const auto expected = all_logits(options_for(96));
  EngineOptions options = options_for(96, GetParam());
  EXPECT_LT(distance(all_logits(options), expected), kSumTolerance);
  options.max_step_tokens = 7;
  EXPECT_LT(distance(all_logits(options), expected), kSumTolerance) << "in steps of 7";
}

INSTANTIATE_TEST_SUITE_P(Kinds, ExactLatentCaches,
                         testing::Values("paged:1", "paged:16", "window:80", "sink:3+77", "offload:host:8",
                                         "recompute:20"),
                         [](const auto& spec) { return test_name_of(spec.param); });

TEST(LatentCache, ARingEqualsAMaskOverTheWholeCache) {
  for (const char* text : {"window:9", "sink:4+20"}) {
    const ModelSpec masked = with_reach(latent_model(), parse_kv_spec("--kv", text));
    const auto expected = all_logits(options_for(96), masked);
    EXPECT_GT(distance(expected, all_logits(options_for(96))), 1e-3) << text << " hides nothing";
    EXPECT_LT(distance(all_logits(options_for(96, text)), expected), kSumTolerance) << text;
  }
}

TEST(LatentCache, NarrowFormatsLoseInProportionToTheirRounding) {
  const auto exact = all_logits(options_for(96));
  const auto error = [&](const char* spec) {
    EngineOptions options = options_for(96, spec);
    options.attention_variant = "tiled";  // float arithmetic: only what is stored is rounded
    return distance(all_logits(options), exact);
  };
  const double per_unit = error("bf16") / 0x1p-9;
  ASSERT_GT(per_unit, 0.0);
  // Shares of a row's largest element that storing rounds off, see kv_engine_test.cpp.
  EXPECT_LT(error("int8"), 4.0 * 0.5 / 127 * per_unit);
  EXPECT_LT(error("paged:4,int4"), 4.0 / 15 * per_unit);
  EXPECT_LT(error("paged:8,int8:channel"), 4.0 * 0.5 / 127 * per_unit);
}

TEST(LatentCache, TakesOneRowATokenWhateverTheHeads) {
  // 2 layers, 96 tokens, rows of 19 + 6: floats 100 B; int8 25 B and a scale of 4.
  for (const auto& [spec, row_bytes] : {std::pair("f32", 100), std::pair("int8", 29)}) {
    const EngineOptions options = options_for(96, spec);
    const EngineMemory stated = engine_memory(latent_model(), options);
    EXPECT_NEAR(stated.kv_cache_bytes, 2.0 * 96 * row_bytes, 4 * 64) << spec;  // four parts, each in whole cache lines
    const TinyEngine tiny(latent_model(), options);
    EXPECT_EQ(tiny.engine.memory().kv_cache_bytes, stated.kv_cache_bytes) << spec;
    EXPECT_EQ(tiny.engine.memory().total_bytes(), stated.total_bytes()) << spec;
  }
}

TEST(LatentCache, SequencesOfDifferentLengthsEqualThemselvesAlone) {
  // Alone the prompt is rebuilt, among others absorbed: in bf16 what is rounded differs, as in RebuildingReadsWhatTheCacheKept.
  for (const auto& [spec, tolerance] :
       {std::pair("contiguous", kSumTolerance), std::pair("paged:4", kSumTolerance), std::pair("paged:4,bf16", 0.1)}) {
    EngineOptions options = options_for(64, spec);
    options.batch_size = 2;
    TinyEngine tiny(latent_model(), options);
    const Ids a = some_ids(40, 61, 1), b = some_ids(40, 61, 2);
    const SequenceId id_a = tiny.engine.add_sequence(), id_b = tiny.engine.add_sequence();
    tiny.engine.step(std::vector<SequenceStep>{{id_a, std::span(a).first(17)}});
    const StepOutcome mixed =
        tiny.engine.step(std::vector<SequenceStep>{{id_b, std::span(b).first(9)}, {id_a, std::span(a).subspan(17, 1)}});
    const std::vector<float> logits = copy_of(mixed.logits);
    EngineOptions one = options;
    one.batch_size = 1;
    TinyEngine alone_a(latent_model(), one), alone_b(latent_model(), one);
    EXPECT_LT(distance(std::span(logits).first(61), alone_b.engine.prefill(std::span(b).first(9))), tolerance);
    EXPECT_LT(distance(std::span(logits).last(61), alone_a.engine.prefill(std::span(a).first(18))), tolerance);
  }
}

TEST(LatentCache, ThreadsDoNotChangeABit) {
  ModelSpec wide = latent_model();
  for (LayerSpec& layer : wide.layers) {
    MlaSpec& latent = std::get<MlaSpec>(layer.mixer);
    latent.n_heads = 7;
    latent.kv_lora_rank = 130;
    latent.qk_nope_head_dim = 66;
    latent.v_head_dim = 65;
  }
  const auto run = [&](int n_threads) {
    EngineOptions options = options_for(96, "bf16");
    options.n_threads = n_threads;
    return all_logits(options, wide);
  };
  const auto one = run(1);
  for (const int n_threads : {2, 5}) EXPECT_EQ(run(n_threads), one) << n_threads;
}

/// Quantized weights: all matrices but the up projection of latents, which stays in bf16.
TEST(LatentCache, RunsWithQuantizedWeights) {
  const auto exact = all_logits(options_for(96));
  EngineOptions options = options_for(96);
  options.precision.weights = kInt8Groups32;
  const auto rounded = all_logits(options);
  // Codes of 8 bits are off by up to 1/254 of a group's largest weight, and so are activations, over a dozen products.
  EXPECT_LT(distance(rounded, exact), 0.5);
  EXPECT_GT(distance(rounded, exact), 1e-4);
}

Step step_of(int q_len, int kv_len) {
  return {.phase = Phase::kPrefill, .batch_size = 1, .q_len = q_len, .kv_len = kv_len};
}

/// 2 · 45 − 10 − 7 = 73 FLOP · 2 saved a pair, 45 · 17 = 765 · 2 more for each token that is not new.
TEST(LatentForm, IsTheOneOfLessWork) {
  const ModelSpec model = wide_latent_model();
  EXPECT_EQ(cheapest_form(model, step_of(1, 1)), LatentForm::kRebuilt);    // 0 against 73
  EXPECT_EQ(cheapest_form(model, step_of(1, 90)), LatentForm::kAbsorbed);  // 765 · 89 against 73 · 90
  EXPECT_EQ(cheapest_form(model, step_of(11, 90)), LatentForm::kRebuilt);  // 765 · 79 against 73 · (11 · 90 − 55)
  EXPECT_EQ(cheapest_form(model, step_of(9, 90)), LatentForm::kAbsorbed);  // 765 · 81 against 73 · (9 · 90 − 36)
  // 2 · 19 − 17 = 21 and 19 · 17 = 323.
  EXPECT_EQ(cheapest_form(latent_model(), step_of(10, 90)), LatentForm::kAbsorbed);
  const SequenceLengths lengths[] = {{50, 50}, {1, 3}};
  EXPECT_EQ(cheapest_form(model, ragged_step(Phase::kPrefill, lengths)), LatentForm::kAbsorbed);
}

class FormSeen : public trace::SpanSink {
 public:
  void add(const trace::Span& span) override {
    if (span.zone == trace::ZoneKind::kOp && span.op == OpKind::kLatentUp) ++n_raised;
  }
  int n_raised = 0;
};

/// More tokens than an absorbed step has room for: sequences of different lengths are rebuilt too.
TEST(LatentForm, LargeStepsOfDifferentLengthsAreRebuilt) {
  ModelSpec model = wide_latent_model();
  model.max_context = 1024;
  EngineOptions options = options_for(700, "paged:16");
  options.batch_size = 2;
  TinyEngine tiny(model, options);
  const Ids a = some_ids(600, 61, 1), b = some_ids(500, 61, 2);
  const SequenceId id_a = tiny.engine.add_sequence(), id_b = tiny.engine.add_sequence();
  const StepOutcome both = tiny.engine.step(std::vector<SequenceStep>{{id_a, std::span(a)}, {id_b, std::span(b)}});
  const std::vector<float> logits = copy_of(both.logits);
  options.batch_size = 1;
  options.max_step_tokens = 3;  // absorbed
  TinyEngine alone_a(model, options), alone_b(model, options);
  EXPECT_LT(distance(std::span(logits).first(61), alone_a.engine.prefill(a)), kSumTolerance);
  EXPECT_LT(distance(std::span(logits).last(61), alone_b.engine.prefill(b)), kSumTolerance);
}

/// Prefill in one step rebuilds, one token at a time absorbs: the same logits.
TEST(LatentForm, BothGiveTheSameLogits) {
  for (const char* spec : {"contiguous", "paged:4", "window:20", "offload:host:8"}) {
    const ModelSpec model = wide_latent_model();
    EngineOptions options = options_for(96, spec);
    options.batch_size = 2;
    const Ids ids = some_ids(100, 61);
    TinyEngine rebuilt(model, options);
    FormSeen seen;
    rebuilt.engine.set_sink(&seen);
    const auto whole = copy_of(rebuilt.engine.prefill(ids));
    EXPECT_EQ(seen.n_raised, 2 * 2) << spec << ": queries, and keys with values, in either layer";
    const auto next = copy_of(rebuilt.engine.decode(std::span(ids).first(2)));
    EXPECT_EQ(seen.n_raised, 2 * 2 + 2 * 3) << spec << ": queries, keys, values";
    options.max_step_tokens = 3;
    TinyEngine absorbed(model, options);
    EXPECT_LT(distance(absorbed.engine.prefill(ids), whole), kSumTolerance) << spec;
    EXPECT_LT(distance(absorbed.engine.decode(std::span(ids).first(2)), next), kSumTolerance) << spec;
  }
}

TEST(LatentForm, RebuildingReadsWhatTheCacheKept) {
  for (const char* spec : {"int8", "paged:8,int4", "paged:8,int8:channel", "bf16"}) {
    EngineOptions options = options_for(96, spec);
    options.attention_variant = "tiled";
    const auto whole = all_logits(options, wide_latent_model());
    options.max_step_tokens = 3;
    // Rebuilt K and V are rounded to bf16, 2^-9 of each; with scales along channels the cut decides which keys are sealed.
    EXPECT_LT(distance(all_logits(options, wide_latent_model()), whole), 0.1) << spec;
  }
}

TEST(LatentCache, WhatIfsAreRefusedByName) {
  EngineOptions options = options_for(96);
  options.what_if.shared_layers = 2;
  try {
    TinyEngine tiny(latent_model(), options);
    FAIL() << "it ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("K and V heads"), std::string::npos) << error.what();
  }
}

class AttentionCost : public trace::SpanSink {
 public:
  void add(const trace::Span& span) override {
    if (span.zone != trace::ZoneKind::kOp) return;
    if (span.op == OpKind::kAttention) attention += span.cost;
    if (span.op == OpKind::kLatentUp) raised += span.cost;
  }
  OpCost attention, raised;
};

TEST(LatentCache, DecodeCountsWhatItReads) {
  TinyEngine tiny(latent_model(), options_for(96, "int8"));
  const Ids ids = some_ids(31, 61);
  tiny.engine.prefill(std::span(ids).first(30));
  AttentionCost cost;
  tiny.engine.set_sink(&cost);
  tiny.engine.decode({&ids[30], 1});
  tiny.engine.set_sink(nullptr);
  // 2 layers, 31 rows of 25 codes and a scale, read once for all heads; 3 heads, 2 · (25 + 19) FLOP a pair.
  EXPECT_DOUBLE_EQ(cost.attention.kv_read_bytes.value, 2.0 * 31 * (25 + 4));
  EXPECT_DOUBLE_EQ(cost.attention.flops.value, 2.0 * 31 * 3 * 2 * (25 + 19));
  // Queries 3 · 10 · 16 from 21; keys 3 · 19 · 10, values 3 · 7 · 19.
  EXPECT_DOUBLE_EQ(cost.raised.flops.value, 2.0 * 2 * (3 * 16 * 21 + 3 * 19 * 10 + 3 * 7 * 19));
}

}  // namespace
}  // namespace dachlast
