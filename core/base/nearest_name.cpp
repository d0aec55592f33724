#include "core/base/nearest_name.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace dachlast {
namespace {

/// ASCII only, independent of the locale.
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the table of Wagner & Fischer 1974, with the swaps of Damerau 1964: now[j] is the distance of the
  // first i letters of `a` to the first j of `b`.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> now(b.size() + 1);
  std::iota(now.begin(), now.end(), std::size_t{0});
  const auto equal = [&](std::size_t i, std::size_t j) { return lower(a[i - 1]) == lower(b[j - 1]); };
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(now);
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j - 1] + (equal(i, j) ? 0 : 1), last[j] + 1, now[j - 1] + 1});
      if (i > 1 && j > 1 && equal(i, j - 1) && equal(i - 1, j)) now[j] = std::min(now[j], before[j - 2] + 1);
    }
  }
  return now.back();
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> candidates) {
  constexpr std::size_t kLongestName = 200;  // nobody types more; keeps a pasted file from taking quadratic time
  if (name.size() > kLongestName) return std::nullopt;
  const std::string* nearest = nullptr;
  std::size_t least = 0;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (nearest && distance >= least) continue;
    nearest = &candidate;
    least = distance;
  }
  if (!nearest || 2 * least > std::max(name.size(), nearest->size())) return std::nullopt;
  return *nearest;
}

}  // namespace dachlast
