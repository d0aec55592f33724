#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dachlast {

/// One record below the header.
struct CsvRow {
  int line = 0;  // of its first character, from 1; records may span lines
  std::vector<std::string> cells;
};

/// A table with a header; every row has as many cells as there are columns.
struct CsvTable {
  std::filesystem::path file;
  std::vector<std::string> columns;
  std::vector<CsvRow> rows;

  std::optional<std::size_t> find_column(std::string_view name) const;
};

/// Rows with fewer cells than columns: Nsight Compute leaves out trailing empty ones, RFC 4180 knows none.
enum class ShortRows { kRefuse, kFill };

/// Parses a table: cells in double quotes may hold commas, line ends and "" for a quote; lines end in LF or CRLF; a byte
/// order mark at the start and empty lines between records are skipped.
/// Errors   throws `Error` (kInput) naming `file`, line and column (in bytes): open quotes, text around quotes, a wrong
///          number of cells, an empty or repeated column name, a NUL byte, more than 4,096 columns.
/// Source   RFC 4180, https://www.rfc-editor.org/rfc/rfc4180
CsvTable parse_csv(std::string_view text, const std::filesystem::path& file, ShortRows short_rows = ShortRows::kRefuse);

/// Reads a file of at most 64 MiB.
/// Errors   as parse_csv; also where it is no file, too large or cannot be read.
CsvTable read_csv(const std::filesystem::path& file, ShortRows short_rows = ShortRows::kRefuse);

}  // namespace dachlast
