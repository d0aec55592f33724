// Caches of which only the layers in work are at hand, or whose beginning is computed anew, against the plain cache.
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "core/base/error.h"
#include "core/engine/batch_runner.h"
#include "core/model/op_list.h"
#include "kernels/cost.h"
#include "tests/core/engine/tiny_model.h"

namespace dachlast {
namespace {

using Ids = std::vector<std::int32_t>;

// Sums in another order, of keys that are rounded to int8 anew: one that lies between two codes becomes the other.
constexpr double kRoundingTolerance = 1e-3;

/// Five layers, so that slots change hands and their number is odd.
ModelSpec deep_model() {
  ModelSpec model = tiny_model();
  while (model.layers.size() < 5) model.layers.push_back(model.layers.front());
  return model;
}

/// Logits after a prefill of 50 tokens, each of 20 decode steps, and 10 more after 15 were cut off.
std::vector<float> all_logits(const ModelSpec& model, const EngineOptions& options) {
  TinyEngine tiny(model, options);
  const Ids ids = some_ids(80, 61);
  std::vector<float> logits = copy_of(tiny.engine.prefill(std::span(ids).first(50)));
  const auto decode = [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      const auto step = tiny.engine.decode({&ids[i], 1});
      logits.insert(logits.end(), step.begin(), step.end());
    }
  };
  decode(50, 70);
  tiny.engine.truncate(55);
  decode(65, 75);
  return logits;
}

class StagedCaches : public testing::TestWithParam<std::string> {};

TEST_P(StagedCaches, HoldWhatThePlainOneHolds) {
  const std::string format = GetParam().find("int8") == std::string::npos ? "f32" : "int8";
  const auto expected = all_logits(deep_model(), options_for(96, "paged:16," + format));
  EngineOptions options = options_for(96, GetParam());
  const bool rounds_anew = options.kv.recompute_keep > 0 && format == "int8";
  const double tolerance = rounds_anew ? kRoundingTolerance : kSumTolerance;
  EXPECT_LT(distance(all_logits(deep_model(), options), expected), tolerance);
  options.max_step_tokens = 7;
  EXPECT_LT(distance(all_logits(deep_model(), options), expected), tolerance) << "in steps of 7";
  options.n_threads = 2;
  EXPECT_LT(distance(all_logits(deep_model(), options), expected), tolerance) << "by two threads";
}

INSTANTIATE_TEST_SUITE_P(Kinds, StagedCaches,
                         testing::Values("offload:host", "offload:host:4", "offload:file", "offload:file:16",
                                         "offload:file:16,int8", "recompute:1", "recompute:20", "recompute:90",
                                         "recompute:9,int8"),
                         [](const auto& spec) { return test_name_of(spec.param); });

TEST(StagedCaches, KeysWithScalesAlongChannelsGoToTheTierToo) {
  TinyEngine plain(deep_model(), options_for(96, "paged:8,int8:channel"));
  TinyEngine tiered(deep_model(), options_for(96, "offload:host:8,int8:channel"));
  const Ids ids = some_ids(60, 61);
  plain.engine.prefill(std::span(ids).first(50));
  tiered.engine.prefill(std::span(ids).first(50));
  for (std::size_t i = 50; i < 60; ++i)
    EXPECT_LT(distance(tiered.engine.decode({&ids[i], 1}), copy_of(plain.engine.decode({&ids[i], 1}))), kSumTolerance);
}

TEST(StagedCaches, TakeTheMemoryTheyState) {
  for (const char* spec : {"offload:host:16", "offload:file:16", "recompute:20", "offload:host:8,int8:channel"}) {
    const EngineOptions options = options_for(96, spec);
    EXPECT_EQ(TinyEngine(deep_model(), options).engine.memory().kv_cache_bytes,
              engine_memory(deep_model(), options).kv_cache_bytes)
        << spec;
  }
  // 1 head of 10 floats for K and V: 80 B a token. Slots of 96 tokens: 2 · 7,680. A chunk of 16 tokens, 1,280 B, becomes one
  // block of 4,096 B, with as much to align it. The file lies elsewhere.
  EXPECT_DOUBLE_EQ(engine_memory(deep_model(), options_for(96, "offload:file:16")).kv_cache_bytes,
                   2.0 * 96 * 80 + 2 * 4096);
}

TEST(StagedCaches, CountWhatMoves) {
  TinyEngine tiny(deep_model(), options_for(96, "offload:file:16"));
  const Ids ids = some_ids(51, 61);
  tiny.engine.prefill(std::span(ids).first(50));
  // 50 tokens are 4 chunks of 16 in each of 5 layers; nothing was there before.
  KvTraffic traffic = tiny.engine.kv_traffic().value();
  EXPECT_EQ(traffic.n_reads, 0);
  EXPECT_DOUBLE_EQ(traffic.written_bytes, 5.0 * 4 * 4096);
  tiny.engine.decode({&ids[50], 1});
  traffic = tiny.engine.kv_traffic().value() - traffic;
  EXPECT_DOUBLE_EQ(traffic.read_bytes, 5.0 * 4 * 4096);
  EXPECT_DOUBLE_EQ(traffic.written_bytes, 5.0 * 1 * 4096);
  EXPECT_NE(tiny.engine.kv_tier_description().find("file"), std::string::npos);
  EXPECT_EQ(TinyEngine(tiny_model(), options_for(96, "paged:16")).engine.kv_traffic(), std::nullopt);
}

class SpanSum : public trace::SpanSink {
 public:
  void add(const trace::Span& span) override {
    if (span.zone == trace::ZoneKind::kOp) cost += span.cost;
  }
  OpCost cost;
};

TEST(StagedCaches, RecomputedTokensCostWhatTheirPrefillCosts) {
  TinyEngine tiny(deep_model(), options_for(96, "recompute:20"));
  const Ids ids = some_ids(81, 61);
  tiny.engine.prefill(std::span(ids).first(80));
  SpanSum sum;
  tiny.engine.set_sink(&sum);
  tiny.engine.decode({&ids[80], 1});
  tiny.engine.set_sink(nullptr);
  // Of 80 tokens the newest 20 stay, and with them the block of token 60, which begins at 48.
  EXPECT_EQ(tiny.engine.kv_traffic()->n_recomputed_tokens, 48);
  const auto flops = [&](const Step& step) {
    double work = 0.0;
    for (const Op& op : build_op_list(tiny.spec, step, tiny.options.precision))
      if (op.layer >= 0) work += kernels::op_cost(op.shape).flops.value;
    return work;
  };
  const double head = 2.0 * tiny.spec.vocab_size * tiny.spec.d_model;  // of the one token that wants logits
  EXPECT_NEAR(sum.cost.flops.value, flops({Phase::kPrefill, 1, 48, 48}) + flops({Phase::kDecode, 1, 1, 81}) + head,
              0.02 * sum.cost.flops.value)
      << "but for the last norm and the choice";
}

TEST(StagedCaches, SeveralSequencesComeAndGo) {
  std::vector<BatchRequest> wanted;
  for (int i = 0; i < 7; ++i)
    wanted.push_back({.prompt = some_ids(5 + 7 * i % 23, 61, i + 1), .n_generate = 4 + i % 5});
  const auto texts = [&](const char* spec, int at_once) {
    EngineOptions options = options_for(48, spec);
    options.batch_size = at_once;
    options.max_step_tokens = 8;
    options.sharing = PrefixSharing::kOn;
    TinyEngine tiny(deep_model(), options);
    std::vector<Ids> ids;
    for (const BatchAnswer& answer : BatchRunner(tiny.engine).run(wanted).answers) ids.push_back(answer.generated_ids);
    return ids;
  };
  const auto expected = texts("contiguous", 1);
  for (const char* spec : {"offload:host:4", "offload:file:8", "recompute:6"})
    EXPECT_EQ(texts(spec, 3), expected) << spec;
}

TEST(StagedCaches, AForkOfAnOffloadedSequenceGoesItsOwnWay) {
  EngineOptions options = options_for(64, "offload:host:4");
  options.batch_size = 2;
  const Ids ids = some_ids(20, 61), other = some_ids(20, 61, 9);
  TinyEngine tiny(deep_model(), options);
  const SequenceId parent = tiny.engine.add_sequence();
  tiny.engine.step(std::vector<SequenceStep>{{parent, std::span(ids).first(14)}});
  const SequenceId child = tiny.engine.fork_sequence(parent);
  const StepOutcome outcome = tiny.engine.step(
      std::vector<SequenceStep>{{child, std::span(other).first(3)}, {parent, std::span(ids).subspan(14, 2)}});
  const std::vector<float> of_child = copy_of(outcome.logits.first(61)),
                           of_parent = copy_of(outcome.logits.subspan(61, 61));
  Ids text(ids.begin(), ids.begin() + 14);
  text.insert(text.end(), other.begin(), other.begin() + 3);
  TinyEngine alone(deep_model(), options_for(64, "contiguous"));
  EXPECT_LT(distance(of_child, copy_of(alone.engine.prefill(text))), kSumTolerance);
  alone.engine.reset();
  EXPECT_LT(distance(of_parent, copy_of(alone.engine.prefill(std::span(ids).first(16)))), kSumTolerance);
}

TEST(StagedCaches, AFullFileEndsTheRunWithAReason) {
  EngineOptions options = options_for(96, "offload:file:16");
  options.kv_tier.calls = FileCalls::of_system();
  options.kv_tier.calls->write = [](int, const void*, std::size_t, off_t) {
    errno = ENOSPC;
    return ssize_t{-1};
  };
  TinyEngine tiny(deep_model(), options);
  const Ids ids = some_ids(50, 61);
  try {
    tiny.engine.prefill(ids);
    tiny.engine.kv_traffic();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDoesNotFit);
    EXPECT_FALSE(error.way_out().empty());
  }
}

}  // namespace
}  // namespace dachlast
