#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/figure/figure.h"

namespace dachlast::figure {

struct Rgb {
  std::uint8_t r = 0;
  std::uint8_t g = 0;
  std::uint8_t b = 0;
};

/// One role in both themes. `name` is the role's name in CSS and in files.
struct PaletteEntry {
  Role role;
  std::string_view name;
  Rgb light;
  Rgb dark;
};

/// Colours of every role, in the order of `Role`.
/// Source   hues of Okabe & Ito 2008, "Color Universal Design", darkened on light and lightened on dark surfaces until
///          graphics reach 3:1 and text 4.5:1 (WCAG 2.1, 1.4.3 and 1.4.11).
std::span<const PaletteEntry> palette();

/// The row of one role.
const PaletteEntry& palette_entry(Role role);

/// Contrast ratio of two colours, 1 … 21.
/// Source   WCAG 2.1, "contrast ratio" and "relative luminance".
double contrast(Rgb a, Rgb b);

}  // namespace dachlast::figure
