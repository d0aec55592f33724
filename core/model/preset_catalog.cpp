#include "core/model/preset_catalog.h"

#include <fmt/core.h>

#include <charconv>
#include <sstream>

#include "core/base/error.h"
#include "core/model/json_file.h"

namespace dachlast {
namespace {

constexpr std::size_t kLargestTableBytes = std::size_t{16} << 20;
constexpr const char* kColumns = "name,title,hf_id,source,published_parameters,parameters_source";

std::optional<double> parse_count(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
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
  std::istringstream lines(read_text_file(csv, kLargestTableBytes));
  std::string line;
  if (!std::getline(lines, line) || line != kColumns)
    throw Error(ErrorKind::kInput, csv.string(), fmt::format("does not start with the columns {}.", kColumns));
  std::vector<PresetSource> sources;
  for (int number = 2; std::getline(lines, line); ++number) {
    const std::vector<std::string> cells = split_csv_line(line);
    if (cells.size() != 6)
      throw Error(ErrorKind::kInput, csv.string(), fmt::format("line {} has {} cells, not 6.", number, cells.size()));
    sources.push_back({cells[0], cells[1], cells[2], cells[3], parse_count(cells[4]), cells[5]});
  }
  return sources;
}

}  // namespace dachlast
