#include "core/base/csv.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "core/base/error.h"

namespace dachlast {
namespace {

constexpr std::size_t kLargestFileBytes = std::size_t{64} << 20;
constexpr std::size_t kMostColumns = 4096;

/// Reads records from text, one character after the other, and knows where it stands.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::filesystem::path& file) : text_(text), file_(file) {}

  /// The next record; empty at the end of the text.
  std::optional<CsvRow> next() {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) step();
    if (at_ == text_.size()) return std::nullopt;
    CsvRow row{line_, {}};
    do {
      row.cells.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted_cell() : plain_cell());
      if (row.cells.size() > kMostColumns) refuse(fmt::format("holds more than {} cells in one record", kMostColumns));
    } while (take(','));
    if (at_ < text_.size() && text_[at_] == '\r') step();
    if (at_ < text_.size() && text_[at_] == '\n') step();
    return row;
  }

  [[noreturn]] void refuse(const std::string& reason) const {
    throw Error(ErrorKind::kInput, file_.string(), fmt::format("{} at line {}, column {}.", reason, line_, column_),
                "It must be comma-separated text as RFC 4180 describes it.");
  }

 private:
  void step() {
    const bool line_ends = text_[at_] == '\n';
    ++at_;
    column_ = line_ends ? 1 : column_ + 1;
    line_ += line_ends ? 1 : 0;
  }

  bool take(char expected) {
    if (at_ == text_.size() || text_[at_] != expected) return false;
    step();
    return true;
  }

  bool at_cell_end() const {
    return at_ == text_.size() || text_[at_] == ',' || text_[at_] == '\n' || text_[at_] == '\r';
  }

  std::string plain_cell() {
    const std::size_t begin = at_;
    while (!at_cell_end()) {
      if (text_[at_] == '"') refuse("has a quote inside an unquoted cell");
      if (text_[at_] == '\0') refuse("holds a NUL byte");
      step();
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string quoted_cell() {
    const int opened = line_;
    std::string cell;
    step();
    for (;;) {
      if (at_ == text_.size()) refuse(fmt::format("has a quote opened in line {} and never closed", opened));
      if (text_[at_] == '\0') refuse("holds a NUL byte");
      if (text_[at_] != '"') {
        cell += text_[at_];
        step();
        continue;
      }
      step();
      if (!take('"')) break;
      cell += '"';
    }
    if (!at_cell_end()) refuse("has text behind a closing quote");
    return cell;
  }

  std::string_view text_;
  const std::filesystem::path& file_;
  std::size_t at_ = 0;
  int line_ = 1;
  int column_ = 1;
};

void check_columns(const CsvTable& table, const CsvReader& reader) {
  for (auto name = table.columns.begin(); name != table.columns.end(); ++name) {
    if (name->empty()) reader.refuse("has a column without a name");
    if (std::find(table.columns.begin(), name, *name) != name)
      reader.refuse(fmt::format("names the column \"{}\" twice", *name));
  }
}

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& reason) {
  throw Error(ErrorKind::kInput, file.string(), reason, "Check the path.");
}

}  // namespace

std::optional<std::size_t> CsvTable::find_column(std::string_view name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

CsvTable parse_csv(std::string_view text, const std::filesystem::path& file, ShortRows short_rows) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  CsvReader reader(text, file);
  CsvTable table{file, {}, {}};
  if (auto header = reader.next()) table.columns = std::move(header->cells);
  if (table.columns.empty()) fail(file, "is empty; a table starts with the names of its columns.");
  check_columns(table, reader);
  while (auto row = reader.next()) {
    if (short_rows == ShortRows::kFill && row->cells.size() < table.columns.size())
      row->cells.resize(table.columns.size());
    if (row->cells.size() != table.columns.size())
      throw Error(ErrorKind::kInput, file.string(),
                  fmt::format("line {} has {} cells, but there are {} columns.", row->line, row->cells.size(),
                              table.columns.size()),
                  "A cell that holds commas needs quotes.");
    table.rows.push_back(*std::move(row));
  }
  return table;
}

CsvTable read_csv(const std::filesystem::path& file, ShortRows short_rows) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(file, failed)) fail(file, "is not a file.");
  const auto size = std::filesystem::file_size(file, failed);
  if (failed) fail(file, failed.message() + ".");
  if (size > kLargestFileBytes) fail(file, fmt::format("is {} bytes long, more than {}.", size, kLargestFileBytes));
  std::ifstream stream(file, std::ios::binary);
  std::string text(static_cast<std::size_t>(size), '\0');
  if (!stream || !stream.read(text.data(), static_cast<std::streamsize>(size))) fail(file, "cannot be read.");
  return parse_csv(text, file, short_rows);
}

}  // namespace dachlast
