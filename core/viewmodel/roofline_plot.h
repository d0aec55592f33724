#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "core/figure/scale.h"
#include "core/roofline/point_summary.h"
#include "core/roofline/run.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// One operation of one phase, or an operator of a recording, on the roofline. The number is the one it carries in the table beside the chart.
struct RooflinePoint {
  int number = 0;
  std::string datum;                             // "decode/attention"
  std::string label;                             // "attention"
  std::optional<Phase> phase = Phase::kPrefill;  // empty: not known
  OpKind op = OpKind::kEmbed;
  std::string group = {};    // of its colour; empty: the family of its operation
  std::string facts = {};    // what a pointer is told; empty: what is said of operations of a run
  double intensity = 0.0;    // FLOP/byte; 0: no arithmetic, no place on the chart
  double flops_per_s = 0.0;  // achieved
  double share = 0.0;        // of its step
  OpSummary summary;
  std::string where;  // "Decode, 512 tokens, batch 1"
};

/// A roof as it is drawn.
struct RooflineRoof {
  std::string label;   // "DRAM 3.02 TB/s measured (3.35 TB/s datasheet)"
  double value = 0.0;  // byte/s or FLOP/s
  Origin origin = Origin::kMeasured;
  double other = 0.0;  // the same roof from the other source, measured or listed; 0: not known
};

/// Where a point of the plot lay in the baseline.
struct RooflineGhost {
  std::string datum;  // of the point
  double intensity = 0.0;
  double flops_per_s = 0.0;
  std::string change;  // of the operation's time, "−18 %"; empty: its step changed by no more than noise, so no arrow
};

/// The chart of UX.md §3.1 as data: what is on it, on which frame.
struct RooflinePlot {
  std::string title;
  figure::Interval x;                       // FLOP/byte
  figure::Interval y;                       // FLOP/s
  std::vector<RooflineRoof> memory_roofs;   // DRAM first
  std::vector<RooflineRoof> compute_roofs;  // the one under most of the time first
  double threshold = 0.6;
  std::vector<RooflinePoint> points;
  std::vector<RooflineGhost> ghosts;  // of a baseline, where one was given
  int n_left_out = 0;                 // operations beyond the coverage
};

/// The frame of a device: a function of its roofs alone, in whole decades, so that charts of two runs can be laid side
/// by side. From a fiftieth of the smallest ridge point to a hundred times the largest; up to the highest compute roof.
struct RooflineFrame {
  figure::Interval x;
  figure::Interval y;
};
RooflineFrame roofline_frame(const DeviceRoofs& roofs);

/// Points of each phase's representative step: its longest operations until they cover `coverage` of the time.
/// Errors   throws `Error` (kDevice) where the device has no DRAM or FP32 roof.
RooflinePlot roofline_plot(const Run& run, double coverage = 0.95);

/// Adds where each point lay in the baseline, where it measured the same steps.
void add_ghosts(RooflinePlot& plot, const Run& run, const Run& base);

/// Draws the plot; legible down to a width of 360.
figure::Figure roofline_figure(const RooflinePlot& plot, figure::Size size, std::string id);

/// The numbered table beside the chart.
Table roofline_table(const RooflinePlot& plot);

/// That table, or another one of the points, with the roofs below them: enough to draw the chart again. For files.
Table with_roofs(Table points, const RooflinePlot& plot);

}  // namespace dachlast::viewmodel
