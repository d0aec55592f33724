#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/csv.h"
#include "core/planner/reference_rows.h"

namespace dachlast {

/// One row of a table of figures, read cell by cell; the columns asked for must exist.
/// Errors   every getter throws `Error` (kInput) naming file, line and column of a cell it cannot accept.
class RowReader {
 public:
  static constexpr double kMostCount = 1e12;  // tokens, blocks

  /// Both must outlive this.
  RowReader(const CsvTable& table, const CsvRow& row);

  std::string text(std::string_view column) const;
  /// Empty where the table has no such column.
  std::string text_or_none(std::string_view column) const;
  /// Empty for an empty cell, and for words, which `source` then holds.
  std::optional<double> number(std::string_view column, double least, double most);
  /// A whole number.
  std::optional<std::int64_t> count(std::string_view column, double most = kMostCount);
  std::optional<int> small_count(std::string_view column);
  /// "CUDA0=288;CUDA1=256"; none for an empty cell.
  std::vector<LlamaCppBuffer> buffers(std::string_view column) const;
  /// Id and source of the row, with the words that `number` met so far.
  ReferenceSource source();
  /// The same for tables that name their source in one column, "source".
  ReferenceSource plain_source();

 private:
  std::string_view cell(std::string_view column) const;
  LlamaCppBuffer buffer(std::string_view column, std::string_view item) const;
  [[noreturn]] void refuse(std::string_view column, const std::string& reason) const;

  const CsvTable& table_;
  const CsvRow& row_;
  ReferenceSource source_;
};

}  // namespace dachlast
