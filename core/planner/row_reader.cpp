#include "core/planner/row_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/error.h"

namespace dachlast {
namespace {

constexpr double kMostBufferMib = 1e9;  // a petabyte

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Empty where the whole text is no number; "nan" and "inf" are numbers here, for the caller to refuse.
std::optional<double> parse_number(std::string_view text) {
  double value = 0.0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A remark instead of a number; a mistyped number starts with a digit.
bool is_words(std::string_view text) {
  const char first = text.front();
  return (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
}

}  // namespace

RowReader::RowReader(const CsvTable& table, const CsvRow& row) : table_(table), row_(row) {
  source_.line = row.line;
}

std::string_view RowReader::cell(std::string_view column) const {
  return trimmed(row_.cells[*table_.find_column(column)]);
}

std::string RowReader::text(std::string_view column) const {
  return std::string(cell(column));
}

std::string RowReader::text_or_none(std::string_view column) const {
  return table_.find_column(column) ? text(column) : std::string();
}

std::optional<double> RowReader::number(std::string_view column, double least, double most) {
  const std::string_view text = cell(column);
  if (text.empty()) return std::nullopt;
  const auto value = parse_number(text);
  if (!value && is_words(text)) {
    source_.words.push_back({std::string(column), std::string(text)});
    return std::nullopt;
  }
  if (!value) refuse(column, "is no number");
  if (!std::isfinite(*value)) refuse(column, "is not a finite number");
  if (*value < least || *value > most) refuse(column, fmt::format("lies outside {:g} … {:g}", least, most));
  return value;
}

std::optional<std::int64_t> RowReader::count(std::string_view column, double most) {
  const auto value = number(column, 0.0, most);
  if (!value) return std::nullopt;
  if (*value != std::floor(*value)) refuse(column, "is no whole number");
  return static_cast<std::int64_t>(*value);
}

std::optional<int> RowReader::small_count(std::string_view column) {
  const auto value = count(column, std::numeric_limits<int>::max());
  return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

std::vector<LlamaCppBuffer> RowReader::buffers(std::string_view column) const {
  std::vector<LlamaCppBuffer> list;
  const std::string_view text = cell(column);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    list.push_back(buffer(column, trimmed(text.substr(begin, end - begin))));
    begin = end + 1;
  }
  return list;
}

ReferenceSource RowReader::source() {
  source_.id = text("id");
  if (source_.id.empty()) refuse("id", "is missing");
  source_.repo = text("source_repo");
  source_.ref = text("source_ref");
  source_.notes = text("notes");
  return std::move(source_);
}

ReferenceSource RowReader::plain_source() {
  source_.id = text("id");
  if (source_.id.empty()) refuse("id", "is missing");
  source_.ref = text("source");
  return std::move(source_);
}

LlamaCppBuffer RowReader::buffer(std::string_view column, std::string_view item) const {
  const std::size_t equals = item.find('=');
  if (equals == std::string_view::npos || equals == 0) refuse(column, "is no list like CUDA0=288;CUDA1=256");
  const auto mib = parse_number(item.substr(equals + 1));
  if (!mib || !(*mib >= 0.0 && *mib <= kMostBufferMib))
    refuse(column, fmt::format("holds \"{}\", no amount of MiB", item));
  return {std::string(item.substr(0, equals)), *mib};
}

void RowReader::refuse(std::string_view column, const std::string& reason) const {
  constexpr std::size_t kShown = 60;  // one line beside the rest
  throw Error(
      ErrorKind::kInput, table_.file.string(),
      fmt::format("line {}, column \"{}\": \"{}\" {}.", row_.line, column, cell(column).substr(0, kShown), reason),
      "Leave the cell empty where the figure is not known.");
}

}  // namespace dachlast
