#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/figure/scale.h"
#include "core/roofline/run.h"
#include "core/viewmodel/roofline_plot.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// Some operations of some phases, as a reader chose them: by a box on the roofline, a range of the timeline, a phase.
struct OpFilter {
  std::string id;                   // of its kind: a new filter of the same kind takes its place
  std::string text;                 // of its chip
  std::vector<std::string> datums;  // "decode/attention", ascending

  friend bool operator==(const OpFilter&, const OpFilter&) = default;
};

/// What an operation of a phase is called wherever it is selected: "decode/attention".
std::string op_datum(Phase phase, OpKind op);

/// Whether every filter lets the operation through. Layers of the name are all let through: "decode/attention" stands for
/// the operation in every layer.
bool passes(std::span<const OpFilter> filters, std::string_view datum);

/// All operations of a phase of a run.
OpFilter phase_filter(const Run& run, Phase phase);

/// The operations whose points lie in a box of the roofline.
std::vector<std::string> datums_in(const RooflinePlot& plot, const figure::Interval& x, const figure::Interval& y);

/// The plot with the points that pass; roofs, frame and numbers stay.
RooflinePlot filtered(RooflinePlot plot, std::span<const OpFilter> filters);

/// Every operation of every measured point that passes, and what each row is called.
struct OperationRows {
  Table table;
  std::vector<std::string> datums;
  std::vector<double> times_s;
};
OperationRows operation_rows(const Run& run, std::span<const OpFilter> filters = {});

/// `duration_statistics` of the times of some rows of `operation_rows`.
Table operation_statistics(const OperationRows& operations, std::span<const int> rows);

}  // namespace dachlast::viewmodel
