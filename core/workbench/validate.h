#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/planner/validation.h"
#include "core/viewmodel/table.h"

namespace dachlast {

/// What times are predicted with.
enum class TimeModel : std::uint8_t {
  kCurves,    // measured operator times
  kConstant,  // 80 % of the bandwidth, 60 % of the peak, whatever the shape
  kRoofline   // listed bandwidth and peak
};

/// Predicts every row of the tables with the models, devices and engines the program knows.
/// Errors   throws `Error` (kInput) where a file cannot be read or is of no known kind.
Validation validate_files(std::span<const std::filesystem::path> files, TimeModel time_model = TimeModel::kCurves);

/// A validation as people read it.
struct ValidationView {
  std::string
      answer;  // "Weights: median error 0.1 %, nine in ten within 0.9 % (n = 14). … Fit right on 26 of 27 rows."
  viewmodel::Table components;
  viewmodel::Table subjects;  // of speeds, by engine and device; no rows where there are none
  viewmodel::Table known;     // of speeds, where one load of a deployment is known; no rows where none has two
  viewmodel::Table worst;     // figures missed by most, the worst first
  viewmodel::Table misfits;   // wrong verdicts; no rows where all are right
  viewmodel::Table skipped;   // rows, by reason, with counts
  viewmodel::Table missing;   // figures of the other rows, likewise
};

/// `n_worst`: rows of the list of figures missed by most.
ValidationView validation_view(const Validation& validation, std::size_t n_worst);

/// Everything that was not predicted, one by one, for those who ask for detail.
viewmodel::Table missing_table(const Validation& validation);
/// The constants found on published rows, each without one of its publishers in turn.
viewmodel::Table constants_table(const Validation& validation);
/// How rows were read where they leave something open.
viewmodel::Table assumptions_table(const Validation& validation);

}  // namespace dachlast
