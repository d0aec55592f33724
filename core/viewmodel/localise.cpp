#include "core/viewmodel/localise.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/viewmodel/capacity_units.h"

namespace dachlast::viewmodel {
namespace {

class Change {
 public:
  explicit Change(TextChange change, CapacityUnits units = CapacityUnits::kIec)
      : change_(std::move(change)), units_(units) {}

  void operator()(std::string& text) const { apply(TextKind::kSentence, text); }
  void operator()(std::vector<std::string>& texts) const {
    for (std::string& text : texts) (*this)(text);
  }
  void operator()(std::vector<Remark>& remarks) const {
    for (Remark& remark : remarks) (*this)(remark.text);
  }
  void operator()(Table& table) const;
  void operator()(figure::Figure& figure) const;
  void operator()(ResponsiveFigure& figure) const {
    (*this)(figure.wide);
    (*this)(figure.narrow);
    (*this)(figure.table);
  }
  void operator()(KeyFigure& figure) const {
    (*this)(figure.label);
    (*this)(figure.value);
    apply(TextKind::kCell, figure.note);
  }
  void operator()(PointOps& point) const {
    (*this)(point.heading);
    (*this)(point.verdict);
    (*this)(point.table);
  }
  void operator()(ReportView& report) const;
  void operator()(ReportOptions& options) const;
  void operator()(ReportComparison& comparison) const;
  void operator()(LeftOut& left) const {
    (*this)(left.section);
    (*this)(left.reason);
  }
  template <class T>
  void operator()(std::optional<T>& part) const {
    if (part) (*this)(*part);
  }
  template <class T>
  void operator()(std::vector<T>& parts) const {
    for (T& part : parts) (*this)(part);
  }

  void apply(TextKind kind, std::string& text) const {
    if (!text.empty()) text = change_(kind, text);
  }

 private:
  void lines(std::string& text) const;

  TextChange change_;
  CapacityUnits units_;
};

void Change::operator()(Table& table) const {
  if (units_ == CapacityUnits::kSi) table = in_decimal_units(std::move(table));
  (*this)(table.title);
  for (Column& column : table.columns) {
    (*this)(column.title);
    (*this)(column.unit);
    (*this)(column.description);
  }
  for (auto& row : table.rows)
    for (Cell& cell : row)
      apply(std::holds_alternative<std::string>(cell.raw) ? TextKind::kCell : TextKind::kNumber, cell.text);
  (*this)(table.notes);
}

/// A tooltip holds one fact a line.
void Change::lines(std::string& text) const {
  std::string changed;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    apply(TextKind::kCell, line);
    changed += (begin == 0 ? "" : "\n") + line;
    begin = end + 1;
  }
  text = std::move(changed);
}

void Change::operator()(figure::Figure& figure) const {
  (*this)(figure.title);
  apply(TextKind::kCell, figure.description);
  for (figure::Primitive& primitive : figure.primitives) {
    if (auto* text = std::get_if<figure::Text>(&primitive)) apply(TextKind::kCell, text->text);
    if (auto* hit = std::get_if<figure::HitBox>(&primitive)) lines(hit->tooltip);
  }
}

void Change::operator()(ReportOptions& options) const {
  (*this)(options.lines);
  (*this)(options.chart);
  (*this)(options.tables);
}

void Change::operator()(ReportComparison& comparison) const {
  (*this)(comparison.answer);
  (*this)(comparison.configuration);
  (*this)(comparison.phases);
  (*this)(comparison.changed);
  (*this)(comparison.unchanged);
  (*this)(comparison.notes);
}

void Change::operator()(ReportView& report) const {
  apply(TextKind::kTitle, report.title);
  (*this)(report.status_text);
  (*this)(report.answer);
  (*this)(report.key_figures);
  (*this)(report.configuration_line);
  (*this)(report.risk);
  (*this)(report.recommendation.title);
  (*this)(report.recommendation.items);
  (*this)(report.configuration);
  (*this)(report.memory_lines);
  (*this)(report.memory_bar);
  (*this)(report.memory_context);
  (*this)(report.memory_grid);
  (*this)(report.memory);
  (*this)(report.phase_bars);
  (*this)(report.phases);
  (*this)(report.ops);
  (*this)(report.ops_left_out);
  (*this)(report.roofline);
  (*this)(report.roofline_tables);
  (*this)(report.kv_lines);
  (*this)(report.kv_growth);
  (*this)(report.kv_tables);
  (*this)(report.latency_lines);
  (*this)(report.latency_charts);
  (*this)(report.latency_tables);
  (*this)(report.options);
  (*this)(report.comparison);
  (*this)(report.warnings);
  (*this)(report.assumptions);
  (*this)(report.accuracy_lines);
  (*this)(report.accuracy);
  (*this)(report.left_out);
  (*this)(report.inputs);
  (*this)(report.appendix);
}

/// A cell may list phrases: "fewest GPUs, lowest latency". Where one of them is not known all stay.
std::string cell_in(const Words& words, const std::string& english) {
  std::string joined;
  for (std::size_t begin = 0; begin < english.size();) {
    const std::size_t end = std::min(english.find(", ", begin), english.size());
    const auto part = words.find(english.substr(begin, end - begin));
    if (!part) return words(english);
    joined += (begin == 0 ? "" : ", ") + *part;
    begin = end + 2;
  }
  return joined;
}

TextChange into(const Words& words) {
  return [&words](TextKind kind, const std::string& english) {
    if (kind == TextKind::kNumber) return words.number(english);
    if (kind == TextKind::kCell && !words.find(english)) return cell_in(words, english);
    return kind == TextKind::kTitle ? title_in(words, english) : words(english);
  };
}

}  // namespace

void change_texts(Table& table, const TextChange& change) {
  Change{change}(table);
}

void change_texts(figure::Figure& figure, const TextChange& change) {
  Change{change}(figure);
}

void change_texts(ReportView& report, const TextChange& change) {
  Change{change}(report);
}

Table in_language(Table table, const Words& words) {
  if (!words.as_written()) Change{into(words), words.units()}(table);
  return table;
}

figure::Figure in_language(figure::Figure figure, const Words& words) {
  if (!words.as_written()) change_texts(figure, into(words));
  return figure;
}

ReportView in_language(ReportView report, const Words& words) {
  if (!words.as_written()) Change{into(words), words.units()}(report);
  return report;
}

std::string title_in(const Words& words, const std::string& english) {
  // Between two names the word "on" is all there is to translate, too little to find a sentence by.
  const std::size_t on = english.find(" on ");
  if (on == std::string::npos) return english;
  constexpr std::size_t kAfterOn = 4;
  return english.substr(0, on + 1) + words("on") + " " + words(english.substr(on + kAfterOn));
}

}  // namespace dachlast::viewmodel
