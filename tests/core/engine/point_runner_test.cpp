#include "core/engine/point_runner.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/base/error.h"
#include "kernels/cost.h"
#include "tests/core/engine/tiny_model.h"

namespace dachlast {
namespace {

class CountingSink : public trace::SpanSink {
 public:
  void add(const trace::Span& span) override {
    if (span.zone == trace::ZoneKind::kStep) steps.push_back(span);
  }
  std::vector<trace::Span> steps;
};

/// Four samples after little warm-up: the times themselves are nobody's business here.
PointRequest request_for(Phase phase, int context_tokens, KvPolicy policy = KvPolicy::kContiguous) {
  PointRequest request;
  request.phase = phase;
  request.context_tokens = context_tokens;
  request.kv_policy = policy;
  request.rule = StopRule::exactly(4);
  request.rule.max_warmup_s = 1e-9;
  return request;
}

OpCost cost_of(const ModelSpec& model, const Step& step) {
  OpCost cost;
  for (const Op& op : build_op_list(model, step, {})) cost += kernels::op_cost(op.shape);
  return cost;
}

TEST(PointRunner, PrefillReadsTheWholePromptIntoAnEmptyCacheEveryTime) {
  TinyEngine tiny(tiny_model(), options_for(32));
  PointRunner runner(tiny.engine);
  CountingSink observer;
  PointRequest request = request_for(Phase::kPrefill, 20);
  request.observer = &observer;
  const PointResult result = runner.run(request);
  EXPECT_EQ(result.measurement.samples_s.size(), 4u);
  EXPECT_EQ(result.measurement.reason, StopReason::kRepeatCap);
  ASSERT_EQ(observer.steps.size(), 4u);  // warm-up left out
  for (const trace::Span& step : observer.steps) {
    EXPECT_EQ(step.phase, Phase::kPrefill);
    EXPECT_EQ(step.n_tokens, 20);
    EXPECT_EQ(step.kv_len, 20);
  }
  EXPECT_EQ(result.cost, cost_of(tiny.spec, {Phase::kPrefill, 1, 20, 20}));
}

TEST(PointRunner, PrefillAtADepthReadsTheRestOfTheContextEveryTime) {
  TinyEngine tiny(tiny_model(), options_for(32));
  PointRunner runner(tiny.engine);
  for (const int depth : {20, 12, 31}) {  // grown, cut and grown again
    CountingSink observer;
    PointRequest request = request_for(Phase::kPrefill, 32);
    request.depth_tokens = depth;
    request.observer = &observer;
    const PointResult result = runner.run(request);
    ASSERT_EQ(observer.steps.size(), 4u);
    for (const trace::Span& step : observer.steps) {
      EXPECT_EQ(step.n_tokens, 32 - depth);
      EXPECT_EQ(step.kv_len, 32);
    }
    EXPECT_EQ(result.cost, cost_of(tiny.spec, {Phase::kPrefill, 1, 32 - depth, 32}));
  }
}

TEST(PointRunner, DecodeSeesTheContextItWasAskedFor) {
  TinyEngine tiny(tiny_model(), options_for(32));
  PointRunner runner(tiny.engine);
  for (const int context : {20, 32, 1, 7}) {
    CountingSink observer;
    PointRequest request = request_for(Phase::kDecode, context);
    request.observer = &observer;
    const PointResult result = runner.run(request);
    ASSERT_EQ(observer.steps.size(), 4u);
    for (const trace::Span& step : observer.steps) {
      EXPECT_EQ(step.phase, Phase::kDecode);
      EXPECT_EQ(step.kv_len, context);
    }
    EXPECT_EQ(tiny.engine.position(), context - 1);
    EXPECT_EQ(result.cost, cost_of(tiny.spec, {Phase::kDecode, 1, 1, context}));
  }
}

TEST(PointRunner, TheCacheIsFilledWithTheSameTokensWhicheverWay) {
  TinyEngine grown(tiny_model(), options_for(32));
  TinyEngine fresh(tiny_model(), options_for(32));
  PointRunner grower(grown.engine);
  for (const int context : {5, 12, 30}) grower.run(request_for(Phase::kDecode, context));
  PointRunner(fresh.engine).run(request_for(Phase::kDecode, 30));
  EXPECT_LT(distance(copy_of(grown.engine.decode(std::vector<std::int32_t>{3})),
                     fresh.engine.decode(std::vector<std::int32_t>{3})),
            2e-5);
}

TEST(PointRunner, DecodeWithoutACacheRecomputesTheSequence) {
  EngineOptions options = options_for(16);
  options.batch_size = 2;
  TinyEngine tiny(tiny_model(), options);
  PointRunner runner(tiny.engine);
  const PointResult result = runner.run(request_for(Phase::kDecode, 16, KvPolicy::kNone));
  EXPECT_EQ(result.cost, cost_of(tiny.spec, {Phase::kPrefill, 2, 16, 16}));
}

TEST(PointRunner, OperationsAreSummedPerStepInTheOrderTheyRun) {
  TinyEngine tiny(tiny_model(), options_for(16));
  PointRunner runner(tiny.engine);
  const PointResult result = runner.run(request_for(Phase::kDecode, 9));
  ASSERT_FALSE(result.ops.empty());
  EXPECT_EQ(result.ops.front().op, OpKind::kEmbed);
  EXPECT_EQ(result.ops.back().op, OpKind::kSample);
  OpCost sum;
  for (const OpSamples& op : result.ops) {
    EXPECT_EQ(op.times_s.size(), 4u);
    sum += op.cost;
    if (op.op == OpKind::kNorm) {
      EXPECT_EQ(op.n_calls, 5);  // two a layer and the final one
    }
    if (op.op == OpKind::kAttention) {
      EXPECT_EQ(op.n_calls, 2);
    }
  }
  EXPECT_EQ(sum, result.cost);
  EXPECT_GT(result.busy_share, 0.0);
  EXPECT_LE(result.busy_share, 1.0);
  for (std::size_t i = 0; i < 4; ++i) {
    double op_time = 0.0;
    for (const OpSamples& op : result.ops) op_time += op.times_s[i];
    EXPECT_LE(op_time, result.measurement.samples_s[i]);
  }
}

TEST(PointRunner, AnInterruptBeforeTheFirstSampleLeavesNoFigures) {
  TinyEngine tiny(tiny_model(), options_for(16));
  PointRunner runner(tiny.engine);
  std::stop_source source;
  source.request_stop();
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
    const PointResult result = runner.run(request_for(phase, 4), source.get_token());
    EXPECT_EQ(result.measurement.reason, StopReason::kInterrupted);
    EXPECT_TRUE(result.measurement.samples_s.empty());
    EXPECT_TRUE(result.ops.empty());
    EXPECT_EQ(tiny.engine.position(), 0);  // the cache was not filled either
  }
}

TEST(PointRunner, RefusesContextsThatCannotBe) {
  TinyEngine tiny(tiny_model(), options_for(16));
  PointRunner runner(tiny.engine);
  EXPECT_THROW(runner.run(request_for(Phase::kPrefill, 0)), Error);
  PointRequest nothing_left = request_for(Phase::kPrefill, 8);
  nothing_left.depth_tokens = 8;
  EXPECT_THROW(runner.run(nothing_left), Error);
  try {
    runner.run(request_for(Phase::kDecode, 17));
    FAIL() << "took more tokens than fit";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDoesNotFit);
  }
}

}  // namespace
}  // namespace dachlast
