#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Columns of tables from rows of any kind.
namespace dachlast::viewmodel {

/// Nanoseconds as tables keep times.
inline double seconds(std::int64_t ns) {
  return static_cast<double>(ns) * 1e-9;
}

/// `get` of every row, in their order.
template <class Value, class Row, class Get>
std::vector<Value> column_values(const std::vector<Row>& rows, Get get) {
  std::vector<Value> values;
  values.reserve(rows.size());
  for (const Row& row : rows) values.push_back(get(row));
  return values;
}

template <class Row, class Get>
std::vector<std::optional<double>> numbers(const std::vector<Row>& rows, Get get) {
  return column_values<std::optional<double>>(rows, get);
}

template <class Row, class Get>
std::vector<std::string> texts(const std::vector<Row>& rows, Get get) {
  return column_values<std::string>(rows, get);
}

template <class Row, class Get>
std::vector<std::int64_t> counts(const std::vector<Row>& rows, Get get) {
  return column_values<std::int64_t>(rows, get);
}

}  // namespace dachlast::viewmodel
