#include "core/model/preset_catalog.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "core/base/csv.h"
#include "core/base/error.h"

namespace dachlast {
namespace {

constexpr std::array<std::string_view, 6> kColumns = {
    "name", "title", "hf_id", "source", "published_parameters", "parameters_source"};

std::optional<double> parse_count(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::vector<PresetSource> read_preset_sources(const std::filesystem::path& csv) {
  CsvTable table = read_csv(csv);
  if (!std::ranges::equal(table.columns, kColumns))
    throw Error(ErrorKind::kInput, csv.string(),
                fmt::format("does not have the columns {}.", fmt::join(kColumns, ", ")));
  std::vector<PresetSource> sources;
  sources.reserve(table.rows.size());
  for (CsvRow& row : table.rows) {
    std::vector<std::string>& cells = row.cells;
    sources.push_back({std::move(cells[0]), std::move(cells[1]), std::move(cells[2]), std::move(cells[3]),
                       parse_count(cells[4]), std::move(cells[5])});
  }
  return sources;
}

}  // namespace dachlast
