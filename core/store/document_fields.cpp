#include "core/store/document_fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"

namespace dachlast {

using nlohmann::json;

void DocumentFields::refuse(const std::string& reason, const char* way_out) const {
  throw Error(ErrorKind::kInput, subject_, reason, way_out);
}

void DocumentFields::refuse_damaged(std::string_view what) const {
  refuse(fmt::format("the data in it are damaged: {}.", what), "Copy the file again, or repeat the run.");
}

double DocumentFields::number(const json& j, const char* key) const {
  const double value = j.value(key, 0.0);
  if (!std::isfinite(value) || value < 0.0) refuse_damaged(fmt::format("{} is {}", key, value));
  return value;
}

int DocumentFields::count(const json& j, const char* key) const {
  const double value = number(j, key);
  if (value > std::numeric_limits<int>::max()) refuse_damaged(fmt::format("{} is {}", key, value));
  return static_cast<int>(value);
}

std::int64_t DocumentFields::long_count(const json& j, const char* key) const {
  constexpr double kMost = 9e15;  // whole numbers a double still tells apart
  const double value = number(j, key);
  if (value > kMost) refuse_damaged(fmt::format("{} is {}", key, value));
  return static_cast<std::int64_t>(value);
}

std::vector<double> DocumentFields::numbers(const json& j, const char* key) const {
  std::vector<double> values = j.value(key, std::vector<double>());
  for (const double value : values)
    if (!std::isfinite(value) || value < 0.0) refuse_damaged(fmt::format("{} holds {}", key, value));
  return values;
}

std::vector<Remark> DocumentFields::remarks(const json& j, const char* key) {
  std::vector<Remark> list;
  if (j.contains(key))
    for (const json& remark : j.at(key)) list.push_back({text(remark, "code"), text(remark, "text")});
  return list;
}

std::vector<json> DocumentFields::records(const json& j, const char* key) const {
  const json& table = j.at(key);
  if (!table.is_object()) return {table.begin(), table.end()};
  std::size_t n_rows = 0;
  for (const json& column : table) n_rows = std::max(n_rows, column.size());
  std::vector<json> rows(n_rows, json::object());
  for (const auto& [name, column] : table.items()) {
    if (!column.is_array() || column.size() != n_rows)
      refuse_damaged(fmt::format("the columns of {} are not equally long", key));
    for (std::size_t i = 0; i < n_rows; ++i)
      if (!column[i].is_null()) rows[i][name] = column[i];
  }
  return rows;
}

}  // namespace dachlast
