#include "core/model/preset_catalog.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include "core/base/error.h"
#include "core/model/json_file.h"

namespace dachlast {
namespace {

constexpr std::size_t kLargestTableBytes = std::size_t{16} << 20;
constexpr const char* kSourceColumns = "name,title,hf_id,source,published_parameters,parameters_source";
constexpr const char* kAliasColumns = "name,preset,reason";
constexpr const char* kNoPreset = "-";

std::optional<double> parse_count(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Rows of a table that starts with `columns` and has as many cells in each line.
std::vector<std::vector<std::string>> read_table(const std::filesystem::path& csv, const std::string& columns) {
  std::istringstream lines(read_text_file(csv, kLargestTableBytes));
  std::string line;
  if (!std::getline(lines, line) || line != columns)
    throw Error(ErrorKind::kInput, csv.string(), fmt::format("does not start with the columns {}.", columns));
  const std::size_t n_columns = split_csv_line(columns).size();
  std::vector<std::vector<std::string>> rows;
  for (int number = 2; std::getline(lines, line); ++number) {
    std::vector<std::string> cells = split_csv_line(line);
    if (cells.size() != n_columns)
      throw Error(ErrorKind::kInput, csv.string(),
                  fmt::format("line {} has {} cells, not {}.", number, cells.size(), n_columns));
    rows.push_back(std::move(cells));
  }
  return rows;
}

}  // namespace

std::vector<std::string> split_csv_line(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool doubled_quote = quoted && line[i] == '"' && i + 1 < line.size() && line[i + 1] == '"';
    if (doubled_quote) {
      cells.back() += line[++i];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  return cells;
}

std::vector<PresetSource> read_preset_sources(const std::filesystem::path& csv) {
  std::vector<PresetSource> sources;
  for (const std::vector<std::string>& cells : read_table(csv, kSourceColumns))
    sources.push_back({cells[0], cells[1], cells[2], cells[3], parse_count(cells[4]), cells[5]});
  return sources;
}

std::vector<PresetSource> read_preset_catalog(const std::filesystem::path& folder) {
  std::vector<PresetSource> sources = read_preset_sources(folder / "SOURCES.csv");
  const std::filesystem::path aliases = folder / "ALIASES.csv";
  std::error_code failed;
  if (!std::filesystem::is_regular_file(aliases, failed)) return sources;
  PresetSource others;
  for (const std::vector<std::string>& cells : read_table(aliases, kAliasColumns)) {
    const auto found = std::ranges::find(sources, cells[1], &PresetSource::name);
    if (found == sources.end() && cells[1] != kNoPreset)
      throw Error(ErrorKind::kInput, aliases.string(), fmt::format("{} points to {}, no preset.", cells[0], cells[1]));
    (found == sources.end() ? others : *found).aliases.push_back({cells[0], cells[2]});
  }
  sources.push_back(std::move(others));
  return sources;
}

}  // namespace dachlast
