#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/planner/validation.h"

namespace dachlast {

// Constants that were found on published rows, each held against rows of publishers that had no part in it.

/// Who published a row: an issue or pull request is one publisher, all documents of a repository are another.
std::string publisher_of(const ReferenceSource& source);

/// How well a constant would be known without each of its publishers in turn. GiB.
struct ConstantCheck {
  std::string constant;
  std::int64_t n = 0;
  std::int64_t n_sources = 0;
  double median_abs = 0.0;  // |used − observed|
  std::optional<double>
      left_out_median_abs;  // |estimate from the other publishers − observed|; empty with one publisher
  std::optional<double> left_out_worst_abs;
};

/// Estimates a constant from the publishers that remain as the median of their medians: no publisher counts by its number of rows.
std::vector<ConstantCheck> leave_one_source_out(std::span<const ConstantObservation> observations);

/// What one publisher's starts held beside weights and cache, as shares of what is predicted without that publisher.
struct LeftOutResidual {
  std::string source;
  std::int64_t n = 0;
  double share = 0.0;  // published / predicted − 1, of the row that misses by most
};

/// One a publisher: rows of one machine repeat each other's error. The library constant is estimated from the other publishers' rows of
/// the same constant, else of all constants; the laws of activations have nothing that was fitted.
std::vector<LeftOutResidual> left_out_residuals(const Validation& validation);

}  // namespace dachlast
