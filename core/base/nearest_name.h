#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dachlast {

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, each worth one (optimal string
/// alignment); upper and lower case count as equal.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Whether both are the same but for upper and lower case (ASCII).
bool same_name(std::string_view a, std::string_view b);

/// The candidate a person who typed `name` most likely meant: the first of those at the least distance. Empty where
/// even the nearest differs in more than half of its letters: no suggestion is better than a random one.
std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace dachlast
