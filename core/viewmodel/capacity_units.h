#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/viewmodel/language.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

// Capacity in decimal units (`--units si`). View-models speak GiB; what people see is written anew from the very figure
// they would read, so that sentence, table, chart, report and window show the same digits in either unit. Bandwidth and
// traffic are decimal already; machine formats hold bytes.

/// "iec", "si", as `--units` spells them.
constexpr std::string_view code_of(CapacityUnits units) {
  return units == CapacityUnits::kIec ? "iec" : "si";
}

/// Empty for any other word.
std::optional<CapacityUnits> units_from_code(std::string_view code);

/// "22.22 GiB spare" as "23.86 GB spare": every amount in KiB, MiB, GiB or TiB in the decimal unit beside it, with its
/// decimals by the rules of GiB (two below 100) and MiB (three digits). A unit without a number stays: what it counts
/// is not known here.
/// Numbers  `language` says which separators the text has. The figure shown is converted: the last digit may be one off
///          the one that the unrounded bytes would give.
std::string in_decimal_units(std::string_view text, Language language);

/// The same for columns whose head holds the unit.
Table in_decimal_units(Table table);

/// The decimal unit beside a binary one: "GB" for "GiB"; any other text as it is.
std::string_view decimal_unit(std::string_view unit);

}  // namespace dachlast::viewmodel
