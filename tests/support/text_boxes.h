#pragma once

#include <string>
#include <vector>

#include "core/figure/figure.h"

namespace dachlast::test {

/// Pairs of texts of a figure that lie over each other, "one | other", by the widths a layout goes by; turned texts included.
std::vector<std::string> overlapping_texts(const figure::Figure& figure);

/// Texts that leave the figure to the left or right.
std::vector<std::string> cut_texts(const figure::Figure& figure);

/// Texts whose contrast to what was drawn below their middle is less than 4.5:1 in one of the themes, with the ratio.
/// Source   WCAG 2.1, 1.4.3.
std::vector<std::string> pale_texts(const figure::Figure& figure);

}  // namespace dachlast::test
