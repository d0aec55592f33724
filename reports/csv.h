#pragma once

#include <string>
#include <string_view>

#include "core/roofline/run.h"
#include "core/viewmodel/table.h"

namespace dachlast::reports {

/// One field, quoted where it must be.
/// Source   RFC 4180.
std::string csv_field(std::string_view text);

/// Header of column keys, then one line a row: raw values, dot decimals, missing ones empty.
std::string csv_table(const viewmodel::Table& table);

/// Every point and operation of a run in one table, raw samples included.
std::string csv_run(const Run& run);

}  // namespace dachlast::reports
