#include "reports/csv.h"

#include <fmt/format.h>

#include <cmath>

#include "core/viewmodel/run_view.h"

namespace dachlast::reports {
namespace {

std::string raw_text(const viewmodel::RawValue& raw) {
  if (const auto* number = std::get_if<double>(&raw)) return std::isfinite(*number) ? fmt::format("{}", *number) : "";
  if (const auto* count = std::get_if<std::int64_t>(&raw)) return fmt::format("{}", *count);
  if (const auto* text = std::get_if<std::string>(&raw)) return csv_field(*text);
  return {};
}

}  // namespace

std::string csv_field(std::string_view text) {
  if (text.find_first_of("\",\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_table(const viewmodel::Table& table) {
  std::string csv;
  for (std::size_t i = 0; i < table.columns.size(); ++i) csv += (i ? "," : "") + csv_field(table.columns[i].key);
  csv += "\r\n";
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) csv += (i ? "," : "") + raw_text(row[i].raw);
    csv += "\r\n";
  }
  return csv;
}

std::string csv_run(const Run& run) {
  return csv_table(viewmodel::flat_table(run));
}

}  // namespace dachlast::reports
