#include "core/planner/cross_validation.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/statistics.h"
#include "core/planner/row_words.h"

namespace dachlast {
namespace {

/// Median over publishers, `left_out` excepted, of the median of what each observed; empty where none is left.
template <class Wanted>
std::optional<double> estimate_without(std::span<const ConstantObservation> observations, const std::string& left_out,
                                       Wanted wanted) {
  std::map<std::string, std::vector<double>> by_source;
  for (const ConstantObservation& seen : observations)
    if (seen.source != left_out && wanted(seen)) by_source[seen.source].push_back(seen.observed);
  std::vector<double> medians;
  for (const auto& [source, values] : by_source) medians.push_back(median(values));
  return medians.empty() ? std::nullopt : std::optional(median(medians));
}

ConstantCheck check_constant(const std::string& constant, std::span<const ConstantObservation> all) {
  ConstantCheck check{.constant = constant, .left_out_median_abs = {}, .left_out_worst_abs = {}};
  std::vector<double> used;
  std::vector<double> left_out;
  std::map<std::string, int> sources;
  for (const ConstantObservation& seen : all) {
    if (seen.constant != constant) continue;
    ++check.n;
    ++sources[seen.source];
    used.push_back(std::abs(seen.used - seen.observed));
    const auto estimate = estimate_without(
        all, seen.source, [&](const ConstantObservation& other) { return other.constant == constant; });
    if (estimate) left_out.push_back(std::abs(*estimate - seen.observed));
  }
  check.n_sources = static_cast<std::int64_t>(sources.size());
  check.median_abs = median(used);
  if (left_out.empty()) return check;
  check.left_out_median_abs = median(left_out);
  check.left_out_worst_abs = *std::ranges::max_element(left_out);
  return check;
}

double library_without(const BesideFigure& figure, std::span<const ConstantObservation> observations) {
  const auto same = estimate_without(observations, figure.source,
                                     [&](const ConstantObservation& o) { return o.constant == figure.constant; });
  if (same) return *same;
  // Any library's memory is a better guess than none.
  const std::string family = figure.constant.substr(0, figure.constant.find(','));
  return estimate_without(observations, figure.source,
                          [&](const ConstantObservation& o) { return o.constant.starts_with(family); })
      .value_or(0.0);
}

}  // namespace

std::string publisher_of(const ReferenceSource& source) {
  const std::string ref = lower_case(source.ref);
  for (const std::string_view thread : {"issue", "pr ", "pull", "discussion"})
    if (ref.starts_with(thread)) return source.repo + " " + source.ref.substr(0, source.ref.find('#'));
  return source.repo;
}

std::vector<ConstantCheck> leave_one_source_out(std::span<const ConstantObservation> observations) {
  std::vector<ConstantCheck> checks;
  for (const ConstantObservation& seen : observations)
    if (std::ranges::find(checks, seen.constant, &ConstantCheck::constant) == checks.end())
      checks.push_back(check_constant(seen.constant, observations));
  return checks;
}

std::vector<LeftOutResidual> left_out_residuals(const Validation& validation) {
  std::vector<LeftOutResidual> residuals;
  for (const BesideFigure& figure : validation.residuals) {
    auto known = std::ranges::find(residuals, figure.source, &LeftOutResidual::source);
    if (known == residuals.end()) known = residuals.insert(residuals.end(), LeftOutResidual{.source = figure.source});
    const double predicted = figure.predicted - figure.library + library_without(figure, validation.observations);
    const double share = figure.published / predicted - 1.0;
    ++known->n;
    if (std::abs(share) > std::abs(known->share)) known->share = share;
  }
  return residuals;
}

}  // namespace dachlast
