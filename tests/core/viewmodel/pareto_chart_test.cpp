#include "core/viewmodel/pareto_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>

namespace dachlast::viewmodel {
namespace {

using testing::HasSubstr;

template <class Primitive>
std::vector<Primitive> all(const figure::Figure& figure) {
  std::vector<Primitive> found;
  for (const auto& primitive : figure.primitives)
    if (const auto* one = std::get_if<Primitive>(&primitive)) found.push_back(*one);
  return found;
}

ParetoChart three_points() {
  return {.title = "chart",
          .description = "three",
          .points = {{.request_tokens_s = 100,
                      .device_tokens_s = 50,
                      .rank = ParetoRank::kOption,
                      .datum = "a",
                      .label = "1: fast",
                      .tooltip = "A"},
                     {.request_tokens_s = 50,
                      .device_tokens_s = 200,
                      .rank = ParetoRank::kFrontier,
                      .datum = "b",
                      .label = {},
                      .tooltip = "B"},
                     {.request_tokens_s = 20,
                      .device_tokens_s = 20,
                      .rank = ParetoRank::kCandidate,
                      .datum = "c",
                      .label = {},
                      .tooltip = "C"}},
          .tpot_limit_s = 0.04};
}

TEST(ParetoFigure, EveryPointCanBePointedAt) {
  const figure::Figure drawn = pareto_figure(three_points(), {800, 500}, "p");
  const auto hits = all<figure::HitBox>(drawn);
  ASSERT_EQ(hits.size(), 3U);
  EXPECT_EQ(hits[1].datum, "b");
  EXPECT_EQ(hits[1].tooltip, "B");
  for (const figure::HitBox& hit : hits) {
    EXPECT_GE(hit.box.x, 0.0);
    EXPECT_LE(hit.box.right(), 800.0);
    EXPECT_LE(hit.box.bottom(), 500.0);
  }
  EXPECT_LT(hits[2].box.x, hits[1].box.x);  // slower requests lie to the left
  EXPECT_GT(hits[2].box.y, hits[1].box.y);  // less yield lies below
}

TEST(ParetoFigure, EstimatesAreHollowAndOptionsLabelled) {
  const figure::Figure drawn = pareto_figure(three_points(), {800, 500}, "p");
  for (const figure::Marker& marker : all<figure::Marker>(drawn)) EXPECT_EQ(marker.fill, figure::MarkerFill::kHollow);
  const auto texts = all<figure::Text>(drawn);
  EXPECT_TRUE(std::ranges::any_of(texts, [](const figure::Text& text) { return text.text == "1: fast"; }));
  ASSERT_EQ(all<figure::Polyline>(drawn).size(), 1U);
  EXPECT_EQ(all<figure::Polyline>(drawn).front().points.size(), 2U);  // the candidate below is not on the line
}

TEST(ParetoFigure, TheAllowedRegionBeginsAtTheLimit) {
  const figure::Figure drawn = pareto_figure(three_points(), {800, 500}, "p");
  const auto rects = all<figure::Rect>(drawn);
  ASSERT_EQ(rects.size(), 1U);
  const auto hits = all<figure::HitBox>(drawn);
  const auto middle = [](const figure::HitBox& hit) { return hit.box.x + hit.box.width / 2; };
  // 40 ms are 25 tokens/s: between the points at 20 and 50.
  EXPECT_GT(rects.front().box.x, middle(hits[2]));
  EXPECT_LT(rects.front().box.x, middle(hits[1]));
  ParetoChart open = three_points();
  open.tpot_limit_s.reset();
  EXPECT_TRUE(all<figure::Rect>(pareto_figure(open, {800, 500}, "p")).empty());
}

ParetoChart with_times() {
  ParetoChart chart = three_points();
  // TTFT 1, 0.5 and 2 s on 8, 2 and 1 GPUs: on these axes a is beaten by b.
  const double ttft[] = {1.0, 0.5, 2.0};
  const int devices[] = {8, 2, 1};
  for (std::size_t i = 0; i < 3; ++i) {
    chart.points[i].ttft_s = ttft[i];
    chart.points[i].n_devices = devices[i];
  }
  chart.x = ParetoAxis::kTtft;
  chart.y = ParetoAxis::kDevices;
  return chart;
}

TEST(ParetoFigure, TheFrontierIsThatOfTheAxesShown) {
  const figure::Figure drawn = pareto_figure(with_times(), {800, 500}, "p");
  const auto lines = all<figure::Polyline>(drawn);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines.front().points.size(), 2U);  // b and c: none has less of both
}

TEST(ParetoFigure, PointsThatMissALimitAreNotOnTheFrontier) {
  ParetoChart chart = with_times();
  chart.points[1].meets_limits = false;
  const auto lines = all<figure::Polyline>(pareto_figure(chart, {800, 500}, "p"));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines.front().points.size(), 2U);  // a and c now
}

TEST(ParetoFigure, LimitsOnBothAxesTintTheirCorner) {
  ParetoChart chart = with_times();
  chart.y = ParetoAxis::kRequestRate;
  chart.ttft_limit_s = 0.8;
  const figure::Figure drawn = pareto_figure(chart, {800, 500}, "p");
  const auto rects = all<figure::Rect>(drawn);
  ASSERT_EQ(rects.size(), 1U);
  const figure::Box& frame = drawn.plane->frame;
  EXPECT_DOUBLE_EQ(rects.front().box.x, frame.x);  // less TTFT lies to the left
  EXPECT_DOUBLE_EQ(rects.front().box.y, frame.y);  // a faster request lies above
  EXPECT_NEAR(rects.front().box.right(), drawn.plane->x.position(0.8), 1e-9);
  EXPECT_NEAR(rects.front().box.bottom(), drawn.plane->y.position(25.0), 1e-9);
}

TEST(ParetoFigure, OutdoneOnesCanBeHidden) {
  ParetoChart chart = three_points();
  chart.dominated = Dominated::kHidden;
  EXPECT_EQ(all<figure::HitBox>(pareto_figure(chart, {800, 500}, "p")).size(), 2U);
}

TEST(ParetoFigure, WithoutPricesTheCostAxisSaysSo) {
  ParetoChart chart = three_points();
  chart.x = ParetoAxis::kCost;
  const figure::Figure drawn = pareto_figure(chart, {800, 500}, "p");
  EXPECT_TRUE(all<figure::HitBox>(drawn).empty());
  const auto texts = all<figure::Text>(drawn);
  EXPECT_TRUE(std::ranges::any_of(texts, [](const auto& text) { return text.text.find("Without prices") == 0; }));
}

TEST(ParetoFigure, AnEmptyChartSaysSo) {
  const figure::Figure drawn = pareto_figure({}, {400, 300}, "p");
  EXPECT_TRUE(all<figure::HitBox>(drawn).empty());
  const auto texts = all<figure::Text>(drawn);
  EXPECT_TRUE(std::ranges::any_of(texts, [](const auto& text) { return text.text.find("Nothing fits") == 0; }));
}

}  // namespace
}  // namespace dachlast::viewmodel
