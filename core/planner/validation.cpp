#include "core/planner/validation.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "core/base/overloaded.h"
#include "core/base/statistics.h"

namespace dachlast {
namespace {

constexpr double kOfTenNine = 90.0;

template <class Item>
void append(std::vector<Item>& to, std::vector<Item>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// Errors and how many of the stated intervals hold.
struct Sample {
  std::vector<double> errors;
  std::int64_t n_intervals = 0;
  std::int64_t n_inside = 0;

  void add(const PredictedFigure& figure) {
    errors.push_back(figure.error());
    if (!figure.interval) return;
    ++n_intervals;
    if (figure.published >= figure.interval->low && figure.published <= figure.interval->high) ++n_inside;
  }
};

ComponentErrors errors_of(std::string component, const Sample& sample) {
  std::vector<double> sizes;
  for (const double error : sample.errors) sizes.push_back(std::abs(error));
  ComponentErrors errors{.component = std::move(component),
                         .n = static_cast<std::int64_t>(sample.errors.size()),
                         .median_abs = median(sizes),
                         .p90_abs = percentile(sizes, kOfTenNine),
                         .worst_abs = *std::ranges::max_element(sizes),
                         .signed_median = median(sample.errors)};
  if (sample.n_intervals > 0)
    errors.interval_coverage = static_cast<double>(sample.n_inside) / static_cast<double>(sample.n_intervals);
  return errors;
}

}  // namespace

void Validation::add(const PredictedFigure& figure) {
  if (figure.published == 0.0)
    skipped.push_back({figure.id, figure.component, "the published figure is 0: it has no relative error"});
  else
    figures.push_back(figure);
}

void Validation::merge(Validation other) {
  n_rows += other.n_rows;
  append(figures, std::move(other.figures));
  append(fits, std::move(other.fits));
  append(skipped, std::move(other.skipped));
  append(assumptions, std::move(other.assumptions));
  append(residuals, std::move(other.residuals));
}

Validation validate_rows(const ReferenceRows& rows, RowCatalog& catalog) {
  return std::visit(
      Overloaded{[&](const std::vector<MemoryKvRow>& table) { return validate_memory_kv(table, catalog); },
                 [&](const std::vector<LlamaCppRow>& table) { return validate_llamacpp(table, catalog); },
                 [&](const std::vector<KvTableRow>& table) { return validate_kv_tables(table, catalog); },
                 [&](const std::vector<ThroughputRow>& table) { return validate_throughput(table, catalog); },
                 [&](const std::vector<ServingRow>& table) { return validate_serving(table, catalog); }},
      rows);
}

std::vector<ComponentErrors> component_errors(const Validation& validation) {
  std::vector<std::pair<std::string, Sample>> grouped;
  for (const PredictedFigure& figure : validation.figures) {
    auto found = std::ranges::find(grouped, figure.component, &std::pair<std::string, Sample>::first);
    if (found == grouped.end()) found = grouped.insert(grouped.end(), {figure.component, {}});
    found->second.add(figure);
  }
  std::vector<ComponentErrors> components;
  for (const auto& [component, sample] : grouped) components.push_back(errors_of(component, sample));
  return components;
}

std::vector<SubjectErrors> errors_by(const Validation& validation, std::string FigureSubject::*subject) {
  std::map<std::pair<std::string, std::string>, Sample> grouped;
  for (const PredictedFigure& figure : validation.figures)
    if (!(figure.subject.*subject).empty()) grouped[{figure.component, figure.subject.*subject}].add(figure);
  std::vector<SubjectErrors> all;
  for (const auto& [key, sample] : grouped) all.push_back({key.second, errors_of(key.first, sample)});
  std::ranges::stable_sort(all, [](const SubjectErrors& a, const SubjectErrors& b) { return a.errors.n > b.errors.n; });
  return all;
}

std::span<const SubjectKind> subject_kinds() {
  static constexpr SubjectKind kKinds[] = {{"engine", &FigureSubject::engine}, {"device", &FigureSubject::device}};
  return kKinds;
}

FitScore fit_score(const Validation& validation) {
  return {static_cast<std::int64_t>(validation.fits.size()),
          std::ranges::count_if(validation.fits, [](const FitCheck& check) { return check.right(); })};
}

std::vector<PredictedFigure> worst_figures(const Validation& validation, std::size_t n) {
  std::vector<PredictedFigure> worst = validation.figures;
  std::ranges::stable_sort(worst, [](const PredictedFigure& a, const PredictedFigure& b) {
    return std::abs(a.error()) > std::abs(b.error());
  });
  worst.resize(std::min(n, worst.size()));
  return worst;
}

std::vector<SkipGroup> skip_groups(const Validation& validation) {
  std::vector<SkipGroup> groups;
  for (const SkippedFigure& skip : validation.skipped) {
    const auto same = std::ranges::find_if(
        groups, [&](const SkipGroup& g) { return g.component == skip.component && g.reason == skip.reason; });
    if (same == groups.end())
      groups.push_back({skip.component, skip.reason, 1, skip.id});
    else
      ++same->n;
  }
  std::ranges::stable_sort(groups, [](const SkipGroup& a, const SkipGroup& b) { return a.n > b.n; });
  return groups;
}

}  // namespace dachlast
