#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "core/planner/cross_validation.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"
#include "core/workbench/validate.h"

namespace dachlast {
namespace {

using viewmodel::Align;
using viewmodel::Cell;
using viewmodel::Table;
using viewmodel::TableBuilder;

/// Errors of a prediction are read to a hundredth of a per cent where they are that small.
std::string percent_text(double share) {
  const double percent = 100.0 * share;
  const double size = std::abs(percent);
  if (size < 0.995) return fmt::format("{:.2f}", percent);
  return size < 9.95 ? fmt::format("{:.1f}", percent) : fmt::format("{:.0f}", percent);
}

/// Of a figure in the unit its row states: whole where large, four digits where small.
std::string figure_text(double value) {
  if (std::abs(value) >= 10'000.0) return viewmodel::format_count(static_cast<std::int64_t>(std::llround(value)));
  return fmt::format("{:.4g}", value);
}

std::vector<Cell> percent_cells(const std::vector<ComponentErrors>& components, double ComponentErrors::*share) {
  std::vector<Cell> cells;
  for (const ComponentErrors& component : components)
    cells.push_back(
        viewmodel::number_cell(100.0 * (component.*share), percent_text(component.*share), Origin::kEstimated));
  return cells;
}

template <class Item>
std::vector<std::string> texts(const std::vector<Item>& items, const std::function<std::string(const Item&)>& text) {
  std::vector<std::string> made;
  for (const Item& item : items) made.push_back(text(item));
  return made;
}

template <class Item>
std::vector<std::int64_t> counts(const std::vector<Item>& items, std::int64_t Item::*count) {
  std::vector<std::int64_t> made;
  for (const Item& item : items) made.push_back(item.*count);
  return made;
}

std::string title_of_component(const std::string& component) {
  if (component == "ttft") return "TTFT";
  if (component == "tpot") return "TPOT";
  if (component == "tok_s") return "Tokens/s";
  std::string title = component;
  for (char& c : title)
    if (c == '_') c = ' ';
  if (title.starts_with("kv ")) title.replace(0, 2, "KV");
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') title[0] = static_cast<char>(title[0] - 'a' + 'A');
  return title;
}

std::string sentence_of(const ComponentErrors& errors) {
  return fmt::format("{}: median error {}\u00a0%, nine in ten within {}\u00a0% (n = {}). ",
                     title_of_component(errors.component), percent_text(errors.median_abs),
                     percent_text(errors.p90_abs), errors.n);
}

/// Weights, tokens and verdicts decide, so they come first; the other components stand in the table below.
std::string answer_of(const Validation& validation, const std::vector<ComponentErrors>& components) {
  std::string answer;
  for (const ComponentErrors& errors : components)
    if (errors.component == "weights" || errors.component == "kv_tokens") answer += sentence_of(errors);
  const FitScore fit = fit_score(validation);
  if (fit.n > 0) answer += fmt::format("Fit right on {} of {} rows. ", fit.correct, fit.n);
  for (const ComponentErrors& errors : components)
    if (errors.component == "kv_bytes" || errors.component == "kv_bytes_per_token" || answer.empty())
      answer += sentence_of(errors);
  if (answer.empty()) answer = "No figure could be predicted. ";
  const auto n_missing = static_cast<std::int64_t>(missing_figures(validation).size());
  return answer + fmt::format("{}: {} skipped; {} of the others not predicted.",
                              viewmodel::counted(validation.n_rows, "row", "rows"), skipped_rows(validation).size(),
                              viewmodel::counted(n_missing, "figure", "figures"));
}

std::vector<Cell> coverage_cells(const std::vector<ComponentErrors>& components) {
  std::vector<Cell> cells;
  for (const ComponentErrors& component : components)
    cells.push_back(component.interval_coverage
                        ? viewmodel::number_cell(100.0 * *component.interval_coverage,
                                                 percent_text(*component.interval_coverage), Origin::kEstimated)
                        : viewmodel::text_cell("no interval"));
  return cells;
}

Table components_table(const std::vector<ComponentErrors>& components) {
  TableBuilder table("components", "Components");
  table.text({"component", "Component", "", ""}, texts<ComponentErrors>(components, [](const ComponentErrors& c) {
               return title_of_component(c.component);
             }));
  table.count({"n", "n", "", "Figures."}, counts(components, &ComponentErrors::n), Origin::kExact);
  const auto percent = [&](const char* key, const char* title, const char* text, double ComponentErrors::*share) {
    table.cells({key, title, "%", text}, percent_cells(components, share));
  };
  percent("median_abs_pct", "Median", "Of the errors' sizes.", &ComponentErrors::median_abs);
  percent("p90_abs_pct", "p90", "Nine of ten errors are smaller.", &ComponentErrors::p90_abs);
  percent("worst_abs_pct", "Worst", "The largest error.", &ComponentErrors::worst_abs);
  percent("signed_median_pct", "Bias", "Median of the signed errors: above zero we predict too much.",
          &ComponentErrors::signed_median);
  const bool intervals = std::ranges::any_of(
      components, [](const ComponentErrors& component) { return component.interval_coverage.has_value(); });
  if (intervals)
    table.cells({"interval_coverage_pct", "Inside", "%", "Figures inside their printed 90 % interval."},
                coverage_cells(components));
  return table.build();
}

/// Errors of speeds by what they are of.
Table subjects_table(const Validation& validation) {
  std::vector<std::string> names;
  std::vector<ComponentErrors> errors;
  for (const SubjectKind& kind : subject_kinds())
    for (SubjectErrors& of : errors_by(validation, kind.member)) {
      names.push_back(of.subject);
      errors.push_back(std::move(of.errors));
    }
  TableBuilder table("subjects", "By engine and device");
  table.text({"subject", "Of", "", ""}, names);
  table.text({"component", "Component", "", ""},
             texts<ComponentErrors>(errors, [](const ComponentErrors& c) { return title_of_component(c.component); }));
  table.count({"n", "n", "", "Figures."}, counts(errors, &ComponentErrors::n), Origin::kExact);
  table.cells({"median_abs_pct", "Median", "%", "Of the errors' sizes."},
              percent_cells(errors, &ComponentErrors::median_abs));
  table.cells({"p90_abs_pct", "p90", "%", "Nine of ten errors are smaller."},
              percent_cells(errors, &ComponentErrors::p90_abs));
  table.cells({"signed_median_pct", "Bias", "%", "Median of the signed errors."},
              percent_cells(errors, &ComponentErrors::signed_median));
  table.cells({"interval_coverage_pct", "Inside", "%", "Figures inside their printed 90 % interval."},
              coverage_cells(errors));
  return table.build();
}

Table worst_table(const std::vector<PredictedFigure>& figures) {
  std::vector<Cell> predicted;
  std::vector<Cell> published;
  std::vector<Cell> errors;
  for (const PredictedFigure& figure : figures) {
    predicted.push_back(viewmodel::number_cell(figure.predicted, figure_text(figure.predicted), Origin::kEstimated));
    published.push_back(viewmodel::number_cell(figure.published, figure_text(figure.published), Origin::kMeasured));
    errors.push_back(viewmodel::number_cell(100.0 * figure.error(), percent_text(figure.error()), Origin::kEstimated));
  }
  using Figure = PredictedFigure;
  TableBuilder table("worst", "Missed by most");
  table.text({"id", "Row", "", ""}, texts<Figure>(figures, [](const Figure& f) { return f.id; }));
  table.text({"component", "Component", "", ""},
             texts<Figure>(figures, [](const Figure& f) { return title_of_component(f.component); }));
  table.text({"item", "Figure", "", "", Align::kLeft, 1},
             texts<Figure>(figures, [](const Figure& f) { return f.item; }));
  table.cells({"predicted", "Predicted", "", "In the unit of the row."}, std::move(predicted));
  table.cells({"published", "Published", "", "In the unit of the row."}, std::move(published));
  table.cells({"error_pct", "Error", "%", ""}, std::move(errors));
  return table.build();
}

Table misfits_table(const Validation& validation) {
  std::vector<FitCheck> wrong;
  for (const FitCheck& check : validation.fits)
    if (!check.right()) wrong.push_back(check);
  TableBuilder table("misfits", "Wrong verdicts");
  table.text({"id", "Row", "", ""}, texts<FitCheck>(wrong, [](const FitCheck& c) { return c.id; }));
  table.text({"predicted", "Predicted", "", ""},
             texts<FitCheck>(wrong, [](const FitCheck& c) { return std::string(name_of(c.predicted)); }));
  table.text({"published", "Published", "", ""},
             texts<FitCheck>(wrong, [](const FitCheck& c) { return std::string(name_of(c.published)); }));
  table.text({"detail", "Detail", "", "", Align::kLeft, 1},
             texts<FitCheck>(wrong, [](const FitCheck& c) { return c.detail; }));
  return table.build();
}

void add_reasons(const std::vector<SkipGroup>& groups, TableBuilder& table) {
  table.text({"reason", "Reason", "", ""}, texts<SkipGroup>(groups, [](const SkipGroup& g) { return g.reason; }));
  table.text({"first_id", "First row", "", "", Align::kLeft, 1},
             texts<SkipGroup>(groups, [](const SkipGroup& g) { return g.first_id; }));
}

Table skipped_rows_table(const std::vector<SkipGroup>& groups) {
  TableBuilder table("skipped", "Skipped rows");
  table.count({"n", "n", "", "Rows of which nothing is predicted."}, counts(groups, &SkipGroup::n), Origin::kExact);
  add_reasons(groups, table);
  return table.build();
}

Table missing_figures_table(const std::vector<SkipGroup>& groups) {
  TableBuilder table("missing", "Figures not predicted");
  table.text({"component", "Component", "", ""},
             texts<SkipGroup>(groups, [](const SkipGroup& g) { return title_of_component(g.component); }));
  table.count({"n", "n", "", "Figures of rows of which others are predicted."}, counts(groups, &SkipGroup::n),
              Origin::kExact);
  add_reasons(groups, table);
  return table.build();
}

}  // namespace

ValidationView validation_view(const Validation& validation, std::size_t n_worst) {
  const std::vector<ComponentErrors> components = component_errors(validation);
  return {.answer = answer_of(validation, components),
          .components = components_table(components),
          .subjects = subjects_table(validation),
          .worst = worst_table(worst_figures(validation, n_worst)),
          .misfits = misfits_table(validation),
          .skipped = skipped_rows_table(skipped_row_groups(validation)),
          .missing = missing_figures_table(missing_figure_groups(validation))};
}

Table missing_table(const Validation& validation) {
  using Skip = SkippedFigure;
  TableBuilder table("missing-rows", "Not predicted, row by row");
  table.text({"id", "Row", "", ""}, texts<Skip>(validation.skipped, [](const Skip& s) { return s.id; }));
  table.text({"component", "Component", "", ""},
             texts<Skip>(validation.skipped, [](const Skip& s) { return title_of_component(s.component); }));
  table.text({"reason", "Reason", "", ""}, texts<Skip>(validation.skipped, [](const Skip& s) { return s.reason; }));
  return table.build();
}

Table constants_table(const Validation& validation) {
  const std::vector<ConstantCheck> checks = leave_one_source_out(validation.observations);
  const auto amounts = [&](const std::function<std::optional<double>(const ConstantCheck&)>& of) {
    std::vector<Cell> cells;
    for (const ConstantCheck& check : checks) {
      const auto gib = of(check);
      cells.push_back(gib ? viewmodel::number_cell(*gib, fmt::format("{:.2f}", *gib), Origin::kEstimated)
                          : viewmodel::missing_cell());
    }
    return cells;
  };
  TableBuilder table("constants", "Constants, each publisher left out in turn");
  table.text({"constant", "Constant", "", ""},
             texts<ConstantCheck>(checks, [](const ConstantCheck& c) { return c.constant; }));
  table.count({"n", "n", "", "Rows."}, counts(checks, &ConstantCheck::n), Origin::kExact);
  table.count({"sources", "Publishers", "", ""}, counts(checks, &ConstantCheck::n_sources), Origin::kExact);
  table.cells({"median_abs_gib", "Error", "GiB", "Median, as used."},
              amounts([](const ConstantCheck& c) { return std::optional(c.median_abs); }));
  table.cells({"left_out_median_abs_gib", "Left out", "GiB", "Median, estimated from the other publishers."},
              amounts([](const ConstantCheck& c) { return c.left_out_median_abs; }));
  table.cells({"left_out_worst_abs_gib", "Worst", "GiB", "The largest error of such an estimate."},
              amounts([](const ConstantCheck& c) { return c.left_out_worst_abs; }));
  return table.build();
}

Table assumptions_table(const Validation& validation) {
  using Assumption = RowAssumption;
  TableBuilder table("assumptions", "Read as");
  table.text({"id", "Row", "", ""},
             texts<Assumption>(validation.assumptions, [](const Assumption& a) { return a.id; }));
  table.text({"assumption", "Assumption", "", ""},
             texts<Assumption>(validation.assumptions, [](const Assumption& a) { return a.text; }));
  return table.build();
}

}  // namespace dachlast
