#include "core/trace/mark.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace dachlast::trace {
namespace {

class RecordingSink : public SpanSink {
 public:
  void add(const Span& span) override { spans.push_back(span); }
  std::vector<Span> spans;
};

Span some_span() {
  Span span;
  span.op = OpKind::kMlpUp;
  span.phase = Phase::kDecode;
  span.layer = 7;
  span.n_tokens = 5;
  span.kv_len = 9;
  span.arithmetic = DType::kBF16;
  span.cost.flops = Flops{12.0};
  return span;
}

TEST(Mark, HandsItsSpanOverWhenItEnds) {
  RecordingSink sink;
  {
    const Mark mark(&sink, some_span());
    EXPECT_TRUE(sink.spans.empty());
  }
  ASSERT_EQ(sink.spans.size(), 1u);
  const Span& span = sink.spans[0];
  EXPECT_EQ(span.op, OpKind::kMlpUp);
  EXPECT_EQ(span.phase, Phase::kDecode);
  EXPECT_EQ(span.layer, 7);
  EXPECT_EQ(span.n_tokens, 5);
  EXPECT_EQ(span.kv_len, 9);
  EXPECT_EQ(span.arithmetic, DType::kBF16);
  EXPECT_EQ(span.cost.flops.value, 12.0);
}

TEST(Mark, InnerSpanEndsFirstAndLiesWithinTheOuterOne) {
  RecordingSink sink;
  Span step = some_span();
  step.zone = ZoneKind::kStep;
  {
    const Mark outer(&sink, step);
    const Mark inner(&sink, some_span());
  }
  ASSERT_EQ(sink.spans.size(), 2u);
  const Span& inner = sink.spans[0];
  const Span& outer = sink.spans[1];
  EXPECT_EQ(inner.zone, ZoneKind::kOp);
  EXPECT_EQ(outer.zone, ZoneKind::kStep);
  EXPECT_GT(outer.start_ns, 0);
  EXPECT_LE(outer.start_ns, inner.start_ns);
  EXPECT_LE(inner.start_ns, inner.end_ns);
  EXPECT_LE(inner.end_ns, outer.end_ns);
}

TEST(Mark, NobodyListensHere) {
  // This test links no profiler. NVTX_INJECTION64_PATH would attach one from outside.
  if (std::getenv("NVTX_INJECTION64_PATH") != nullptr) GTEST_SKIP() << "a profiler is attached from outside";
  EXPECT_FALSE(nvtx_active());
  const Mark mark(nullptr, some_span());
}

TEST(Payload, PacksIntoOneNumber) {
  // Outside the layers: -1 + 1 = 0 in the upper bits.
  EXPECT_EQ((Payload{-1, 1, 1}.packed()), (1ull << 24) + 1);
  EXPECT_EQ((Payload{31, 512, 4096}.packed()), (32ull << 48) + (512ull << 24) + 4096);
}

}  // namespace
}  // namespace dachlast::trace
