#pragma once

#include <string>

#include "core/base/units.h"

namespace dachlast {

/// "72 KiB", "1.5 KiB", "12.55 GiB": the largest binary unit that leaves 1 or more, two decimals at most. For formulas and
/// names, which are finished text already; tables and sentences use the formatter of viewmodel.
std::string binary_amount(Bytes bytes);

}  // namespace dachlast
