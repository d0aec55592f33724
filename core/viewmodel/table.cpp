#include "core/viewmodel/table.h"

#include <cmath>
#include <utility>

#include "core/viewmodel/format.h"

namespace dachlast::viewmodel {

Cell missing_cell() {
  return {{}, std::string(kMissing), {}};
}

Cell text_cell(std::string text) {
  if (text.empty()) return missing_cell();
  return {text, text, {}};
}

Cell count_cell(std::int64_t value, Origin origin) {
  return {value, format_count(value), origin};
}

Cell number_cell(double value, std::string text, Origin origin) {
  if (!std::isfinite(value)) return missing_cell();
  return {value, std::move(text), origin};
}

std::string head_of(const Column& column) {
  return column.unit.empty() ? column.title : column.title + ", " + column.unit;
}

}  // namespace dachlast::viewmodel
