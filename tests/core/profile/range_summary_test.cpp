#include "core/profile/range_summary.h"

#include <gtest/gtest.h>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

AttachedRange range(std::int32_t name, std::int64_t start_ns, std::int64_t end_ns, std::int32_t depth,
                    RangeEnd end = RangeEnd::kPopped) {
  AttachedRange made;
  made.name = name;
  made.start_ns = start_ns;
  made.end_ns = end_ns;
  made.depth = depth;
  made.end = end;
  return made;
}

/// Two decode steps; the first holds an attention of 30 ns and, in it, a product of 10 ns.
AttachRecord record() {
  AttachRecord made;
  made.processes.resize(1);
  made.threads.resize(1);
  made.threads[0].n_dropped = 3;
  made.names = {"", "decode step", "attention", "product"};
  made.ranges = {range(1, 0, 100, 0), range(2, 10, 40, 1), range(3, 20, 30, 2), range(2, 50, 50, 1, RangeEnd::kMark),
                 range(1, 200, 250, 0, RangeEnd::kCut)};
  return made;
}

class AnnotatedTime : public ::testing::Test {
 protected:
  RangeSummary summary_ = summarize(record(), NameRules(data_dir() / "rules"));
};

TEST_F(AnnotatedTime, SelfTimeLeavesOutWhatIsInside) {
  ASSERT_EQ(summary_.ranges.size(), 3U);
  EXPECT_EQ(summary_.ranges[0].name, "decode step");
  EXPECT_EQ(summary_.ranges[0].times.total_ns, 150);
  EXPECT_EQ(summary_.ranges[0].self_ns, 120);  // 150 − 30
  EXPECT_EQ(summary_.ranges[1].name, "attention");
  EXPECT_EQ(summary_.ranges[1].times.n, 1);  // the mark has no length
  EXPECT_EQ(summary_.ranges[1].self_ns, 20);
}

TEST_F(AnnotatedTime, StepsMakePhases) {
  ASSERT_EQ(summary_.steps.size(), 1U);
  EXPECT_EQ(summary_.steps[0].label, "decode");
  EXPECT_EQ(summary_.steps[0].times.n, 2);
  EXPECT_EQ(summary_.steps[0].times.total_ns, 150);
}

TEST_F(AnnotatedTime, SaysWhatIsMissing) {
  EXPECT_EQ(summary_.n_dropped, 3);
  EXPECT_EQ(summary_.n_cut, 1);
  EXPECT_EQ(summary_.span_ns, 250);
}

}  // namespace
}  // namespace dachlast
