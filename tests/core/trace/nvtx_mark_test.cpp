// Linked with a recording profiler (nvtx_recorder.cpp): what leaves the program, seen from the other side.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/trace/mark.h"
#include "tests/core/trace/nvtx_recorder.h"

namespace dachlast::trace {
namespace {

using testing::ElementsAre;

Span op_span() {
  Span span;
  span.phase = Phase::kDecode;
  span.op = OpKind::kAttention;
  span.layer = 3;
  span.n_tokens = 2;
  span.kv_len = 1000;
  return span;
}

TEST(NvtxMark, RangesArriveWithDomainNameCategoryAndNesting) {
  ASSERT_TRUE(has_nvtx());
  ASSERT_TRUE(nvtx_active());
  const std::size_t first = recorded_ranges().size();
  {
    Span step = op_span();
    step.zone = ZoneKind::kStep;
    step.phase = Phase::kPrefill;
    const Mark outer(nullptr, step);
    { const Mark inner(nullptr, op_span()); }
    EXPECT_TRUE(recorded_ranges().at(first + 1).closed);
    EXPECT_FALSE(recorded_ranges().at(first).closed);
  }
  ASSERT_EQ(recorded_ranges().size(), first + 2);
  const RecordedRange& step = recorded_ranges()[first];
  const RecordedRange& op = recorded_ranges()[first + 1];
  EXPECT_EQ(step.domain, "dachlast");
  EXPECT_EQ(step.name, "prefill");
  EXPECT_EQ(step.category, "prefill");
  EXPECT_EQ(step.depth, 0);
  EXPECT_TRUE(step.closed);
  EXPECT_EQ(op.domain, "dachlast");
  EXPECT_EQ(op.name, "attention");
  EXPECT_EQ(op.category, "decode");
  EXPECT_EQ(op.depth, 1);
}

TEST(NvtxMark, EveryOperationHasItsOwnName) {
  for (int i = 0; i < kOpKindCount; ++i) {
    Span span = op_span();
    span.op = static_cast<OpKind>(i);
    { const Mark mark(nullptr, span); }
    EXPECT_EQ(recorded_ranges().back().name, name_of(span.op));
  }
}

TEST(NvtxMark, PayloadCarriesLayerTokensAndKvLen) {
  { const Mark mark(nullptr, op_span()); }
#ifdef DACHLAST_TEST_TAKES_SCHEMAS
  EXPECT_THAT(recorded_ranges().back().fields, ElementsAre("layer", "tokens", "kv_len"));
  EXPECT_THAT(recorded_ranges().back().payload, ElementsAre(3, 2, 1000));
#else
  // (3 + 1) · 2^48 + 2 · 2^24 + 1000
  EXPECT_EQ(recorded_ranges().back().packed, (4ull << 48) + (2ull << 24) + 1000);
#endif
}

}  // namespace
}  // namespace dachlast::trace
