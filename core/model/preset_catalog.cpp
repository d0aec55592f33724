#include "core/model/preset_catalog.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/csv.h"
#include "core/base/error.h"

namespace dachlast {
namespace {

constexpr auto kSourceColumns =
    std::to_array<std::string_view>({"name", "title", "hf_id", "source", "published_parameters", "parameters_source"});
constexpr auto kAliasColumns = std::to_array<std::string_view>({"name", "preset", "reason"});
constexpr const char* kNoPreset = "-";

std::optional<double> parse_count(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<CsvRow> read_rows(const std::filesystem::path& csv, std::span<const std::string_view> columns) {
  CsvTable table = read_csv(csv);
  if (!std::ranges::equal(table.columns, columns))
    throw Error(ErrorKind::kInput, csv.string(),
                fmt::format("does not have the columns {}.", fmt::join(columns, ", ")));
  return std::move(table.rows);
}

}  // namespace

std::vector<PresetSource> read_preset_sources(const std::filesystem::path& csv) {
  std::vector<PresetSource> sources;
  for (CsvRow& row : read_rows(csv, kSourceColumns)) {
    std::vector<std::string>& cells = row.cells;
    sources.push_back({std::move(cells[0]), std::move(cells[1]), std::move(cells[2]), std::move(cells[3]),
                       parse_count(cells[4]), std::move(cells[5])});
  }
  return sources;
}

std::vector<PresetSource> read_preset_catalog(const std::filesystem::path& folder) {
  std::vector<PresetSource> sources = read_preset_sources(folder / "SOURCES.csv");
  const std::filesystem::path aliases = folder / "ALIASES.csv";
  std::error_code failed;
  if (!std::filesystem::is_regular_file(aliases, failed)) return sources;
  PresetSource others;
  for (const CsvRow& row : read_rows(aliases, kAliasColumns)) {
    const std::vector<std::string>& cells = row.cells;
    const auto found = std::ranges::find(sources, cells[1], &PresetSource::name);
    if (found == sources.end() && cells[1] != kNoPreset)
      throw Error(ErrorKind::kInput, aliases.string(), fmt::format("{} points to {}, no preset.", cells[0], cells[1]));
    (found == sources.end() ? others : *found).aliases.push_back({cells[0], cells[2]});
  }
  sources.push_back(std::move(others));
  return sources;
}

}  // namespace dachlast
