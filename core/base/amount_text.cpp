#include "core/base/amount_text.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <string_view>

namespace dachlast {

std::string binary_amount(Bytes bytes) {
  constexpr std::array<std::string_view, 4> units = {"B", "KiB", "MiB", "GiB"};
  double amount = bytes.value;
  std::size_t unit = 0;
  for (; unit + 1 < units.size() && amount >= 1024.0; ++unit) amount /= 1024.0;
  // {:g} drops the zeros that rounding to hundredths leaves.
  return fmt::format("{:g} {}", std::round(amount * 100.0) / 100.0, units[unit]);
}

}  // namespace dachlast
