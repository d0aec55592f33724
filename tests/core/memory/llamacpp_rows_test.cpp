#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "core/memory/llamacpp_log.h"
#include "core/model/model_alias.h"
#include "core/model/model_source.h"

// Every development row of published load logs against our layout, as one table.
namespace dachlast {
namespace {

using Row = std::map<std::string, std::string>;

std::vector<Row> rows() {
  std::ifstream file(DACHLAST_TEST_DATA_DIR "/reference/memory_llamacpp_dev.csv");
  std::string line;
  std::getline(file, line);
  const std::vector<std::string> columns = split_csv_line(line);
  std::vector<Row> result;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = split_csv_line(line);
    Row row;
    for (std::size_t i = 0; i < std::min(columns.size(), cells.size()); ++i) row[columns[i]] = cells[i];
    result.push_back(std::move(row));
  }
  return result;
}

/// Errors of one component in per cent.
struct Errors {
  std::vector<double> signed_pct;

  double quantile(double share) const {
    std::vector<double> sizes;
    for (const double error : signed_pct) sizes.push_back(std::abs(error));
    std::ranges::sort(sizes);
    return sizes[static_cast<std::size_t>(share * static_cast<double>(sizes.size() - 1))];
  }
  double signed_median() const {
    std::vector<double> sorted = signed_pct;
    std::ranges::sort(sorted);
    return sorted[sorted.size() / 2];
  }
};

struct Table {
  std::map<std::string, Errors> errors;
  std::map<std::string, int> skipped;  // reason: rows

  void print() const {
    fmt::print("{:18} {:>4} {:>9} {:>9} {:>9} {:>9}  (per cent)\n", "component", "n", "median", "p90", "worst",
               "signed");
    for (const auto& [component, e] : errors)
      fmt::print("{:18} {:4} {:9.3f} {:9.2f} {:9.2f} {:+9.3f}\n", component, e.signed_pct.size(), e.quantile(0.5),
                 e.quantile(0.9), e.quantile(1.0), e.signed_median());
    for (const auto& [reason, n] : skipped) fmt::print("not predicted: {:3}  {}\n", n, reason);
  }
};

Table evaluate() {
  const std::vector<PresetSource> presets = read_preset_catalog(data_dir() / "models");
  Table table;
  for (const Row& row : rows()) {
    const LlamaCppLog log = read_llamacpp_log(row);
    const auto preset = preset_for_model_text(row.at("model"), presets, log.stated_parameters());
    if (!preset) {
      ++table.skipped["no config of " + row.at("model")];
      continue;
    }
    const LlamaCppComparison result = compare_with_log(gguf_shape(resolve_model(*preset).spec), log);
    for (const LlamaCppGap& gap : result.gaps) ++table.skipped[gap.component + ": " + gap.reason];
    for (const LlamaCppFigure& figure : result.figures)
      table.errors[figure.component].signed_pct.push_back(100.0 * (figure.predicted / figure.logged - 1.0));
  }
  return table;
}

TEST(LlamaCppRows, PublishedLogsArePredicted) {
  const Table table = evaluate();
  table.print();
  ASSERT_EQ(rows().size(), 101u);
  EXPECT_LE(table.errors.at("weights").quantile(0.5), 0.05);
  EXPECT_LE(table.errors.at("weights").quantile(0.9), 1.5);
  EXPECT_LE(table.errors.at("kv").quantile(0.9), 0.01);
  EXPECT_LE(table.errors.at("compute_buffer").quantile(0.5), 0.05);
}

}  // namespace
}  // namespace dachlast
