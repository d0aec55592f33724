#include "core/viewmodel/verdict_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dachlast::viewmodel {
namespace {

using ::testing::HasSubstr;

/// One second of which the roofs would need these shares, in one call without gaps.
Load load_of(double memory, double compute) {
  return {.time = Seconds{1.0},
          .busy_time = Seconds{1.0},
          .memory_time = Seconds{memory},
          .compute_time = Seconds{compute},
          .least_time = Seconds{std::max(memory, compute)},
          .n_calls = 1};
}

std::string text_for(const Load& load) {
  return latency_reason_text(judge(load, 0.6).value());
}

TEST(LatencyReasonText, GivesTheNumbersBehindTheReason) {
  Load gaps = load_of(0.5, 0.1);
  gaps.busy_time = Seconds{0.8};
  EXPECT_THAT(text_for(gaps), HasSubstr("20\u00a0%"));
  Load short_calls = load_of(0.1, 0.1);
  short_calls.n_calls = 100'000;  // 10 µs each
  EXPECT_THAT(text_for(short_calls), HasSubstr("10.0\u00a0µs"));
  Load cached = load_of(0.2, 0.1);
  cached.level = MemoryLevel::kL2;
  EXPECT_THAT(text_for(cached), HasSubstr("L2"));
}

TEST(LatencyReasonText, RoundsSharesAsEveryTableDoes) {
  // 0.35 and 0.30 explain the time only together; a share below 10 % keeps a decimal.
  EXPECT_THAT(text_for(load_of(0.35, 0.30)), HasSubstr("35\u00a0% for memory and 30\u00a0% for compute"));
  EXPECT_THAT(text_for(load_of(0.555, 0.065)), HasSubstr("56\u00a0% for memory and 6.5\u00a0% for compute"));
}

TEST(LatencyReasonText, IsEmptyWhereARoofBinds) {
  EXPECT_EQ(text_for(load_of(0.8, 0.1)), "");
}

}  // namespace
}  // namespace dachlast::viewmodel
