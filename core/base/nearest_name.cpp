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
  // One row of the table of Wagner & Fischer 1974: row[j] is the distance of the read part of `a` to the first j of
  // `b`.
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (const char letter : a) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(letter) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
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
