#include "core/figure/labels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace dachlast::figure {
namespace {

constexpr Box kFrame{0.0, 0.0, 400.0, 300.0};

std::vector<LabelRequest> crowd(int n) {
  std::vector<LabelRequest> requests;
  for (int i = 0; i < n; ++i)
    requests.push_back({{200.0 + 6.0 * (i % 4), 150.0 + 6.0 * (i / 4)}, 6.0, "operation", 12.0, 1.0 * i});
  return requests;
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("ms"), 2);
  EXPECT_EQ(display_width("µs"), 2);
  EXPECT_EQ(display_width("e\u0301"), 1);           // combining accent
  EXPECT_EQ(display_width("模型"), 4);              // two wide characters
  EXPECT_EQ(display_width("\xF0\x9F\x92\xA5"), 2);  // emoji
  EXPECT_EQ(display_width("\xFF\xFE"), 2);          // no UTF-8: one column a byte
}

TEST(PlaceLabels, LabelsMeetNeitherEachOtherNorMarkersNorObstaclesNorTheEdge) {
  const auto requests = crowd(12);
  const Box obstacle{220.0, 100.0, 80.0, 40.0};
  const auto placed = place_labels(requests, {kFrame, {obstacle}});
  for (std::size_t i = 0; i < placed.size(); ++i) {
    if (!placed[i]) continue;
    const Box& box = placed[i]->box;
    EXPECT_FALSE(box.overlaps(obstacle)) << i;
    EXPECT_TRUE(box.x >= 0 && box.y >= 0 && box.right() <= 400 && box.bottom() <= 300) << i;
    for (std::size_t j = 0; j < placed.size(); ++j) {
      const Point at = requests[j].at;
      EXPECT_FALSE(box.overlaps({at.x - 6, at.y - 6, 12, 12})) << i << " over marker " << j;
      const bool other = j != i && placed[j];
      EXPECT_FALSE(other && box.overlaps(placed[j]->box)) << i << " over " << j;
    }
  }
}

TEST(PlaceLabels, TheHeaviestKeepsTheBestPlace) {
  const auto requests = crowd(12);
  const auto placed = place_labels(requests, {kFrame});
  ASSERT_TRUE(placed.back());
  EXPECT_FALSE(placed.back()->leader);  // index 11 weighs most, at the crowd's right edge: no need to move away
}

TEST(PlaceLabels, WhereThereIsNoRoomThereIsNoLabel) {
  const LabelRequest request{{5.0, 5.0}, 4.0, "much too long for this frame", 12.0, 1.0};
  EXPECT_FALSE(place_labels(std::span(&request, 1), {{0.0, 0.0, 20.0, 20.0}}).front());
}

TEST(PlaceLabels, FarLabelsAreTiedToTheirMarker) {
  const auto placed = place_labels(crowd(12), {kFrame});
  const bool any = std::ranges::any_of(placed, [](const auto& label) { return label && label->leader; });
  EXPECT_TRUE(any);
}

}  // namespace
}  // namespace dachlast::figure
