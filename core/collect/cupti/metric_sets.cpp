#include "core/collect/cupti/metric_sets.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "core/base/csv.h"
#include "core/base/error.h"

namespace dachlast::cupti {
namespace {

namespace fs = std::filesystem;

std::size_t column_of(const CsvTable& table, std::string_view name) {
  const auto column = table.find_column(name);
  if (!column)
    throw Error(ErrorKind::kInput, table.file.string(), fmt::format("has no column '{}'.", name),
                "Install the program's data again.");
  return *column;
}

int passes_of(const CsvTable& table, const CsvRow& row, const std::string& cell) {
  int value = 0;
  const auto [end, failed] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (failed != std::errc{} || end != cell.data() + cell.size() || value < 1)
    throw Error(ErrorKind::kInput, fmt::format("{}:{}", table.file.string(), row.line),
                fmt::format("'{}' is no number of passes.", cell), "Install the program's data again.");
  return value;
}

}  // namespace

std::optional<std::size_t> MetricSet::index_of(std::string_view role) const {
  for (std::size_t i = 0; i < metrics.size(); ++i)
    if (metrics[i].role == role) return i;
  return std::nullopt;
}

std::vector<std::string> MetricSet::names() const {
  std::vector<std::string> list;
  for (const Metric& metric : metrics) list.push_back(metric.name);
  return list;
}

std::vector<MetricSet> read_metric_sets(const fs::path& folder, const std::string& chip) {
  const fs::path file = folder / (chip + ".csv");
  if (!fs::exists(file))
    throw Error(ErrorKind::kDevice, chip, "has no list of counters in this version.",
                "Measure without counters: times are recorded all the same.");
  const CsvTable table = read_csv(file);
  const std::size_t set = column_of(table, "set");
  const std::size_t passes = column_of(table, "passes");
  const std::size_t role = column_of(table, "role");
  const std::size_t metric = column_of(table, "metric");
  std::vector<MetricSet> sets;
  for (const CsvRow& row : table.rows) {
    const int n_passes = passes_of(table, row, row.cells[passes]);
    if (sets.empty() || sets.back().name != row.cells[set]) sets.push_back({row.cells[set], n_passes, {}});
    if (sets.back().n_passes != n_passes)
      throw Error(ErrorKind::kInput, fmt::format("{}:{}", file.string(), row.line),
                  "gives a set two numbers of passes.", "Install the program's data again.");
    sets.back().metrics.push_back({row.cells[role], row.cells[metric]});
  }
  return sets;
}

const MetricSet& find_metric_set(const std::vector<MetricSet>& sets, std::string_view name) {
  const auto found = std::find_if(sets.begin(), sets.end(), [&](const MetricSet& set) { return set.name == name; });
  if (found != sets.end()) return *found;
  std::string list;
  for (const MetricSet& set : sets) list += (list.empty() ? "" : ", ") + set.name;
  throw Error(ErrorKind::kUsage, std::string(name), "is no set of counters of this GPU.",
              fmt::format("There are: {}.", list));
}

}  // namespace dachlast::cupti
