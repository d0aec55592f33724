#include "core/figure/labels.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>

namespace dachlast::figure {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// The blocks that matter for names and units; Unicode 15, EastAsianWidth.txt and general categories Mn, Cf.
constexpr Range kZeroWidth[] = {{0x0300, 0x036f}, {0x200b, 0x200f}, {0x202a, 0x202e},
                                {0x2060, 0x206f}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}};
constexpr Range kWide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},  {0xac00, 0xd7a3},
                           {0xf900, 0xfaff},   {0xfe30, 0xfe4f},   {0xff00, 0xff60},  {0x1f300, 0x1f64f},
                           {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

bool within(std::span<const Range> ranges, std::uint32_t c) {
  return std::ranges::any_of(ranges, [c](const Range& r) { return c >= r.first && c <= r.last; });
}

// Bytes that do not form a code point count as one column each: what a terminal shows for them.
std::uint32_t next_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const int length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (length == 1 || text.size() < static_cast<std::size_t>(length)) {
    text.remove_prefix(1);
    return lead;
  }
  std::uint32_t c = lead & (0xffu >> (length + 1));
  for (int i = 1; i < length; ++i) c = (c << 6) | (static_cast<unsigned char>(text[i]) & 0x3fu);
  text.remove_prefix(length);
  return c;
}

struct Offset {
  double dx;
  double dy;
  Anchor anchor;
};

// Beside first, then above and below, then the corners.
constexpr Offset kSides[] = {{1, 0, Anchor::kStart},     {-1, 0, Anchor::kEnd},       {0, -1, Anchor::kMiddle},
                             {0, 1, Anchor::kMiddle},    {0.8, -0.8, Anchor::kStart}, {0.8, 0.8, Anchor::kStart},
                             {-0.8, -0.8, Anchor::kEnd}, {-0.8, 0.8, Anchor::kEnd}};
constexpr double kGap = 5.0;
constexpr double kBoldWider = 1.12;
constexpr std::array kDistances = {0.0, 14.0, 28.0, 46.0, 68.0, 94.0};
constexpr double kAir = 2.0;          // between a label and what lies left and right of it
constexpr double kLeaderFrom = 10.0;  // closer than this a leader would only add clutter

PlacedLabel candidate(const LabelRequest& request, double width, const Offset& side, double distance) {
  const double reach = request.radius + kGap + distance;
  const double height = request.size;
  const Point anchor{request.at.x + side.dx * reach, request.at.y + side.dy * (reach + height / 2)};
  const double left = side.anchor == Anchor::kStart ? 0.0 : side.anchor == Anchor::kEnd ? width : width / 2;
  PlacedLabel label;
  // Capital letters are about 0.7 em tall: this baseline centres them on the anchor.
  label.at = {anchor.x, anchor.y + 0.35 * request.size};
  label.anchor = side.anchor;
  label.box = {anchor.x - left, anchor.y - height / 2 - 1, width, height + 2};
  if (distance >= kLeaderFrom)
    label.leader = Line{{request.at.x + side.dx * (request.radius + 1), request.at.y + side.dy * (request.radius + 1)},
                        {anchor.x - side.dx * 2, anchor.y - side.dy * (height / 2 + 1)},
                        {Role::kAxis, 0.75, Dash::kSolid}};
  return label;
}

bool inside(const Box& box, const Box& frame) {
  return box.x >= frame.x && box.y >= frame.y && box.right() <= frame.right() && box.bottom() <= frame.bottom();
}

/// A label and the air around it.
Box with_air(const Box& box) {
  return {box.x - kAir, box.y, box.width + 2 * kAir, box.height};
}

bool meets(const Box& label, std::span<const Box> boxes) {
  return std::ranges::any_of(boxes, [air = with_air(label)](const Box& box) { return box.overlaps(air); });
}

std::optional<PlacedLabel> first_free(const LabelRequest& request, const LabelRoom& room, std::span<const Box> taken) {
  const double width =
      (request.face == Weight::kBold ? kBoldWider : 1.0) * text_width(request.text, request.size, room.wording);
  std::optional<PlacedLabel> on_a_line;
  for (const double distance : kDistances) {
    for (const Offset& side : kSides) {
      PlacedLabel label = candidate(request, width, side, distance);
      if (!inside(label.box, room.frame) || meets(label.box, taken)) continue;
      if (!meets(label.box, room.avoided)) return label;
      if (!on_a_line) on_a_line = label;
    }
  }
  return on_a_line;
}

}  // namespace

int display_width(std::string_view utf8) {
  int width = 0;
  while (!utf8.empty()) {
    const std::uint32_t c = next_code_point(utf8);
    if (!within(kZeroWidth, c)) width += within(kWide, c) ? 2 : 1;
  }
  return width;
}

double text_width(std::string_view utf8, double font_size) {
  return 0.6 * font_size * display_width(utf8);
}

double text_width(std::string_view english, double font_size, const Wording* wording) {
  return wording == nullptr ? text_width(english, font_size) : text_width(wording->said(english), font_size);
}

std::vector<std::optional<PlacedLabel>> place_labels(std::span<const LabelRequest> requests, const LabelRoom& room) {
  std::vector<Box> taken = room.obstacles;
  for (const auto& r : requests) taken.push_back({r.at.x - r.radius, r.at.y - r.radius, 2 * r.radius, 2 * r.radius});
  std::vector<std::size_t> order(requests.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](auto a, auto b) { return requests[a].weight > requests[b].weight; });
  std::vector<std::optional<PlacedLabel>> placed(requests.size());
  for (const std::size_t i : order) {
    placed[i] = first_free(requests[i], room, taken);
    if (placed[i]) taken.push_back(placed[i]->box);
  }
  return placed;
}

}  // namespace dachlast::figure
