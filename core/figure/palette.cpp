#include "core/figure/palette.h"

#include <algorithm>
#include <cmath>

namespace dachlast::figure {
namespace {

constexpr PaletteEntry kPalette[kRoleCount] = {
    {Role::kSurface, "surface", {0xff, 0xff, 0xff}, {0x16, 0x1a, 0x20}},
    {Role::kText, "text", {0x1b, 0x20, 0x28}, {0xe8, 0xeb, 0xef}},
    {Role::kMuted, "muted", {0x56, 0x5f, 0x6c}, {0xa3, 0xad, 0xba}},
    {Role::kGrid, "grid", {0xe3, 0xe6, 0xea}, {0x2a, 0x30, 0x39}},
    {Role::kAxis, "axis", {0x7d, 0x86, 0x92}, {0x77, 0x82, 0x90}},
    {Role::kMemory, "memory", {0x00, 0x72, 0xb2}, {0x56, 0xb4, 0xe9}},
    {Role::kCompute, "compute", {0xc4, 0x4f, 0x00}, {0xf0, 0x87, 0x3a}},
    {Role::kLatency, "latency", {0x6b, 0x72, 0x7d}, {0x98, 0xa2, 0xaf}},
    {Role::kSeries1, "series1", {0xc4, 0x4f, 0x00}, {0xf0, 0x87, 0x3a}},
    {Role::kSeries2, "series2", {0x00, 0x72, 0xb2}, {0x56, 0xb4, 0xe9}},
    {Role::kSeries3, "series3", {0x00, 0x7a, 0x58}, {0x2f, 0xc0, 0x95}},
    {Role::kSeries4, "series4", {0xa8, 0x4b, 0x7e}, {0xd9, 0x8c, 0xb5}},
    {Role::kSeries5, "series5", {0x8a, 0x62, 0x00}, {0xe6, 0x9f, 0x00}},
    {Role::kSeries6, "series6", {0x5b, 0x4b, 0xc4}, {0xf0, 0xe4, 0x42}},
};

double linear_channel(std::uint8_t channel) {
  const double c = channel / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

double luminance(Rgb c) {
  return 0.2126 * linear_channel(c.r) + 0.7152 * linear_channel(c.g) + 0.0722 * linear_channel(c.b);
}

}  // namespace

std::span<const PaletteEntry> palette() {
  return kPalette;
}

const PaletteEntry& palette_entry(Role role) {
  return kPalette[static_cast<int>(role)];
}

double contrast(Rgb a, Rgb b) {
  const double one = luminance(a) + 0.05;
  const double other = luminance(b) + 0.05;
  return std::max(one, other) / std::min(one, other);
}

}  // namespace dachlast::figure
