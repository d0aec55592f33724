#include "reports/terminal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/figure/labels.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/localise.h"
#include "reports/escape.h"

namespace dachlast::reports {
namespace {

using viewmodel::Align;
using viewmodel::Cell;
using viewmodel::Table;

constexpr int kGap = 2;
constexpr int kLeastWidth = 20;

int columns_of(std::string_view text) {
  return figure::display_width(text);
}

std::string terminal_cell(const Cell& cell) {
  return terminal_escape(cell.origin == Origin::kEstimated ? "≈" + cell.text : cell.text);
}

std::string styled(std::string text, std::string_view code, const TerminalStyle& style) {
  return style.color == Color::kAlways ? fmt::format("\033[{}m{}\033[0m", code, text) : text;
}

// Longer than `width`: cut at a character, the loss shown.
std::string fitted(std::string_view text, int width) {
  if (columns_of(text) <= width) return std::string(text);
  std::string cut;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t next = i + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0) == 0x80) ++next;
    if (columns_of(cut) + columns_of(text.substr(i, next - i)) > width - 1) break;
    cut += text.substr(i, next - i);
    i = next;
  }
  return cut + "…";
}

std::string wrapped(std::string_view text, int width, std::string_view indent = "") {
  // Non-breaking spaces stay until the line is broken: a number keeps its unit.
  std::string plain = safe_text(text);
  std::ranges::replace(plain, '\t', ' ');
  std::string out;
  std::string line;
  const int room = std::max(width - columns_of(indent), kLeastWidth);
  const auto flush = [&] {
    out += std::string(indent) + viewmodel::plain_spaces(line) + "\n";
    line.clear();
  };
  std::size_t at = 0;
  while (at < plain.size()) {
    const std::size_t end = std::min(plain.find_first_of(" \n", at), plain.size());
    const std::string word = fitted(std::string_view(plain).substr(at, end - at), room);
    if (!line.empty() && columns_of(line) + 1 + columns_of(word) > room) flush();
    if (!word.empty()) line += (line.empty() ? "" : " ") + word;
    at = end + 1;
  }
  flush();
  return out;
}

class Layout {
 public:
  Layout(const Table& table, int width);
  std::string text(const TerminalStyle& style) const;
  const std::vector<std::string>& dropped() const { return dropped_; }

 private:
  int total() const;
  int natural_width(std::size_t column) const;
  void drop_columns(int width);
  void squeeze(int width);
  std::string head(const TerminalStyle& style) const;
  std::string line(const std::vector<std::string>& texts) const;

  const Table& table_;
  std::vector<std::size_t> shown_;
  std::vector<int> widths_;  // of all columns
  std::vector<std::string> dropped_;
};

Layout::Layout(const Table& table, int width) : table_(table), shown_(table.columns.size()) {
  std::iota(shown_.begin(), shown_.end(), std::size_t{0});
  for (std::size_t i = 0; i < table.columns.size(); ++i) widths_.push_back(natural_width(i));
  drop_columns(width);
  squeeze(width);
}

int Layout::natural_width(std::size_t column) const {
  const auto& head = table_.columns[column];
  int width = std::max(columns_of(terminal_escape(head.title)), columns_of(terminal_escape(head.unit)));
  for (const auto& row : table_.rows) width = std::max(width, columns_of(terminal_cell(row[column])));
  return width;
}

int Layout::total() const {
  int sum = shown_.empty() ? 0 : kGap * (static_cast<int>(shown_.size()) - 1);
  for (const std::size_t i : shown_) sum += widths_[i];
  return sum;
}

// The largest drop priority goes first, of equals the rightmost; columns of priority 0 stay.
void Layout::drop_columns(int width) {
  while (total() > width) {
    auto worst = shown_.end();
    for (auto it = shown_.begin(); it != shown_.end(); ++it) {
      const int priority = table_.columns[*it].drop_priority;
      if (priority > 0 && (worst == shown_.end() || priority >= table_.columns[*worst].drop_priority)) worst = it;
    }
    if (worst == shown_.end()) return;
    dropped_.push_back(table_.columns[*worst].title);
    shown_.erase(worst);
  }
}

// What may not be dropped is cut instead, the widest first; numbers never, because a cut number is another number.
void Layout::squeeze(int width) {
  while (total() > width) {
    auto widest = shown_.end();
    for (auto it = shown_.begin(); it != shown_.end(); ++it)
      if (table_.columns[*it].align == Align::kLeft && widths_[*it] > 4 &&
          (widest == shown_.end() || widths_[*it] > widths_[*widest]))
        widest = it;
    if (widest == shown_.end()) break;
    widths_[*widest] = std::max(4, widths_[*widest] - (total() - width));
  }
  while (total() > width && shown_.size() > 1) {
    dropped_.push_back(table_.columns[shown_.back()].title);
    shown_.pop_back();
  }
}

std::string Layout::line(const std::vector<std::string>& texts) const {
  std::string out;
  for (const std::size_t i : shown_) {
    if (i != shown_.front()) out += std::string(kGap, ' ');
    const std::string text = fitted(texts[i], widths_[i]);
    const std::string fill(static_cast<std::size_t>(std::max(0, widths_[i] - columns_of(text))), ' ');
    out += table_.columns[i].align == Align::kRight ? fill + text : text + fill;
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

// Units stand below the titles: side by side they would cost more columns than the numbers.
std::string Layout::head(const TerminalStyle& style) const {
  std::vector<std::string> titles;
  std::vector<std::string> units;
  for (const auto& column : table_.columns) {
    titles.push_back(terminal_escape(column.title));
    units.push_back(terminal_escape(column.unit));
  }
  std::string out = styled(line(titles), "2", style) + "\n";
  const std::string unit_line = line(units);
  if (!unit_line.empty()) out += styled(unit_line, "2", style) + "\n";
  return out;
}

std::string Layout::text(const TerminalStyle& style) const {
  std::string out = head(style);
  for (const auto& row : table_.rows) {
    std::vector<std::string> texts;
    for (const auto& cell : row) texts.push_back(terminal_cell(cell));
    out += line(texts) + "\n";
  }
  return out;
}

const viewmodel::Words& words_of(const TerminalStyle& style) {
  return viewmodel::Words::of(style.language);
}

/// A sentence in the reader's language.
std::string said(std::string_view english, const TerminalStyle& style) {
  return wrapped(words_of(style)(english), style.width);
}

std::string remark_list(std::string_view word, const std::vector<Remark>& remarks, const TerminalStyle& style) {
  const viewmodel::Words& words = words_of(style);
  std::string text;
  for (const auto& remark : remarks)
    text += wrapped(fmt::format("{}: {}", words(word), words(remark.text)), style.width);
  return text.empty() ? text : "\n" + text;
}

// The representative points: the last of each phase in context and batch is what the sentences speak of.
std::string op_tables(const viewmodel::RunView& view, const TerminalStyle& style) {
  std::string text;
  for (const auto& point : view.ops) {
    if (!point.representative) continue;
    text += "\n" + terminal_table(point.table, style);
  }
  return text;
}

}  // namespace

std::string terminal_escape(std::string_view text) {
  std::string line = viewmodel::plain_spaces(safe_text(text));
  std::ranges::replace(line, '\n', ' ');
  std::ranges::replace(line, '\t', ' ');
  return line;
}

std::string terminal_table(const Table& table, const TerminalStyle& style) {
  const int width = std::max(style.width, kLeastWidth);
  const viewmodel::Words& words = words_of(style);
  const Table translated = viewmodel::in_language(table, words);
  const Layout layout(translated, width);
  std::string text = styled(fitted(terminal_escape(translated.title), width), "1", style) + "\n" + layout.text(style);
  if (!layout.dropped().empty())
    text += styled(wrapped(fmt::format("{} {}.", words("No room for:"), fmt::join(layout.dropped(), ", ")), width), "2",
                   style);
  return text;
}

std::string terminal_run(const viewmodel::RunView& view, const TerminalStyle& style) {
  std::string text;
  for (const auto& sentence : view.answer) text += styled(said(sentence, style), "1", style);
  text += "\n" + wrapped(viewmodel::title_in(words_of(style), view.title) + ". " +
                             words_of(style)(view.configuration_line) + ".",
                         style.width);
  if (view.completeness == viewmodel::Completeness::kPartial)
    text += wrapped(words_of(style)("Measured, " + view.status) + ".", style.width);
  if (!view.generated_text.empty())
    text += "\n" + wrapped(fmt::format("{} {}", words_of(style)("The model wrote:"), view.generated_text), style.width);
  if (!view.phases.rows.empty() || !(view.latencies || view.break_even))
    text += "\n" + terminal_table(view.phases, style) + op_tables(view, style);
  if (view.memory) text += "\n" + terminal_table(*view.memory, style);
  if (view.cache_speedup)
    text += "\n" + said(view.speedup_sentence, style) + "\n" + terminal_table(*view.cache_speedup, style);
  if (view.latencies)
    text += "\n" + said(view.serving_sentence, style) + "\n" + terminal_table(*view.latencies, style) + "\n" +
            terminal_table(*view.kv_use, style);
  if (view.what_if) text += "\n" + terminal_table(*view.what_if, style);
  if (view.kv_traffic) text += "\n" + terminal_table(*view.kv_traffic, style);
  if (view.break_even)
    text += "\n" + said(view.break_even_sentence, style) + "\n" + terminal_table(*view.break_even, style);
  if (!view.memory_sentence.empty()) text += "\n" + said(view.memory_sentence, style);
  return text + remark_list("Warning", view.warnings, style) + remark_list("Assumed", view.assumptions, style);
}

std::string terminal_compare(const viewmodel::CompareView& view, const TerminalStyle& style) {
  std::string text = styled(said(view.answer, style), "1", style);
  if (!view.configuration.rows.empty()) text += "\n" + terminal_table(view.configuration, style);
  text += "\n" + terminal_table(view.phases, style) + "\n" + terminal_table(view.points, style) + "\n";
  for (const auto& note : view.notes) text += said(note, style);
  return text;
}

}  // namespace dachlast::reports
