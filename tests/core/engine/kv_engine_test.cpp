// Every kind of KV cache under the engine, held against the plain f32 cache.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/base/error.h"
#include "core/engine/batch_runner.h"
#include "tests/core/engine/tiny_model.h"

namespace dachlast {
namespace {

using Ids = std::vector<std::int32_t>;

/// With float arithmetic, so that only what is stored is rounded.
EngineOptions float_options_with(const std::string& spec, int capacity) {
  EngineOptions options = options_for(capacity, spec);
  options.attention_variant = "tiled";
  return options;
}

class ExactCaches : public testing::TestWithParam<std::string> {};

TEST_P(ExactCaches, HoldWhatTheContiguousOneHolds) {
  const auto expected = logits_of_text(tiny_model(), options_for(96));
  EngineOptions options = options_for(96, GetParam());
  EXPECT_LT(distance(logits_of_text(tiny_model(), options), expected), kSumTolerance);
  options.max_step_tokens = 7;
  EXPECT_LT(distance(logits_of_text(tiny_model(), options), expected), kSumTolerance) << "in steps of 7";
}

// Windows of 80 tokens let go of nothing in a text of 80.
INSTANTIATE_TEST_SUITE_P(Kinds, ExactCaches,
                         testing::Values("paged:1", "paged:4", "paged:16", "paged:100", "window:80", "sink:3+77"),
                         [](const auto& spec) { return test_name_of(spec.param); });

/// A ring holds exactly what the mask leaves of a cache that keeps everything.
TEST(RingCaches, EqualAMaskOverTheWholeCache) {
  for (const char* text : {"window:1", "window:9", "window:33", "sink:1+8", "sink:4+20", "sink:30+5"}) {
    const KvSpec spec = parse_kv_spec("--kv", text);
    const auto masked = logits_of_text(with_reach(tiny_model(), spec), options_for(96));
    EXPECT_GT(distance(masked, logits_of_text(tiny_model(), options_for(96))), 1e-3) << text << " hides nothing";
    EngineOptions ring = options_for(96, text);
    for (const int step_tokens : {1, 7, 0}) {
      ring.max_step_tokens = step_tokens;
      EXPECT_LT(distance(logits_of_text(tiny_model(), ring), masked), kSumTolerance)
          << text << ", steps of " << step_tokens;
    }
  }
}

TEST(RingCaches, LayersWithANarrowerWindowKeepIt) {
  ModelSpec model = tiny_model();
  attention_of(model.layers[1]).window = 6;
  const EngineOptions ring = options_for(96, "sink:2+20");
  EXPECT_LT(distance(logits_of_text(model, ring), logits_of_text(with_reach(model, ring.kv), options_for(96))),
            kSumTolerance);
}

// To first order an error of stored elements shows in the logits in proportion. bf16 gives the proportion: it rounds an
// element by up to 2^-9 of itself. The others, as shares of a row's largest element: f16 2^-12; int8 half of 1/127; fp8 with
// 3 bits of mantissa 2^-4; int4 half of a fifteenth of the range, at most twice the largest. Rounding is random, so single
// logits stray: four times the proportion is allowed. Below a hundredth of it nothing was quantized.
TEST(NarrowCaches, LoseInProportionToTheirRounding) {
  const auto exact = logits_of_text(tiny_model(), options_for(96));
  const double per_unit = distance(logits_of_text(tiny_model(), float_options_with("bf16", 96)), exact) / 0x1p-9;
  ASSERT_GT(per_unit, 0.0);
  const std::map<KvFormat, double> roundings = {
      {KvFormat::kF16, 0x1p-12}, {KvFormat::kInt8, 0.5 / 127}, {KvFormat::kFp8, 0x1p-4}, {KvFormat::kInt4, 1.0 / 15}};
  for (const auto& [format, rounding] : roundings)
    for (const char* layout : {"contiguous,", "paged:4,", "window:80,"}) {
      const std::string spec = layout + std::string(name_of(format));
      const double error = distance(logits_of_text(tiny_model(), float_options_with(spec, 96)), exact);
      EXPECT_LT(error, 4.0 * rounding * per_unit) << spec;
      EXPECT_GT(error, 0.01 * rounding * per_unit) << spec;
    }
}

TEST(NarrowCaches, ScalesAlongChannelsServeTooWhateverTheCut) {
  const auto exact = logits_of_text(tiny_model(), options_for(96));
  const double per_unit = distance(logits_of_text(tiny_model(), float_options_with("bf16", 96)), exact) / 0x1p-9;
  for (const auto& [spec, rounding] :
       {std::pair("paged:8,int8:channel", 0.5 / 127), std::pair("paged:8,int4:channel", 1.0 / 15)}) {
    EngineOptions options = float_options_with(spec, 96);
    const auto whole = logits_of_text(tiny_model(), options);
    EXPECT_LT(distance(whole, exact), 4.0 * rounding * per_unit) << spec;
    // A prompt in one step finds its early blocks sealed, in several steps each query still saw bf16 keys: both are held
    // against the exact logits.
    options.max_step_tokens = 3;
    EXPECT_LT(distance(logits_of_text(tiny_model(), options), exact), 4.0 * rounding * per_unit) << spec;
  }
}

TEST(NarrowCaches, TakeLessMemoryAsStated) {
  // 2 layers, 1 head, 96 tokens, K and V rows of 10: f32 40 B; int8 10 + 4; int4 a group of 16 + 4.
  for (const auto& [spec, row_bytes] : {std::pair("f32", 40), std::pair("int8", 14), std::pair("int4", 20)}) {
    const EngineOptions options = options_for(96, spec);
    const double stated = engine_memory(tiny_model(), options).kv_cache_bytes;
    EXPECT_NEAR(stated, 2.0 * 2 * 96 * row_bytes, 8 * 64) << spec;  // eight parts, each in whole cache lines
    EXPECT_EQ(TinyEngine(tiny_model(), options).engine.memory().kv_cache_bytes, stated) << spec;
  }
}

TEST(KvEngine, TruncatingAndGoingOnEqualsNeverHavingWritten) {
  const Ids ids = some_ids(60, 61);
  for (const char* spec : {"paged:4", "window:20", "sink:2+20", "paged:8,int8:channel"}) {
    TinyEngine tiny(tiny_model(), options_for(96, spec));
    tiny.engine.prefill(std::span(ids).first(41));
    const auto expected = copy_of(tiny.engine.decode({&ids[41], 1}));
    tiny.engine.truncate(41);
    tiny.engine.decode({&ids[3], 1});
    tiny.engine.truncate(41);
    EXPECT_LT(distance(tiny.engine.decode({&ids[41], 1}), expected), kSumTolerance) << spec;
  }
}

// -------- sequences that come and go

// int4 keys along channels move these logits by about 0.05 (NarrowCaches): a row or a position amiss moves them by 1.
constexpr double kCutTolerance = 0.2;

std::vector<float> last_logits(const StepOutcome& outcome, std::size_t entry) {
  EXPECT_TRUE(outcome.done());
  return copy_of(outcome.logits.subspan(61 * entry, 61));
}

std::vector<float> alone(const EngineOptions& options, std::span<const std::int32_t> ids) {
  EngineOptions one = options;
  one.batch_size = 1;
  one.kv_blocks = 0;
  TinyEngine tiny(tiny_model(), one);
  return copy_of(tiny.engine.prefill(ids));
}

TEST(ContinuousBatching, AStepOfDifferentLengthsEqualsItsSequencesAlone) {
  for (const char* spec : {"contiguous", "paged:4", "sink:2+9", "paged:8,int8", "paged:8,int4:channel"}) {
    EngineOptions options = options_for(64, spec);
    options.batch_size = 3;
    TinyEngine tiny(tiny_model(), options);
    Engine& engine = tiny.engine;
    const Ids a = some_ids(40, 61, 1), b = some_ids(40, 61, 2), c = some_ids(40, 61, 3);
    const auto part = [](const Ids& ids, std::size_t first, std::size_t n) { return std::span(ids).subspan(first, n); };
    const SequenceId id_a = engine.add_sequence(), id_b = engine.add_sequence();
    // A reads 17 tokens beside B's 5; then C joins with 9 while A decodes and B reads on.
    engine.step(std::vector<SequenceStep>{{id_a, part(a, 0, 17)}, {id_b, part(b, 0, 5)}});
    const SequenceId id_c = engine.add_sequence();
    const StepOutcome mixed =
        engine.step(std::vector<SequenceStep>{{id_c, part(c, 0, 9)}, {id_a, part(a, 17, 1)}, {id_b, part(b, 5, 6)}});
    EXPECT_LT(distance(last_logits(mixed, 0), alone(options, part(c, 0, 9))), kSumTolerance) << spec;
    // With scales along channels it depends on the cut whether a block was sealed when a query read it.
    const double cut_tolerance = options.kv.key_scales == KeyScales::kPerChannel ? kCutTolerance : kSumTolerance;
    EXPECT_LT(distance(last_logits(mixed, 1), alone(options, part(a, 0, 18))), cut_tolerance) << spec;
    EXPECT_LT(distance(last_logits(mixed, 2), alone(options, part(b, 0, 11))), cut_tolerance) << spec;
    // A leaves; the others decode on without it.
    engine.remove_sequence(id_a);
    const StepOutcome rest = engine.step(std::vector<SequenceStep>{{id_b, part(b, 11, 1)}, {id_c, part(c, 9, 1)}});
    EXPECT_LT(distance(last_logits(rest, 0), alone(options, part(b, 0, 12))), cut_tolerance) << spec;
    EXPECT_LT(distance(last_logits(rest, 1), alone(options, part(c, 0, 10))), cut_tolerance) << spec;
    EXPECT_EQ(engine.sequence_tokens(id_b), 12);
  }
}

TEST(ContinuousBatching, ThreadsDoNotChangeABit) {
  const Ids a = some_ids(30, 61, 1), b = some_ids(30, 61, 2);
  const auto run = [&](int n_threads) {
    EngineOptions options = options_for(64, "paged:4,bf16");
    options.batch_size = 2;
    options.n_threads = n_threads;
    TinyEngine tiny(wide_model(), options);
    const SequenceId id_a = tiny.engine.add_sequence(), id_b = tiny.engine.add_sequence();
    tiny.engine.step(std::vector<SequenceStep>{{id_a, std::span(a).first(29)}});
    return copy_of(
        tiny.engine.step(std::vector<SequenceStep>{{id_a, std::span(a).last(1)}, {id_b, std::span(b).first(13)}})
            .logits);
  };
  const auto one = run(1);
  for (const int n_threads : {2, 5}) EXPECT_EQ(run(n_threads), one) << n_threads;
}

TEST(ContinuousBatching, AKnownBeginningIsNotRunAgain) {
  EngineOptions options = options_for(64, "paged:4");
  options.batch_size = 2;
  options.sharing = PrefixSharing::kOn;
  TinyEngine tiny(tiny_model(), options);
  const Ids ids = some_ids(30, 61);
  const SequenceId first = tiny.engine.add_sequence();
  tiny.engine.step(std::vector<SequenceStep>{{first, std::span(ids).first(18)}});
  const SequenceId second = tiny.engine.add_sequence();
  ASSERT_EQ(tiny.engine.adopt_prefix(second, std::span(ids).first(21)), 16);  // four full blocks
  const StepOutcome outcome = tiny.engine.step(std::vector<SequenceStep>{{second, std::span(ids).subspan(16, 5)}});
  EXPECT_LT(distance(last_logits(outcome, 0), alone(options, std::span(ids).first(21))), kSumTolerance);
  EXPECT_EQ(tiny.engine.kv_statistics().saved_tokens(), 16);
}

TEST(ContinuousBatching, AForkGoesItsOwnWay) {
  EngineOptions options = options_for(64, "paged:4");
  options.batch_size = 2;
  TinyEngine tiny(tiny_model(), options);
  const Ids ids = some_ids(20, 61), other = some_ids(20, 61, 9);
  const SequenceId parent = tiny.engine.add_sequence();
  tiny.engine.step(std::vector<SequenceStep>{{parent, std::span(ids).first(14)}});
  const SequenceId child = tiny.engine.fork_sequence(parent);
  const StepOutcome outcome = tiny.engine.step(
      std::vector<SequenceStep>{{child, std::span(other).first(3)}, {parent, std::span(ids).subspan(14, 2)}});
  Ids text(ids.begin(), ids.begin() + 14);
  text.insert(text.end(), other.begin(), other.begin() + 3);
  EXPECT_LT(distance(last_logits(outcome, 0), alone(options, text)), kSumTolerance);
  EXPECT_LT(distance(last_logits(outcome, 1), alone(options, std::span(ids).first(16))), kSumTolerance);
}

class SpanSum : public trace::SpanSink {
 public:
  void add(const trace::Span& span) override {
    if (span.zone == trace::ZoneKind::kOp && span.op == OpKind::kAttention) attention += span.cost;
  }
  OpCost attention;
};

TEST(ContinuousBatching, CostsAreTheSumOverSequences) {
  EngineOptions options = options_for(64, "paged:4,int8");
  options.batch_size = 2;
  TinyEngine tiny(tiny_model(), options);
  const Ids ids = some_ids(40, 61);
  const SequenceId a = tiny.engine.add_sequence(), b = tiny.engine.add_sequence();
  tiny.engine.step(std::vector<SequenceStep>{{a, std::span(ids).first(20)}});
  SpanSum sum;
  tiny.engine.set_sink(&sum);
  tiny.engine.step(std::vector<SequenceStep>{{a, std::span(ids).first(1)}, {b, std::span(ids).first(6)}});
  tiny.engine.set_sink(nullptr);
  // 3 query heads of 10 in each of 2 layers: pairs 21 for A, 6 · 7 / 2 = 21 for B; 4 · 10 FLOP each.
  EXPECT_DOUBLE_EQ(sum.attention.flops.value, 2.0 * 3 * 4 * 10 * (21 + 21));
  // Rows 21 + 6, K and V of 10 B and a scale of 4 B; tables of ⌈21 / 4⌉ + ⌈6 / 4⌉ = 8 entries of 4 B.
  EXPECT_DOUBLE_EQ(sum.attention.kv_read_bytes.value, 2.0 * (27 * 2 * (10 + 4) + 8 * 4));
}

TEST(ContinuousBatching, RefusesWrongStepsAndChangesNothing) {
  EngineOptions options = options_for(16, "paged:4");
  options.batch_size = 2;
  options.kv_blocks = 3;
  TinyEngine tiny(tiny_model(), options);
  Engine& engine = tiny.engine;
  const Ids ids = some_ids(20, 61), foreign = {61};
  const SequenceId a = engine.add_sequence(), b = engine.add_sequence();
  const auto step = [&](std::vector<SequenceStep> entries) { return engine.step(entries); };
  EXPECT_THROW(step({}), Error);
  EXPECT_THROW(step({{a, {}}}), Error);
  EXPECT_THROW(step({{a, std::span(ids).first(1)}, {a, std::span(ids).first(1)}}), Error);
  EXPECT_THROW(step({{a, std::span(ids).first(17)}}), Error);
  EXPECT_THROW(step({{a, foreign}}), Error);
  EXPECT_THROW(step({{SequenceId{77}, std::span(ids).first(1)}}), Error);
  EXPECT_THROW(engine.add_sequence(), Error);
  EXPECT_THROW(engine.prefill(std::span(ids).first(2)), Error) << "it holds sequences of its own";
  EXPECT_EQ(step({{a, std::span(ids).first(8)}, {b, std::span(ids).first(8)}}).n_missing_blocks, 1);
  EXPECT_EQ(engine.sequence_tokens(a), 0);
  EXPECT_TRUE(step({{a, std::span(ids).first(8)}}).done());
}

// -------- requests

std::vector<BatchRequest> requests(int n) {
  std::vector<BatchRequest> made;
  for (int i = 0; i < n; ++i) made.push_back({.prompt = some_ids(5 + 7 * i % 23, 61, i + 1), .n_generate = 4 + i % 5});
  return made;
}

std::vector<Ids> texts(const BatchResult& result) {
  std::vector<Ids> ids;
  for (const BatchAnswer& answer : result.answers) ids.push_back(answer.generated_ids);
  return ids;
}

BatchResult serve(const char* spec, int at_once, int blocks, const std::vector<BatchRequest>& wanted) {
  EngineOptions options = options_for(48, spec);
  options.batch_size = at_once;
  options.kv_blocks = blocks;
  options.max_step_tokens = 8;
  options.sharing = PrefixSharing::kOn;
  TinyEngine tiny(tiny_model(), options);
  return BatchRunner(tiny.engine).run(wanted);
}

TEST(BatchRunner, AnswersAreThoseOfServingOneByOne) {
  const auto wanted = requests(9);
  const BatchResult one = serve("contiguous", 1, 0, wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(one.answers[i].generated_ids.size(), static_cast<std::size_t>(wanted[i].n_generate));
    EXPECT_EQ(one.answers[i].itl_s.size() + 1, one.answers[i].generated_ids.size());
    EXPECT_GT(one.answers[i].ttft_s, 0.0);
  }
  for (const int at_once : {2, 4}) {
    EXPECT_EQ(texts(serve("contiguous", at_once, 0, wanted)), texts(one));
    EXPECT_EQ(texts(serve("paged:4", at_once, 0, wanted)), texts(one));
  }
}

TEST(BatchRunner, WhereBlocksRunOutTheNewestBeginsAnew) {
  const auto wanted = requests(9);
  const BatchResult plenty = serve("paged:4", 4, 0, wanted);
  const BatchResult scarce = serve("paged:4", 4, 12, wanted);  // the longest text needs 9 blocks
  EXPECT_EQ(texts(scarce), texts(plenty));
  int n_preempted = 0;
  for (const BatchAnswer& answer : scarce.answers) n_preempted += answer.n_preempted;
  EXPECT_GT(n_preempted, 0);
  EXPECT_LE(scarce.kv.fullest.n_allocated, 12);
  EXPECT_GT(scarce.kv.last.n_evicted, 0);
  EXPECT_THROW(serve("paged:4", 4, 3, wanted), Error) << "one alone finds no room";
}

TEST(BatchRunner, KeepsMomentsOfItsBlocksButNotTooMany) {
  const BatchResult result = serve("paged:4", 2, 0, requests(40));
  ASSERT_GT(result.n_steps, kMostMoments);
  ASSERT_FALSE(result.kv.moments.empty());
  EXPECT_LE(result.kv.moments.size(), static_cast<std::size_t>(kMostMoments));
  const int every = result.kv.moments.front().step;
  for (const CacheMoment& moment : result.kv.moments) {
    EXPECT_EQ(moment.step % every, 0);
    for (const RequestBlocks& request : moment.requests) {
      EXPECT_LT(request.request, 40);
      EXPECT_EQ(request.blocks.size(), static_cast<std::size_t>((request.n_tokens + 3) / 4));  // blocks of four
    }
  }
}

TEST(BatchRunner, PromptsThatBeginAlikeShareBlocks) {
  std::vector<BatchRequest> wanted;
  const Ids shared = some_ids(20, 61);
  for (int i = 0; i < 4; ++i) {
    Ids prompt = shared;
    prompt.push_back(i);
    wanted.push_back({.prompt = prompt, .n_generate = 3});
  }
  const BatchResult result = serve("paged:4", 2, 0, wanted);
  EXPECT_EQ(result.answers[0].n_hit_tokens, 0);
  EXPECT_EQ(result.answers[2].n_hit_tokens, 20);
  EXPECT_EQ(result.answers[3].n_hit_tokens, 20);
  EXPECT_EQ(texts(result), texts(serve("contiguous", 1, 0, wanted)));
  EXPECT_EQ(result.kv.last.hit_tokens, 40);  // the first two came before anything was known
}

TEST(BatchRunner, RefusesRequestsThatCannotBe) {
  EXPECT_THROW(serve("paged:4", 2, 0, {{.prompt = {}, .n_generate = 1}}), Error);
  EXPECT_THROW(serve("paged:4", 2, 0, {{.prompt = {1}, .n_generate = 0}}), Error);
  EXPECT_THROW(serve("paged:4", 2, 0, {{.prompt = {1}, .n_generate = 48}}), Error);
}

}  // namespace
}  // namespace dachlast
