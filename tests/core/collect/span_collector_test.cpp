#include "core/collect/span_collector.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace dachlast {
namespace {

trace::Span span_of_layer(int layer) {
  trace::Span span;
  span.layer = layer;
  return span;
}

TEST(SpanCollector, RecordsBetweenStartAndStop) {
  SpanCollector collector(8);
  collector.add(span_of_layer(0));
  collector.start();
  collector.add(span_of_layer(1));
  collector.add(span_of_layer(2));
  collector.stop();
  collector.add(span_of_layer(3));
  const auto spans = collector.drain();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].layer, 1);
  EXPECT_EQ(spans[1].layer, 2);
  EXPECT_EQ(collector.n_dropped(), 0);
  EXPECT_TRUE(collector.drain().empty());
}

TEST(SpanCollector, CountsWhatFindsNoRoomAndKeepsTheOldest) {
  SpanCollector collector(2);
  collector.start();
  for (int layer = 0; layer < 5; ++layer) collector.add(span_of_layer(layer));
  EXPECT_EQ(collector.n_dropped(), 3);
  const auto spans = collector.drain();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[1].layer, 1);
}

TEST(SpanCollector, DrainingMakesRoomAgainAndStartForgetsDrops) {
  SpanCollector collector(1);
  collector.start();
  collector.add(span_of_layer(0));
  collector.add(span_of_layer(1));
  EXPECT_EQ(collector.drain().size(), 1u);
  collector.add(span_of_layer(2));
  EXPECT_EQ(collector.drain().at(0).layer, 2);
  collector.start();
  EXPECT_EQ(collector.n_dropped(), 0);
}

TEST(SpanCollector, RefusesImpossibleCapacities) {
  EXPECT_THROW(SpanCollector(0), Error);
  try {
    SpanCollector collector(static_cast<std::size_t>(-1));
    FAIL() << "took a capacity no memory can hold";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDoesNotFit);
  }
}

}  // namespace
}  // namespace dachlast
