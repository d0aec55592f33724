#include "core/memory/amount_text.h"

#include <fmt/core.h>

namespace dachlast {

std::string grouped(double count) {
  std::string digits = fmt::format("{:.0f}", count);
  const int first = digits.front() == '-' ? 1 : 0;
  for (int i = static_cast<int>(digits.size()) - 3; i > first; i -= 3)
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  return digits;
}

}  // namespace dachlast
