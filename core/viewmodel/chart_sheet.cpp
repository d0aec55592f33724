#include "core/viewmodel/chart_sheet.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/overloaded.h"
#include "core/figure/labels.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/localise.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kSheetMargin = 16.0;
constexpr double kSheetTitleFont = 16.0;
constexpr double kSheetFont = 11.5;
constexpr double kSheetLine = 17.0;
constexpr double kSheetGap = 14.0;  // between columns, and between parts
constexpr double kLongestSheetCell = 420.0;
constexpr double kLeastSheetWidth = 520.0;  // a head of sentences needs more room than a bar
constexpr std::size_t kMostSheetRows = 40;

void shift_by(Primitive& primitive, double dx, double dy) {
  const auto move = [&](Point& p) {
    p.x += dx;
    p.y += dy;
  };
  const auto move_box = [&](Box& box) {
    box.x += dx;
    box.y += dy;
  };
  std::visit(Overloaded{[&](Line& line) {
                          move(line.from);
                          move(line.to);
                        },
                        [&](Polyline& line) { std::ranges::for_each(line.points, move); },
                        [&](Area& area) { std::ranges::for_each(area.outline, move); },
                        [&](Rect& rect) { move_box(rect.box); }, [&](Marker& marker) { move(marker.at); },
                        [&](Text& text) { move(text.at); }, [&](HitBox& hit) { move_box(hit.box); }},
             primitive);
}

/// Cut at the end until it fits; no letter is cut in two.
std::string cut_to(std::string text, double width) {
  if (text_width(text, kSheetFont) <= width) return text;
  while (!text.empty() && text_width(text + "…", kSheetFont) > width) {
    while (text.size() > 1 && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.pop_back();
    text.pop_back();
  }
  return text + "…";
}

/// As many words a line as fit.
std::vector<std::string> wrapped_to(const std::string& text, double width) {
  std::vector<std::string> lines(1);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (!lines.back().empty() && text_width(lines.back() + " " + word, kSheetFont) > width) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + word;
    begin = end + 1;
  }
  return lines;
}

std::string sheet_text_of(const Cell& cell) {
  return (cell.origin == Origin::kEstimated ? "≈\u2009" : "") + cut_to(cell.text, kLongestSheetCell);
}

class Sheet {
 public:
  Sheet(const Figure& chart, const Table& table) : table_(table), width_(std::max(chart.size.width, kLeastSheetWidth)) {
    shown_.resize(table.columns.size());
    std::iota(shown_.begin(), shown_.end(), std::size_t{0});
    for (std::size_t i = 0; i < shown_.size(); ++i) widths_.push_back(natural_width(i));
    drop_columns();
    width_ = std::max(width_, total());
  }

  Figure draw(const SheetHead& head, Figure chart, const Words& words) {
    draw_head(head, chart.title);
    y_ += kSheetGap / 2;
    for (Primitive& primitive : chart.primitives) {
      shift_by(primitive, kSheetMargin, y_);
      add(std::move(primitive));
    }
    y_ += chart.size.height;
    if (!shown_.empty() && !table_.rows.empty()) draw_table(words);
    chart.primitives = std::move(primitives_);
    chart.size = {.width = width_ + 2 * kSheetMargin, .height = y_ + kSheetMargin};
    chart.plane.reset();
    return chart;
  }

 private:
  double natural_width(std::size_t column) const {
    double width = text_width(head_of(table_.columns[column]), kSheetFont);
    for (std::size_t row = 0; row < shown_rows(); ++row)
      width = std::max(width, text_width(sheet_text_of(table_.rows[row][column]), kSheetFont));
    return width;
  }

  std::size_t shown_rows() const { return std::min(table_.rows.size(), kMostSheetRows); }

  double total() const {
    double sum = shown_.empty() ? 0.0 : kSheetGap * static_cast<double>(shown_.size() - 1);
    for (const std::size_t i : shown_) sum += widths_[i];
    return sum;
  }

  /// The largest drop priority goes first, of equals the rightmost; columns of priority 0 stay.
  void drop_columns() {
    while (total() > width_) {
      auto worst = shown_.end();
      for (auto it = shown_.begin(); it != shown_.end(); ++it) {
        const int priority = table_.columns[*it].drop_priority;
        if (priority > 0 && (worst == shown_.end() || priority >= table_.columns[*worst].drop_priority)) worst = it;
      }
      if (worst == shown_.end()) return;
      shown_.erase(worst);
    }
  }

  void draw_head(const SheetHead& head, const std::string& chart_title) {
    y_ = kSheetMargin + kSheetTitleFont;
    add(Text{{kSheetMargin, y_}, head.title, Role::kText, kSheetTitleFont, Anchor::kStart, 0.0, Weight::kBold});
    y_ += 4.0;
    for (const std::string& text : head.lines) line(text, Role::kMuted, Weight::kRegular);
    if (!chart_title.empty() && chart_title != head.title) line(chart_title, Role::kText, Weight::kBold);
  }

  /// On as many lines as it takes; a word wider than the sheet is cut.
  void line(const std::string& text, Role role, Weight weight) {
    for (const std::string& part : wrapped_to(text, width_)) {
      y_ += kSheetLine;
      add(Text{{kSheetMargin, y_}, cut_to(part, width_), role, kSheetFont, Anchor::kStart, 0.0, weight});
    }
  }

  void draw_table(const Words& words) {
    y_ += kSheetGap;
    line(table_.title, Role::kText, Weight::kBold);
    y_ += 4.0;
    std::vector<std::string> heads;
    for (const Column& column : table_.columns) heads.push_back(head_of(column));
    draw_row(heads, Role::kMuted);
    add(Line{{kSheetMargin, y_ + 5.0}, {kSheetMargin + total(), y_ + 5.0}, {Role::kAxis, 1.0}});
    y_ += 4.0;
    for (std::size_t i = 0; i < shown_rows(); ++i) {
      std::vector<std::string> texts;
      for (const Cell& cell : table_.rows[i]) texts.push_back(sheet_text_of(cell));
      draw_row(texts, Role::kText);
    }
    if (table_.rows.size() > shown_rows())
      line(words(fmt::format("{} more rows are not shown.", table_.rows.size() - shown_rows())), Role::kMuted,
           Weight::kRegular);
    for (const std::string& note : table_.notes) line(note, Role::kMuted, Weight::kRegular);
  }

  void draw_row(const std::vector<std::string>& texts, Role role) {
    y_ += kSheetLine;
    double x = kSheetMargin;
    for (const std::size_t i : shown_) {
      const bool left = table_.columns[i].align == Align::kLeft;
      add(Text{{left ? x : x + widths_[i], y_}, texts[i], role, kSheetFont, left ? Anchor::kStart : Anchor::kEnd});
      x += widths_[i] + kSheetGap;
    }
  }

  void add(Primitive primitive) { primitives_.push_back(std::move(primitive)); }

  const Table& table_;
  double width_;
  std::vector<std::size_t> shown_;
  std::vector<double> widths_;  // of all columns
  std::vector<Primitive> primitives_;
  double y_ = 0.0;
};

}  // namespace

SheetHead sheet_head(const std::string& title, const std::vector<std::string>& sentences,
                     const std::string& measured_at, const Words& words) {
  SheetHead head{title_in(words, title), {}};
  for (const std::string& sentence : sentences)
    if (!sentence.empty()) head.lines.push_back(words(sentence));
  if (!measured_at.empty()) head.lines.push_back(words("measured") + " " + words(format_date(measured_at)));
  return head;
}

SheetHead sheet_head(const ReportView& report, const Words& words) {
  std::vector<std::string> sentences = report.answer;
  sentences.push_back(report.configuration_line);
  return sheet_head(report.title, sentences, report.measured_at, words);
}

Figure chart_sheet(const SheetHead& head, const Figure& chart, const Table& table, const Words& words) {
  Figure said = in_language(chart, words);
  const Table told = in_language(table, words);
  return Sheet(said, told).draw(head, std::move(said), words);
}

}  // namespace dachlast::viewmodel
