#include "core/viewmodel/roofline_plot.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"
#include "tests/support/sample_run.h"

namespace dachlast::viewmodel {
namespace {

using figure::Figure;

template <class Primitive>
std::vector<Primitive> all_of_kind(const Figure& figure) {
  std::vector<Primitive> found;
  for (const auto& primitive : figure.primitives)
    if (const auto* one = std::get_if<Primitive>(&primitive)) found.push_back(*one);
  return found;
}

TEST(RooflineFrame, DependsOnTheRoofsAloneInWholeDecades) {
  // Ridge 100e9 / 20e9 = 5 FLOP/byte: from 0.1 to 500, so 0.1 … 1000. Lowest: 0.5 · 20e9 · 0.1 = 1e9; highest:
  // the peak, 1e11.
  const auto frame = roofline_frame(test::sample_run().roofs);
  EXPECT_NEAR(frame.x.lo, 0.1, 1e-12);
  EXPECT_NEAR(frame.x.hi, 1000.0, 1e-9);
  EXPECT_NEAR(frame.y.lo, 1e9, 1e-3);
  EXPECT_NEAR(frame.y.hi, 1e11, 1e2);
}

TEST(RooflineFrame, NeedsRoofs) {
  EXPECT_THROW(roofline_frame({}), Error);
}

TEST(RooflineData, HoldsPointsAndRoofs) {
  const auto plot = roofline_plot(test::sample_run());
  const auto data = with_roofs(roofline_table(plot), plot);
  ASSERT_EQ(data.rows.size(), plot.points.size() + plot.memory_roofs.size() + plot.compute_roofs.size());
  for (const auto& row : data.rows) EXPECT_EQ(row.size(), data.columns.size());
  EXPECT_EQ(data.rows.front().front().text, "point");
  const auto& roof = data.rows[plot.points.size()];
  EXPECT_EQ(roof.front().text, "roof");
  EXPECT_EQ(roof[2].text, plot.memory_roofs.front().label);
  EXPECT_EQ(std::get<double>(roof[data.columns.size() - 3].raw), plot.memory_roofs.front().value);
  EXPECT_EQ(roof.back().text, "measured");
}

TEST(RooflinePlot, PointsAreNumberedLikeTheRowsOfTheTable) {
  const auto plot = roofline_plot(test::sample_run());
  const auto table = roofline_table(plot);
  ASSERT_EQ(table.rows.size(), plot.points.size());
  for (std::size_t i = 0; i < plot.points.size(); ++i) {
    EXPECT_EQ(plot.points[i].number, static_cast<int>(i) + 1);
    EXPECT_EQ(std::get<std::int64_t>(table.rows[i][0].raw), plot.points[i].number);
    EXPECT_EQ(table.rows[i][1].text, plot.points[i].label);
  }
}

TEST(RooflinePlot, CoversTheTimeAskedForAndSaysWhatItLeavesOut) {
  const auto run = test::sample_run();
  const auto all = roofline_plot(run, 1.0);
  const auto most = roofline_plot(run, 0.5);
  EXPECT_EQ(all.n_left_out, 0);
  EXPECT_LT(most.points.size(), all.points.size());
  EXPECT_EQ(most.points.size() + static_cast<std::size_t>(most.n_left_out), all.points.size());
}

TEST(RooflineFigure, EveryMarkerLiesWithinTheFigure) {
  for (const double width : {350.0, 980.0}) {
    const auto figure = roofline_figure(roofline_plot(test::sample_run()), {width, 500.0}, "chart");
    const auto markers = all_of_kind<figure::Marker>(figure);
    EXPECT_GE(markers.size(), 8u);
    for (const auto& marker : markers) {
      EXPECT_TRUE(marker.at.x >= 0 && marker.at.x <= width) << marker.at.x;
      EXPECT_TRUE(marker.at.y >= 0 && marker.at.y <= 500) << marker.at.y;
    }
  }
}

TEST(RooflineFigure, PrefillIsACircleAndDecodeASquare) {
  auto run = test::sample_run();
  std::erase_if(run.points, [](const auto& point) { return point.phase == Phase::kPrefill; });
  const auto figure = roofline_figure(roofline_plot(run), {980.0, 600.0}, "chart");
  const auto hits = all_of_kind<figure::HitBox>(figure);
  ASSERT_FALSE(hits.empty());
  for (const auto& hit : hits) EXPECT_TRUE(hit.datum.starts_with("decode/")) << hit.datum;
  const auto markers = all_of_kind<figure::Marker>(figure);
  const auto squares = std::ranges::count(markers, figure::MarkerShape::kSquare, &figure::Marker::shape);
  EXPECT_EQ(squares, static_cast<std::ptrdiff_t>(hits.size()) + 1);  // the points and the legend's entry
}

TEST(RooflineFigure, PointsOutsideTheFrameGetAnEdgeMarker) {
  auto plot = roofline_plot(test::sample_run());
  const auto before = all_of_kind<figure::Area>(roofline_figure(plot, {980.0, 600.0}, "chart")).size();
  plot.points[0].intensity = 1e6;
  const auto after = all_of_kind<figure::Area>(roofline_figure(plot, {980.0, 600.0}, "chart")).size();
  EXPECT_EQ(after, before + 1);
}

TEST(RooflineFigure, DescribesEveryPoint) {
  const auto plot = roofline_plot(test::sample_run());
  const auto figure = roofline_figure(plot, {980.0, 600.0}, "chart");
  for (const auto& point : plot.points)
    EXPECT_TRUE(point.intensity <= 0.0 || figure.description.find(point.label) != std::string::npos) << point.label;
}

}  // namespace
}  // namespace dachlast::viewmodel
