#pragma once

#include <string>

#include "core/base/amount_text.h"

namespace dachlast {

// Numbers inside formulas. Tables and sentences use the formatter of viewmodel; a formula is finished text already
// here, and follows the same rules (UX.md §6). Bytes: `binary_amount` of core/base.

/// A whole number with groups of three: "6,738,415,616".
std::string grouped(double count);

}  // namespace dachlast
