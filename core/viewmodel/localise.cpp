#include "core/viewmodel/localise.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace dachlast::viewmodel {
namespace {

class Change {
 public:
  explicit Change(const TextChange& change) : change_(change) {}

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

  const TextChange& change_;
};

void Change::operator()(Table& table) const {
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
  const Change all(change);
  all.apply(TextKind::kTitle, report.title);
  all(report.status_text);
  all(report.answer);
  all(report.key_figures);
  all(report.configuration_line);
  all(report.risk);
  all(report.recommendation.title);
  all(report.recommendation.items);
  all(report.configuration);
  all(report.memory_lines);
  all(report.memory_bar);
  all(report.memory_context);
  all(report.memory_grid);
  all(report.memory);
  all(report.phase_bars);
  all(report.phases);
  all(report.ops);
  all(report.ops_left_out);
  all(report.roofline);
  all(report.roofline_tables);
  all(report.kv_lines);
  all(report.kv_growth);
  all(report.kv_tables);
  all(report.latency_lines);
  all(report.latency_charts);
  all(report.latency_tables);
  all(report.options);
  all(report.comparison);
  all(report.warnings);
  all(report.assumptions);
  all(report.accuracy_lines);
  all(report.accuracy);
  all(report.left_out);
  all(report.inputs);
  all(report.appendix);
}

Table in_language(Table table, const Words& words) {
  if (words.language() != Language::kEnglish) change_texts(table, into(words));
  return table;
}

figure::Figure in_language(figure::Figure figure, const Words& words) {
  if (words.language() != Language::kEnglish) change_texts(figure, into(words));
  return figure;
}

ReportView in_language(ReportView report, const Words& words) {
  if (words.language() != Language::kEnglish) change_texts(report, into(words));
  return report;
}

std::string title_in(const Words& words, const std::string& english) {
  // Between two names the word "on" is all there is to translate, too little to find a sentence by.
  const std::size_t on = english.find(" on ");
  if (on == std::string::npos) return english;
  return english.substr(0, on + 1) + words("on") + english.substr(on + 3);
}

}  // namespace dachlast::viewmodel
