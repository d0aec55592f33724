#include "core/viewmodel/compare_many.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/viewmodel/format.h"
#include "core/viewmodel/roofline_plot.h"
#include "tests/support/sample_run.h"

namespace dachlast::viewmodel {
namespace {

/// The sample run with every time stretched.
Run slower(double factor) {
  Run run = test::sample_run();
  for (MeasuredPoint& point : run.points) {
    for (double& sample : point.samples_s) sample *= factor;
    for (OpMeasurement& op : point.ops) op.time = Seconds{op.time.value * factor};
  }
  return run;
}

TEST(CompareMany, HoldsEveryRunAgainstTheBaseline) {
  const auto base = test::sample_run();
  auto slow = slower(1.5);
  slow.attention_variant = "naive";
  const NamedRun others[] = {{"same", &base}, {"slow", &slow}};
  const CompareMany view = compare_many({"base", &base}, others);
  ASSERT_EQ(view.answers.size(), 2u);
  EXPECT_TRUE(view.answers[0].starts_with("same: UNCHANGED")) << view.answers[0];
  EXPECT_TRUE(view.answers[1].starts_with("slow: SLOWER")) << view.answers[1];
  EXPECT_EQ(view.points.rows.size(), base.points.size());
  EXPECT_EQ(view.changes.size(), base.points.size());
  EXPECT_EQ(view.changes.front().marks.size(), 2u);
}

TEST(CompareMany, FewRepeatsDecideNothing) {
  const auto base = test::sample_run();
  auto slow = slower(1.5);
  for (MeasuredPoint& point : slow.points) point.samples_s.resize(3);
  const NamedRun others[] = {{"slow", &slow}};
  const CompareMany view = compare_many({"base", &base}, others);
  EXPECT_TRUE(view.answers[0].starts_with("slow: NOT DECIDED: prefill +")) << view.answers[0];
  EXPECT_NE(view.answers[0].find("too few repeats"), std::string::npos);
}

TEST(CompareMany, ListsEverySettingOnceWithTheValuesOfAll) {
  const auto base = test::sample_run();
  auto other = base;
  other.attention_variant = "naive";
  const NamedRun others[] = {{"same", &base}, {"naive", &other}};
  const CompareMany view = compare_many({"base", &base}, others);
  ASSERT_EQ(view.configuration.rows.size(), 1u);
  EXPECT_EQ(view.configuration.rows[0][1].text, base.attention_variant);
  EXPECT_EQ(view.configuration.rows[0][2].text, base.attention_variant);
  EXPECT_EQ(view.configuration.rows[0][3].text, "naive");
}

TEST(CompareMany, NotesPointsThatOnlyOneRunHas) {
  const auto base = test::sample_run();
  auto fewer = base;
  fewer.points.pop_back();
  const NamedRun others[] = {{"fewer", &fewer}};
  const CompareMany view = compare_many({"base", &base}, others);
  ASSERT_EQ(view.notes.size(), 1u);
  EXPECT_TRUE(plain_spaces(view.notes[0]).starts_with("1 point only in the baseline")) << view.notes[0];
}

TEST(ChangeFigure, DrawsADotARunAndRowAndSaysWhatDoesNotFit) {
  const auto base = test::sample_run();
  const auto slow = slower(1.2);
  const NamedRun others[] = {{"slow", &slow}};
  const CompareMany view = compare_many({"base", &base}, others);
  const auto hits = [&](figure::Size size) {
    const auto drawn = change_figure(view, size, "c");
    return std::ranges::count_if(drawn.primitives,
                                 [](const auto& p) { return std::holds_alternative<figure::HitBox>(p); });
  };
  EXPECT_EQ(hits({800.0, 400.0}), 4);  // four points of one run
  EXPECT_LT(hits({400.0, 120.0}), 4);
}

TEST(RooflineGhosts, ShowWhereThePointsLayAndHowFarTheyMoved) {
  const auto base = test::sample_run();
  const auto slow = slower(1.25);
  RooflinePlot plot = roofline_plot(slow);
  add_ghosts(plot, slow, base);
  ASSERT_EQ(plot.ghosts.size(), std::ranges::count_if(plot.points, [](const auto& p) { return p.intensity > 0.0; }));
  EXPECT_EQ(plain_spaces(plot.ghosts.front().change), "+25 %");
  EXPECT_NEAR(plot.ghosts.front().flops_per_s / plot.points.front().flops_per_s, 1.25, 1e-9);
}

TEST(RooflineGhosts, HaveNoArrowWithinNoise) {
  const auto base = test::sample_run();
  RooflinePlot plot = roofline_plot(base);
  add_ghosts(plot, base, base);
  ASSERT_FALSE(plot.ghosts.empty());
  for (const RooflineGhost& ghost : plot.ghosts) EXPECT_TRUE(ghost.change.empty());
}

}  // namespace
}  // namespace dachlast::viewmodel
