#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/statistics.h"
#include "core/planner/reference_rows.h"
#include "core/planner/row_catalog.h"
#include "core/planner/served_speed.h"

namespace dachlast {

// How well published figures are predicted: each figure of each row beside ours, or the reason why there is none.

/// What a figure is of: how errors are grouped.
struct FigureSubject {
  std::string engine;
  std::string model;
  std::string device;
};

/// A load that a deployment was measured at.
struct ServedAt {
  std::string deployment;  // all that a row states but lengths and clients
  ServedLoad load;
};

/// One published figure and our prediction of it, in the unit the row states.
struct PredictedFigure {
  std::string id;
  std::string component;  // "weights", "kv_bytes", "kv_tokens", "activations", "compute_buffer", …
  std::string item;       // of several figures of one row: "CUDA0"; what the figure is otherwise: "GiB per GPU"
  double predicted = 0.0;
  double published = 0.0;                 // never 0
  std::optional<Interval> interval = {};  // in which the figure was said to lie
  FigureSubject subject = {};             // of speeds
  std::optional<ServedAt> at = {};        // of served models

  /// (predicted − published) / published
  double error() const { return predicted / published - 1.0; }
};

enum class FitVerdict : std::uint8_t { kFits, kDoesNotFit };

constexpr std::string_view name_of(FitVerdict verdict) {
  return verdict == FitVerdict::kFits ? "fits" : "does not fit";
}

/// Whether a configuration starts, by our plan and in truth.
struct FitCheck {
  std::string id;
  FitVerdict predicted = FitVerdict::kFits;
  FitVerdict published = FitVerdict::kFits;
  std::string detail;  // "short by 3.10 GiB per GPU"

  bool right() const { return predicted == published; }
};

/// A figure that was published and could not be predicted.
struct SkippedFigure {
  std::string id;
  std::string component;  // "all" where the whole row is meant
  std::string reason;
};

/// What a row left open and how it was read.
struct RowAssumption {
  std::string id;
  std::string text;
};

/// What a start held beside weights and cache, as published and as predicted, in GiB.
struct BesideFigure {
  std::string id;
  std::string source;  // who published it; see `publisher_of`
  double predicted = 0.0;
  double published = 0.0;
  double library = 0.0;  // of the predicted: memory outside the framework, a constant found on such rows
  std::string constant;  // its name in `ConstantObservation`

  double share() const { return published / predicted - 1.0; }
};

/// A row that shows what a constant of the model stands for, in GiB.
struct ConstantObservation {
  std::string constant;  // "library memory of vllm, 0.55 GiB"
  std::string id;
  std::string source;
  double used = 0.0;
  double observed = 0.0;
};

struct Validation {
  std::int64_t n_rows = 0;
  std::vector<PredictedFigure> figures;
  std::vector<FitCheck> fits;
  std::vector<SkippedFigure> skipped;
  std::vector<RowAssumption> assumptions;
  std::vector<BesideFigure> residuals;
  std::vector<ConstantObservation> observations;

  void add(const PredictedFigure& figure);  // a published 0 has no relative error: it is skipped with that reason
  void merge(Validation other);
};

/// Checks each row; one whose check throws an `Error` is skipped as a whole, with that reason.
template <class Row, class Check>
Validation validate_each(std::span<const Row> rows, Check check) {
  Validation validation;
  for (const Row& row : rows) {
    ++validation.n_rows;
    try {
      check(row, validation);
    } catch (const Error& error) {
      validation.skipped.push_back({row.source.id, "all", error.what()});
    }
  }
  return validation;
}

/// Predicts every row of a table.
Validation validate_rows(const ReferenceRows& rows, RowCatalog& catalog);

Validation validate_memory_kv(std::span<const MemoryKvRow> rows, RowCatalog& catalog);
Validation validate_kv_tables(std::span<const KvTableRow> rows, RowCatalog& catalog);
Validation validate_llamacpp(std::span<const LlamaCppRow> rows, RowCatalog& catalog);
Validation validate_throughput(std::span<const ThroughputRow> rows, RowCatalog& catalog);
Validation validate_serving(std::span<const ServingRow> rows, RowCatalog& catalog);

/// Errors of one component, as shares of the published figures.
struct ComponentErrors {
  std::string component;
  std::int64_t n = 0;
  double median_abs = 0.0;
  double p90_abs = 0.0;
  double worst_abs = 0.0;
  double signed_median = 0.0;
  std::optional<double> interval_coverage = {};  // share of the figures inside their intervals, of those that have one
};

/// One entry per component: weights, tokens of the cache, its bytes, then the others in the order of first appearance.
std::vector<ComponentErrors> component_errors(const Validation& validation);

/// Errors of one component by engine, device or model.
struct SubjectErrors {
  std::string subject;
  ComponentErrors errors;
};
/// One entry per component and subject, the most figures first.
std::vector<SubjectErrors> errors_by(const Validation& validation, std::string FigureSubject::*subject);

/// What speeds are grouped by.
struct SubjectKind {
  const char* name;
  std::string FigureSubject::*member;
};
std::span<const SubjectKind> subject_kinds();

struct FitScore {
  std::int64_t n = 0;
  std::int64_t correct = 0;
};
FitScore fit_score(const Validation& validation);

/// The figures that are missed by most, the worst first; at most `n`.
std::vector<PredictedFigure> worst_figures(const Validation& validation, std::size_t n);

/// A row of which nothing could be predicted, with every reason.
struct SkippedRow {
  std::string id;
  std::string reason;
};
std::vector<SkippedRow> skipped_rows(const Validation& validation);

/// Figures that are missing in rows of which others are predicted.
std::vector<SkippedFigure> missing_figures(const Validation& validation);

/// Rows, or figures of one component, that share a reason.
struct SkipGroup {
  std::string component;  // empty for rows
  std::string reason;
  std::int64_t n = 0;
  std::string first_id;
};
/// The most frequent first.
std::vector<SkipGroup> skipped_row_groups(const Validation& validation);
std::vector<SkipGroup> missing_figure_groups(const Validation& validation);

}  // namespace dachlast
