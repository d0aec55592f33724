#pragma once

#include <string>

#include "core/base/units.h"

namespace dachlast {

// Numbers inside formulas. Tables and sentences use the formatter of viewmodel; a formula is finished text already
// here, and follows the same rules (UX.md §6).

/// "72 KiB", "1.5 KiB", "12.55 GiB": the largest binary unit that leaves 1 or more, two decimals at most.
std::string binary_amount(Bytes bytes);

/// A whole number with groups of three: "6,738,415,616".
std::string grouped(double count);

}  // namespace dachlast
