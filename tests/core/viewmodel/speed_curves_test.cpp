#include "core/viewmodel/speed_curves.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

#include "tests/support/sample_run.h"

namespace dachlast::viewmodel {
namespace {

template <class Primitive>
std::vector<Primitive> all(const figure::Figure& figure) {
  std::vector<Primitive> found;
  for (const auto& primitive : figure.primitives)
    if (const auto* one = std::get_if<Primitive>(&primitive)) found.push_back(*one);
  return found;
}

/// Throughput that grows with the batch up to 8 and hardly further.
std::vector<SpeedSample> saturating() {
  std::vector<SpeedSample> samples;
  for (const auto& [size, rate] : {std::pair(1, 100.0), {2, 200.0}, {4, 400.0}, {8, 800.0}, {16, 850.0}, {32, 880.0}})
    samples.push_back({.size = size, .ttft_s = 0.1, .tpot_s = size / rate, .output_tokens_s = rate});
  return samples;
}

TEST(SpeedCurves, TheKneeLiesFurthestAboveTheChord) {
  // The chord runs from (1, 100) to (32, 880): at 8 it stands at 100 + 7/31 · 780 = 276, 524 below 800; at 16 at 477, 373 below.
  const auto knee = knee_of(saturating());
  ASSERT_TRUE(knee);
  EXPECT_EQ(saturating()[*knee].size, 8);
}

TEST(SpeedCurves, AStraightLineHasNoKnee) {
  std::vector<SpeedSample> straight;
  for (const int size : {1, 2, 4, 8, 16}) straight.push_back({size, 0.1, 0.1, 10.0 * size});
  EXPECT_FALSE(knee_of(straight));
  EXPECT_FALSE(knee_of({{1, 0.1, 0.1, 1.0}, {2, 0.1, 0.1, 9.0}}));
  EXPECT_FALSE(knee_of({}));
}

TEST(SpeedCurves, PredictionsAreDashedAndHollow) {
  SpeedCurves curves;
  curves.title = "Speed over batch size";
  curves.predicted = saturating();
  const figure::Figure drawn = speed_curves_figure(curves, {900, 300}, "c");
  const auto lines = all<figure::Polyline>(drawn);
  ASSERT_EQ(lines.size(), 3U);  // TTFT, TPOT, output
  for (const auto& line : lines) EXPECT_EQ(line.stroke.dash, figure::Dash::kDashed);
  for (const auto& marker : all<figure::Marker>(drawn)) EXPECT_EQ(marker.fill, figure::MarkerFill::kHollow);
  EXPECT_EQ(all<figure::HitBox>(drawn).size(), 18U);  // six sizes in three panels
  const auto texts = all<figure::Text>(drawn);
  EXPECT_EQ(std::ranges::count(texts, "knee 8", &figure::Text::text), 3);
  EXPECT_TRUE(all<figure::Rect>(drawn).empty());  // nothing was measured: no range is shaded
}

TEST(SpeedCurves, TheMeasuredRangeIsShadedAndSolid) {
  SpeedCurves curves;
  curves.predicted = saturating();
  curves.measured = {saturating()[1], saturating()[3]};
  const figure::Figure drawn = speed_curves_figure(curves, {900, 300}, "c");
  EXPECT_EQ(all<figure::Rect>(drawn).size(), 3U);
  const auto lines = all<figure::Polyline>(drawn);
  EXPECT_EQ(std::ranges::count(lines, figure::Dash::kSolid, [](const auto& line) { return line.stroke.dash; }), 3);
  const auto markers = all<figure::Marker>(drawn);
  EXPECT_EQ(std::ranges::count(markers, figure::MarkerFill::kFilled, &figure::Marker::fill),
            7);  // 2 · 3, and the legend's
}

TEST(SpeedCurves, StaysWithinTheFigureAtAnySize) {
  SpeedCurves curves;
  curves.predicted = saturating();
  for (const figure::Size size : {figure::Size{980, 300}, figure::Size{350, 720}, figure::Size{240, 160}})
    for (const auto& hit : all<figure::HitBox>(speed_curves_figure(curves, size, "c"))) {
      EXPECT_GE(hit.box.x, 0.0);
      EXPECT_LE(hit.box.right(), size.width);
    }
}

TEST(SpeedCurves, WithoutSamplesTheReasonStands) {
  SpeedCurves curves;
  curves.reason = "No device is named.";
  const auto texts = all<figure::Text>(speed_curves_figure(curves, {300, 200}, "c"));
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_EQ(texts.front().text, curves.reason);
}

TEST(SpeedCurves, ARunGivesTtftAndTpotBySize) {
  // The sample run: prefill and decode of 128 and 512 tokens, batch 1.
  const SpeedCurves curves = measured_curves(test::sample_run(), CurveOver::kContext);
  ASSERT_EQ(curves.measured.size(), 2U);
  EXPECT_EQ(curves.measured[0].size, 128);
  EXPECT_EQ(curves.measured[1].size, 512);
  for (const SpeedSample& sample : curves.measured) {
    EXPECT_GT(sample.ttft_s, 0.0);
    EXPECT_DOUBLE_EQ(sample.output_tokens_s, 1.0 / sample.tpot_s);
  }
  EXPECT_TRUE(measured_curves(test::sample_run(), CurveOver::kBatch).measured.empty());  // one batch size is no curve
}

TEST(SpeedCurves, TheTableHoldsEverySample) {
  SpeedCurves curves;
  curves.predicted = saturating();
  curves.measured = {saturating()[1]};
  const Table table = speed_curves_table(curves);
  EXPECT_EQ(table.rows.size(), 7U);
  EXPECT_EQ(table.rows.front().back().text, "measured");
}

}  // namespace
}  // namespace dachlast::viewmodel
