#include "core/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <tuple>

#include "core/base/error.h"
#include "kernels/attention.h"
#include "tests/core/engine/tiny_model.h"

namespace dachlast {
namespace {

using Ids = std::vector<std::int32_t>;

constexpr double kBf16Tolerance = 1e-2;  // of logits up to 2: a few roundings to 8 bits, 2^-9 of each, in two layers

Ids first(const Ids& ids, std::ptrdiff_t n) {
  return {ids.begin(), ids.begin() + n};
}

std::vector<float> logits_from_scratch(const ModelSpec& model, const EngineOptions& options, const Ids& ids) {
  TinyEngine fresh(model, options);
  return copy_of(fresh.engine.prefill(ids));
}

TEST(Engine, DecodingWithTheCacheEqualsRecomputingTheSequence) {
  TinyEngine cached(tiny_model(), options_for(40));
  TinyEngine uncached(tiny_model(), options_for(40));
  const Ids ids = some_ids(40, 61);
  cached.engine.prefill(first(ids, 5));
  for (int n = 6; n <= 40; ++n) {
    const auto step = cached.engine.decode({&ids[static_cast<std::size_t>(n - 1)], 1});
    EXPECT_EQ(cached.engine.position(), n);
    uncached.engine.reset();
    EXPECT_LT(distance(step, uncached.engine.prefill(first(ids, n))), kSumTolerance) << n;
  }
}

TEST(Engine, PrefillInOneGoEqualsTokenByTokenEqualsAnyCut) {
  const Ids ids = some_ids(37, 61);
  const auto whole = logits_from_scratch(tiny_model(), options_for(64), ids);
  TinyEngine single(tiny_model(), options_for(64));
  std::span<const float> last;
  for (const std::int32_t& id : ids) last = single.engine.decode({&id, 1});
  EXPECT_LT(distance(last, whole), kSumTolerance);
  for (const int step_tokens : {1, 5, 36, 37, 64}) {
    EngineOptions options = options_for(64);
    options.max_step_tokens = step_tokens;
    EXPECT_LT(distance(logits_from_scratch(tiny_model(), options, ids), whole), kSumTolerance) << step_tokens;
  }
}

TEST(Engine, AllLogitsOfAPrefillAreThoseOfEveryPrefix) {
  EngineOptions options = options_for(16);
  options.logits = LogitsFor::kAllTokens;
  const Ids ids = some_ids(12, 61);
  TinyEngine tiny(tiny_model(), options);
  const auto all = copy_of(tiny.engine.prefill(ids, LogitsFor::kAllTokens));
  ASSERT_EQ(all.size(), 12u * 61u);
  for (int n = 1; n <= 12; ++n) {
    tiny.engine.reset();
    const auto last = tiny.engine.prefill(first(ids, n));
    EXPECT_LT(distance(std::span(all).subspan(static_cast<std::size_t>(n - 1) * 61, 61), last), kSumTolerance) << n;
  }
}

TEST(Engine, TruncateForgetsWhatIsBehind) {
  TinyEngine tiny(tiny_model(), options_for(32));
  const Ids ids = some_ids(20, 61);
  const Ids other = some_ids(32, 61, 2);
  tiny.engine.prefill(other);
  tiny.engine.truncate(0);
  tiny.engine.prefill(first(ids, 12));
  tiny.engine.prefill(first(other, 9));
  tiny.engine.truncate(12);
  EXPECT_EQ(tiny.engine.position(), 12);
  const auto continued = tiny.engine.prefill(std::span(ids).subspan(12));
  EXPECT_LT(distance(continued, logits_from_scratch(tiny_model(), options_for(32), ids)), kSumTolerance);
}

TEST(Engine, ABatchEqualsItsSequencesAlone) {
  EngineOptions options = options_for(24);
  options.batch_size = 3;
  options.max_step_tokens = 7;  // 17 tokens: steps of 7, 7 and 3, whose rows interleave sequences
  TinyEngine batch(tiny_model(), options);
  Ids prompts, nexts;
  for (int seed = 1; seed <= 3; ++seed) {
    const Ids ids = some_ids(18, 61, seed);
    prompts.insert(prompts.end(), ids.begin(), ids.begin() + 17);
    nexts.push_back(ids[17]);
  }
  const auto prefill = copy_of(batch.engine.prefill(prompts));
  const auto decode = copy_of(batch.engine.decode(nexts));
  EXPECT_EQ(batch.engine.position(), 18);
  for (std::size_t i = 0; i < 3; ++i) {
    TinyEngine alone(tiny_model(), options_for(24));
    EXPECT_LT(
        distance(alone.engine.prefill(std::span(prompts).subspan(17 * i, 17)), std::span(prefill).subspan(61 * i, 61)),
        kSumTolerance);
    EXPECT_LT(distance(alone.engine.decode({&nexts[i], 1}), std::span(decode).subspan(61 * i, 61)), kSumTolerance);
    EXPECT_EQ(alone.engine.next_ids()[0], batch.engine.next_ids()[i]);
  }
}

TEST(Engine, ChoosesTheLargestLogitOfTheLastToken) {
  for (const LogitsFor logits : {LogitsFor::kLastToken, LogitsFor::kAllTokens}) {
    EngineOptions options = options_for(16);
    options.batch_size = 2;
    options.logits = logits;
    TinyEngine tiny(tiny_model(), options);
    const auto rows = tiny.engine.prefill(some_ids(18, 61), logits);
    for (std::size_t sequence = 0; sequence < 2; ++sequence) {
      const std::size_t last = logits == LogitsFor::kLastToken ? sequence : 9 * sequence + 8;
      const auto row = rows.subspan(61 * last, 61);
      EXPECT_EQ(tiny.engine.next_ids()[sequence], std::max_element(row.begin(), row.end()) - row.begin());
    }
  }
}

TEST(Engine, WithoutAFinalNormTheHeadReadsTheLastRows) {
  ModelSpec model = tiny_model();
  model.final_norm = false;
  model.wiring = BlockWiring::kPostNorm;
  EngineOptions options = options_for(16);
  options.batch_size = 2;
  options.logits = LogitsFor::kAllTokens;
  TinyEngine tiny(model, options);
  const Ids ids = some_ids(10, 61);
  const auto all = copy_of(tiny.engine.prefill(ids, LogitsFor::kAllTokens));
  tiny.engine.reset();
  const auto last = tiny.engine.prefill(ids);
  EXPECT_LT(distance(last.first(61), std::span(all).subspan(61 * 4, 61)), kSumTolerance);
  EXPECT_LT(distance(last.last(61), std::span(all).subspan(61 * 9, 61)), kSumTolerance);
}

TEST(Engine, SoftcapBoundsTheLogits) {
  ModelSpec model = tiny_model();
  const Ids ids = some_ids(6, 61);
  const auto plain = logits_from_scratch(model, options_for(8), ids);
  model.logit_softcap = 0.5;
  const auto capped = logits_from_scratch(model, options_for(8), ids);
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(capped[i], 0.5 * std::tanh(plain[i] / 0.5), 1e-6);
}

/// Half the distance of two neighbouring codes, of the largest value in a row.
double half_a_code(KvFormat format) {
  switch (format) {
    case KvFormat::kInt4: return 0.5 / 7;
    case KvFormat::kInt8: return 0.5 / 127;
    case KvFormat::kFp8: return 0.5 / 8;  // three bits of mantissa
    default: return 0.0;
  }
}

class EngineAttention : public testing::TestWithParam<KvFormat> {};

TEST_P(EngineAttention, VariantsAgree) {
  const Ids ids = some_ids(90, 61);
  EngineOptions options = options_for(96);
  options.precision.kv.format = GetParam();
  ModelSpec model = tiny_model();
  attention_of(model.layers[1]).window = 33;  // off a tile's border
  options.attention_variant = "reference";
  const auto expected = logits_from_scratch(model, options, ids);
  for (const auto& variant : kernels::attention_variants()) {
    if (!variant.supported()) continue;
    options.attention_variant = variant.name;
    const bool rounds = variant.arithmetic == DType::kBF16;
    // What a variant rounds in one layer moves values of the next one across the border of two codes.
    const double tolerance = rounds ? std::max(kBf16Tolerance, half_a_code(GetParam())) : kSumTolerance;
    EXPECT_LT(distance(logits_from_scratch(model, options, ids), expected), tolerance) << variant.name;
  }
}

INSTANTIATE_TEST_SUITE_P(KvCache, EngineAttention, testing::ValuesIn(kAllKvFormats),
                         [](const auto& format) { return std::string(name_of(format.param)); });

class EngineThreads : public testing::TestWithParam<std::tuple<WeightStorage, int>> {};

TEST_P(EngineThreads, DoNotChangeABit) {
  const auto& [weights, batch_size] = GetParam();
  EngineOptions options = options_for(80);
  const DType plain = weights.type.plain().value_or(DType::kF32);
  options.precision = {weights.type, {plain == DType::kBF16 ? KvFormat::kBF16 : KvFormat::kF32}};
  options.weight_layout = weights.layout;
  options.batch_size = batch_size;
  const Ids ids = some_ids(70 * batch_size, 3001);
  const Ids next = some_ids(batch_size, 3001, 5);
  TinyEngine one(wide_model(), options);
  const auto prefill = copy_of(one.engine.prefill(ids));
  const auto decode = copy_of(one.engine.decode(next));
  for (const int n_threads : {2, 3, 5}) {
    options.n_threads = n_threads;
    TinyEngine several(wide_model(), options);
    EXPECT_EQ(copy_of(several.engine.prefill(ids)), prefill) << n_threads << " threads";
    EXPECT_EQ(copy_of(several.engine.decode(next)), decode) << n_threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(WeightsAndBatch, EngineThreads,
                         testing::Combine(testing::Values<WeightStorage>(DType::kF32, DType::kBF16,
                                                                         WeightStorage{DType::kBF16,
                                                                                       WeightLayout::kPanels},
                                                                         kInt8Rows, kInt4Groups32),
                                          testing::Values(1, 3)));

TEST(Engine, AllocatesWhatItStated) {
  for (const int batch_size : {1, 3})
    for (const int n_threads : {1, 2})
      for (const int step_tokens : {0, 5})
        for (const LogitsFor logits : {LogitsFor::kLastToken, LogitsFor::kAllTokens}) {
          EngineOptions options = options_for(33);
          if (step_tokens > 0) options.precision.weights = kInt4Groups32;
          options.batch_size = batch_size;
          options.n_threads = n_threads;
          options.max_step_tokens = step_tokens;
          options.logits = logits;
          const EngineMemory stated = engine_memory(tiny_model(), options);
          const TinyEngine tiny(tiny_model(), options);
          const EngineMemory allocated = tiny.engine.memory();
          EXPECT_EQ(stated.kv_cache_bytes, allocated.kv_cache_bytes);
          EXPECT_EQ(stated.activation_bytes, allocated.activation_bytes);
          EXPECT_EQ(stated.workspace_bytes, allocated.workspace_bytes);
        }
}

TEST(Engine, MemoryFollowsFromTheSizes) {
  // 2 layers · 2 · 16 tokens · 10 · 4 bytes = 2560.
  // Buffers of 8 tokens in lines of 64 bytes: ids 8 · 4 = 32 → 64; residual, normed and branch 8 · 30 · 4 = 960 each;
  // qkv 8 · 50 · 4 = 1600; attended 960; up 8 · 74 · 4 = 2368; hidden 8 · 37 · 4 = 1184 → 1216.
  EngineOptions options = options_for(16);
  options.max_step_tokens = 8;
  const EngineMemory memory = engine_memory(tiny_model(), options);
  EXPECT_EQ(memory.kv_cache_bytes, 2560);
  EXPECT_EQ(memory.activation_bytes, 64 + 3 * 960 + 1600 + 960 + 2368 + 1216);
}

class SpanList : public trace::SpanSink {
 public:
  void add(const trace::Span& span) override { spans.push_back(span); }
  std::vector<trace::Span> spans;
};

TEST(EngineTrace, EveryOperationIsASpanWithinItsStep) {
  TinyEngine tiny(tiny_model(), options_for(16));
  SpanList list;
  tiny.engine.set_sink(&list);
  tiny.engine.prefill(some_ids(6, 61));
  tiny.engine.decode(some_ids(1, 61));
  tiny.engine.set_sink(nullptr);
  tiny.engine.decode(some_ids(1, 61));

  const auto prefill = build_op_list(tiny.spec, {Phase::kPrefill, 1, 6, 6}, {});
  const auto decode = build_op_list(tiny.spec, {Phase::kDecode, 1, 1, 7}, {});
  ASSERT_EQ(list.spans.size(), prefill.size() + 1 + decode.size() + 1);
  for (std::size_t i = 0; i < prefill.size(); ++i) {
    EXPECT_EQ(list.spans[i].op, prefill[i].kind);
    EXPECT_EQ(list.spans[i].layer, prefill[i].layer);
    EXPECT_EQ(list.spans[i].phase, Phase::kPrefill);
    EXPECT_EQ(list.spans[i].n_tokens, 6);
    EXPECT_EQ(list.spans[i].kv_len, 6);
  }
  const trace::Span& step = list.spans[prefill.size()];
  EXPECT_EQ(step.zone, trace::ZoneKind::kStep);
  EXPECT_EQ(step.layer, -1);
  const trace::Span& last = list.spans.back();
  EXPECT_EQ(last.zone, trace::ZoneKind::kStep);
  EXPECT_EQ(last.phase, Phase::kDecode);
  EXPECT_EQ(last.n_tokens, 1);
  EXPECT_EQ(last.kv_len, 7);
}

TEST(EngineTrace, StepsCarryTheWorkOfTheirOperations) {
  TinyEngine tiny(tiny_model(), options_for(16));
  SpanList list;
  tiny.engine.set_sink(&list);
  tiny.engine.prefill(some_ids(6, 61));
  OpCost sum;
  for (const trace::Span& span : list.spans)
    if (span.zone == trace::ZoneKind::kOp) {
      sum += span.cost;
      if (span.op != OpKind::kEmbed) {
        EXPECT_GT(span.cost.bytes().value, 0) << name_of(span.op);
      }
    }
  EXPECT_EQ(list.spans.back().cost, sum);
  // One of them by hand: the up projection of layer 0, 2 · 6 tokens · 74 · 30 FLOP.
  const auto up = std::find_if(list.spans.begin(), list.spans.end(),
                               [](const trace::Span& span) { return span.op == OpKind::kMlpUp && span.layer == 0; });
  EXPECT_DOUBLE_EQ(up->cost.flops.value, 2.0 * 6 * 74 * 30);
}

ErrorKind kind_of_failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_FALSE(error.subject().empty());
    EXPECT_FALSE(error.reason().empty());
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::kFailure;
}

TEST(EngineErrors, StepsThatCannotRunChangeNothing) {
  EngineOptions options = options_for(8);
  options.batch_size = 2;
  TinyEngine tiny(tiny_model(), options);
  tiny.engine.prefill(Ids{1, 2, 3, 4});
  const auto fails = [&](const Ids& ids) { return kind_of_failure([&] { tiny.engine.prefill(ids); }); };
  EXPECT_EQ(fails({}), ErrorKind::kUsage);
  EXPECT_EQ(fails({1, 2, 3}), ErrorKind::kUsage);
  EXPECT_EQ(fails({1, 61}), ErrorKind::kUsage);
  EXPECT_EQ(fails({-1, 1}), ErrorKind::kUsage);
  EXPECT_EQ(fails(Ids(14, 1)), ErrorKind::kDoesNotFit);  // 2 held and 7 new in 8
  EXPECT_EQ(kind_of_failure([&] { tiny.engine.decode(Ids{1, 2, 3, 4}); }), ErrorKind::kUsage);
  EXPECT_EQ(kind_of_failure([&] { tiny.engine.truncate(3); }), ErrorKind::kUsage);
  EXPECT_EQ(kind_of_failure([&] { tiny.engine.truncate(-1); }), ErrorKind::kUsage);
  EXPECT_EQ(kind_of_failure([&] { tiny.engine.prefill(Ids{1, 2}, LogitsFor::kAllTokens); }), ErrorKind::kUsage);
  EXPECT_EQ(tiny.engine.position(), 2);
  tiny.engine.prefill(Ids(12, 1));
  EXPECT_EQ(tiny.engine.position(), 8);
  EXPECT_EQ(kind_of_failure([&] { tiny.engine.decode(Ids{1, 2}); }), ErrorKind::kDoesNotFit);
}

TEST(EngineErrors, AllLogitsNeedOneStep) {
  EngineOptions options = options_for(8);
  options.max_step_tokens = 4;
  options.logits = LogitsFor::kAllTokens;
  TinyEngine tiny(tiny_model(), options);
  EXPECT_EQ(kind_of_failure([&] { tiny.engine.prefill(Ids(5, 1), LogitsFor::kAllTokens); }), ErrorKind::kUsage);
  EXPECT_EQ(tiny.engine.prefill(Ids(4, 1), LogitsFor::kAllTokens).size(), 4u * 61u);
}

TEST(EngineErrors, OptionsAreCheckedBeforeAnythingIsAllocated) {
  const auto fails = [](auto&& change) {
    EngineOptions options = options_for(8);
    change(options);
    return kind_of_failure([&] { engine_memory(tiny_model(), options); });
  };
  EXPECT_EQ(fails([](EngineOptions& o) { o.n_threads = 0; }), ErrorKind::kUsage);
  EXPECT_EQ(fails([](EngineOptions& o) { o.batch_size = -3; }), ErrorKind::kUsage);
  EXPECT_EQ(fails([](EngineOptions& o) { o.capacity_tokens = 0; }), ErrorKind::kUsage);
  EXPECT_EQ(fails([](EngineOptions& o) { o.capacity_tokens = 257; }), ErrorKind::kUsage);
  EXPECT_EQ(fails([](EngineOptions& o) { o.max_step_tokens = -1; }), ErrorKind::kUsage);
  EXPECT_EQ(fails([](EngineOptions& o) { o.precision.weights = DType::kI8; }), ErrorKind::kUsage);
  EXPECT_EQ(fails([](EngineOptions& o) { o.kv = parse_kv_spec("--kv", "int8"); }), ErrorKind::kUsage);
  EXPECT_EQ(fails([](EngineOptions& o) { o.kv.layout = KvPolicy::kNone; }), ErrorKind::kUsage);
  EXPECT_EQ(fails([](EngineOptions& o) { o.kv_blocks = -1; }), ErrorKind::kUsage);
  EXPECT_EQ(fails([](EngineOptions& o) { o.attention_variant = "tilde"; }), ErrorKind::kUsage);
  EXPECT_EQ(fails([](EngineOptions& o) { o.linear_variant = "blas"; }), ErrorKind::kUsage);
  // 2^31 − 1 sequences: refused by the op list's row count or by the allocation, never a crash.
  EXPECT_EQ(fails([](EngineOptions& o) { o.batch_size = 2147483647; }), ErrorKind::kDoesNotFit);
}

TEST(EngineErrors, PanelsMustBeAskedForWhereWeightsLieInThem) {
  const ModelSpec model = tiny_model();
  const auto weights = random_weights(model, 1, {DType::kBF16, WeightLayout::kPanels});
  EngineOptions options = options_for(8);
  options.precision.weights = DType::kBF16;
  EXPECT_EQ(kind_of_failure([&] { Engine(model, *weights, options); }), ErrorKind::kUsage);
  options.weight_layout = WeightLayout::kPanels;
  EXPECT_NO_THROW(Engine(model, *weights, options));
  options.precision.weights = DType::kF32;
  EXPECT_EQ(kind_of_failure([&] { engine_memory(model, options); }), ErrorKind::kUsage);
}

TEST(EngineErrors, WeightsMustBeOfThePrecisionAskedFor) {
  const ModelSpec model = tiny_model();
  const auto weights = random_weights(model, 1, DType::kBF16);
  EXPECT_EQ(kind_of_failure([&] { Engine(model, *weights, options_for(8)); }), ErrorKind::kUsage);
}

}  // namespace
}  // namespace dachlast
