#pragma once

#include <string_view>

namespace dachlast::viewmodel {

/// Between a figure and its unit.
inline constexpr std::string_view kNoBreak = "\u00a0";

/// One of the ten digits, whatever the locale.
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace dachlast::viewmodel
