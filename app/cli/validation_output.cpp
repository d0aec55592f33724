#include "app/cli/validation_output.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "app/cli/help.h"
#include "app/cli/output.h"
#include "core/planner/cross_validation.h"
#include "core/planner/known_load.h"
#include "core/viewmodel/format.h"
#include "core/workbench/validate.h"
#include "reports/csv.h"
#include "reports/markdown.h"
#include "reports/terminal.h"

namespace dachlast::cli {
namespace {

using nlohmann::ordered_json;

ordered_json errors_json(const ComponentErrors& errors) {
  ordered_json json = {{"n", errors.n},
                       {"median_abs_pct", 100.0 * errors.median_abs},
                       {"p90_abs_pct", 100.0 * errors.p90_abs},
                       {"worst_abs_pct", 100.0 * errors.worst_abs},
                       {"signed_median_pct", 100.0 * errors.signed_median}};
  if (errors.interval_coverage) json["interval_coverage_pct"] = 100.0 * *errors.interval_coverage;
  return json;
}

ordered_json subjects_json(const Validation& validation) {
  ordered_json json = ordered_json::object();
  for (const SubjectKind& kind : subject_kinds())
    for (const SubjectErrors& errors : errors_by(validation, kind.member))
      json[kind.name][errors.subject][errors.errors.component] = errors_json(errors.errors);
  return json;
}

ordered_json figure_json(const PredictedFigure& figure) {
  ordered_json json = {{"id", figure.id},
                       {"component", figure.component},
                       {"item", figure.item},
                       {"predicted", figure.predicted},
                       {"published", figure.published},
                       {"error_pct", 100.0 * figure.error()}};
  if (figure.interval) json["interval"] = {figure.interval->low, figure.interval->high};
  if (!figure.subject.engine.empty())
    json.update(
        {{"engine", figure.subject.engine}, {"model", figure.subject.model}, {"device", figure.subject.device}});
  return json;
}

ordered_json known_json(const Validation& validation) {
  ordered_json list = ordered_json::array();
  for (const KnownLoadErrors& errors : known_load_errors(validation))
    list.push_back({{"component", errors.component},
                    {"other_load", name_of(errors.distance)},
                    {"pairs", errors.n},
                    {"median_abs_pct", 100.0 * errors.median_abs},
                    {"p90_abs_pct", 100.0 * errors.p90_abs},
                    {"ratio_low", errors.ratios.low},
                    {"ratio_high", errors.ratios.high}});
  return list;
}

ordered_json components_json(const Validation& validation) {
  ordered_json json = ordered_json::object();
  for (const ComponentErrors& component : component_errors(validation))
    json[component.component] = errors_json(component);
  const FitScore fit = fit_score(validation);
  if (fit.n > 0) json["fit"] = {{"n", fit.n}, {"correct", fit.correct}};
  return json;
}

ordered_json worst_json(const Validation& validation, std::size_t n_worst) {
  ordered_json list = ordered_json::array();
  for (const PredictedFigure& figure : worst_figures(validation, n_worst)) list.push_back(figure_json(figure));
  return list;
}

ordered_json misfits_json(const Validation& validation) {
  ordered_json list = ordered_json::array();
  for (const FitCheck& check : validation.fits)
    if (!check.right())
      list.push_back({{"id", check.id},
                      {"predicted", name_of(check.predicted)},
                      {"published", name_of(check.published)},
                      {"detail", check.detail}});
  return list;
}

ordered_json skipped_json(const Validation& validation) {
  ordered_json list = ordered_json::array();
  for (const SkippedRow& row : skipped_rows(validation)) list.push_back({{"id", row.id}, {"reason", row.reason}});
  return list;
}

ordered_json missing_json(const Validation& validation) {
  ordered_json list = ordered_json::array();
  for (const SkippedFigure& figure : missing_figures(validation))
    list.push_back({{"id", figure.id}, {"component", figure.component}, {"reason", figure.reason}});
  return list;
}

ordered_json assumptions_json(const Validation& validation) {
  ordered_json list = ordered_json::array();
  for (const RowAssumption& assumption : validation.assumptions)
    list.push_back({{"id", assumption.id}, {"text", assumption.text}});
  return list;
}

ordered_json residuals_json(const Validation& validation) {
  ordered_json list = ordered_json::array();
  for (const LeftOutResidual& residual : left_out_residuals(validation))
    list.push_back({{"source", residual.source}, {"rows", residual.n}, {"beside_weights_and_cache", residual.share}});
  return list;
}

template <class T>
ordered_json value_or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json constants_json(const Validation& validation) {
  ordered_json list = ordered_json::array();
  for (const ConstantCheck& check : leave_one_source_out(validation.observations))
    list.push_back({{"constant", check.constant},
                    {"n", check.n},
                    {"sources", check.n_sources},
                    {"median_abs_gib", check.median_abs},
                    {"left_out_median_abs_gib", value_or_null(check.left_out_median_abs)},
                    {"left_out_worst_abs_gib", value_or_null(check.left_out_worst_abs)}});
  return list;
}

std::string table_text(const viewmodel::Table& table, const CommonOptions& common) {
  if (table.rows.empty()) return {};
  return "\n" + reports::terminal_table(table, terminal_style(common));
}

std::string terminal_text(const Validation& validation, std::size_t n_worst, const CommonOptions& common) {
  const ValidationView view = validation_view(validation, n_worst);
  std::string text = paragraph(view.answer, common);
  for (const viewmodel::Table* table :
       {&view.components, &view.subjects, &view.known, &view.worst, &view.misfits, &view.skipped, &view.missing})
    text += table_text(*table, common);
  if (common.verbosity == Verbosity::kVerbose)
    text += table_text(constants_table(validation), common) + table_text(missing_table(validation), common) +
            table_text(assumptions_table(validation), common);
  return text;
}

std::string markdown_validation(const Validation& validation, std::size_t n_worst, const viewmodel::Words& words) {
  const ValidationView view = validation_view(validation, n_worst);
  std::string text = reports::markdown_text(words, view.answer) + "\n";
  for (const viewmodel::Table* table :
       {&view.components, &view.subjects, &view.known, &view.worst, &view.misfits, &view.skipped, &view.missing})
    if (!table->rows.empty()) text += "\n" + reports::markdown_table(*table, words);
  return text;
}

}  // namespace

std::string json_validation(const Validation& validation, std::size_t n_worst) {
  const ordered_json document = {{"schema", "dachlast.validate/1"},
                                 {"rows", validation.n_rows},
                                 {"skipped", skipped_json(validation)},
                                 {"components", components_json(validation)},
                                 {"by", subjects_json(validation)},
                                 {"one_load_known", known_json(validation)},
                                 {"worst", worst_json(validation, n_worst)},
                                 {"wrong_fits", misfits_json(validation)},
                                 {"missing_figures", missing_json(validation)},
                                 {"assumptions", assumptions_json(validation)},
                                 {"constants", constants_json(validation)},
                                 {"residuals", residuals_json(validation)}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string render_validation(const Validation& validation, std::size_t n_worst, const CommonOptions& common) {
  switch (common.format) {
    case Format::kJson:
    case Format::kJsonl: return json_validation(validation, n_worst);
    case Format::kCsv: return reports::csv_table(validation_view(validation, n_worst).components);
    case Format::kMarkdown: return markdown_validation(validation, n_worst, words_of(common));
    case Format::kTable: return terminal_text(validation, n_worst, common);
  }
  return {};
}

}  // namespace dachlast::cli
