#include "core/viewmodel/roofline_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/base/error.h"
#include "core/viewmodel/op_family.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

// Longest first, until `coverage` of the time inside operations is shown.
std::vector<OpSummary> longest_ops(const PointSummary& point, double coverage) {
  std::vector<OpSummary> ops = point.ops;
  std::ranges::stable_sort(ops, [](const auto& a, const auto& b) { return a.time > b.time; });
  double total = 0.0;
  for (const auto& op : ops) total += op.time.value;
  double covered = 0.0;
  std::size_t n = 0;
  while (n < ops.size() && covered < coverage * total) covered += ops[n++].time.value;
  ops.resize(n);
  return ops;
}

RooflinePoint plot_point(const PointSummary& point, const OpSummary& op, int number) {
  RooflinePoint made;
  made.number = number;
  made.datum = fmt::format("{}/{}", name_of(point.phase), name_of(op.op));
  made.label = name_of(op.op);
  made.phase = point.phase;
  made.op = op.op;
  made.intensity = op.intensity ? op.intensity->value : 0.0;
  made.flops_per_s = op.time.value > 0.0 ? (op.cost.flops / op.time).value : 0.0;
  made.share = op.share;
  made.summary = op;
  made.where = point_heading(point);
  return made;
}

void add_points(RooflinePlot& plot, const PointSummary& point, double coverage) {
  const auto ops = longest_ops(point, coverage);
  for (const auto& op : ops) plot.points.push_back(plot_point(point, op, static_cast<int>(plot.points.size()) + 1));
  plot.n_left_out += static_cast<int>(point.ops.size() - ops.size());
}

/// A roof of a level or data type: which of the lists' entries applies, and what the other source says of it.
template <class Roof, class Same>
RooflineRoof drawn_roof(std::string_view name, Measure measure, double value, const std::vector<Roof>& roofs,
                        RoofSample Roof::*rates, Same same) {
  RooflineRoof drawn{.label = {}, .value = value, .origin = Origin::kMeasured, .other = 0.0};
  const auto applies =
      std::ranges::find_if(roofs, [&](const Roof& roof) { return same(roof) && (roof.*rates).max == value; });
  if (applies != roofs.end()) drawn.origin = applies->origin;
  drawn.label = fmt::format("{} {} {}", name, format(measure, value), name_of(drawn.origin));
  const auto other =
      std::ranges::find_if(roofs, [&](const Roof& roof) { return same(roof) && roof.origin != drawn.origin; });
  if (other == roofs.end()) return drawn;
  drawn.other = ((*other).*rates).max;
  drawn.label += fmt::format(" ({} {})", format(measure, drawn.other), name_of(other->origin));
  return drawn;
}

void add_memory_roofs(RooflinePlot& plot, const Run& run) {
  const auto needed = [&](MemoryLevel level) {
    return std::ranges::any_of(
        plot.points, [&](const auto& p) { return p.summary.verdict && p.summary.verdict->load.level == level; });
  };
  for (const MemoryLevel level : {MemoryLevel::kDram, MemoryLevel::kL3, MemoryLevel::kL2}) {
    if (level != MemoryLevel::kDram && !needed(level)) continue;
    const MemoryCeiling roof = memory_ceiling(run.roofs, level, run.n_threads);
    plot.memory_roofs.push_back(drawn_roof(
        name_of(roof.level), Measure::kBandwidth, roof.bandwidth.value, run.roofs.bandwidths,
        &BandwidthRoof::bytes_per_s,
        [&](const BandwidthRoof& one) { return one.level == roof.level && one.pattern == AccessPattern::kRead; }));
  }
}

// The dtype under which most of the time passes gives the ridge point and the bands.
void add_compute_roofs(RooflinePlot& plot, const Run& run) {
  std::map<DType, double> time;
  for (const auto& point : plot.points)
    if (point.summary.verdict) time[point.summary.verdict->load.dtype] += point.summary.time.value;
  if (time.empty()) time[DType::kF32] = 0.0;
  std::vector<std::pair<DType, double>> dtypes(time.begin(), time.end());
  std::ranges::stable_sort(dtypes, [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [dtype, seconds] : dtypes) {
    const ComputeCeiling roof = compute_ceiling(run.roofs, dtype, run.n_threads);
    plot.compute_roofs.push_back(drawn_roof(display_name_of(roof.dtype), Measure::kWorkRate, roof.peak.value,
                                            run.roofs.computes, &ComputeRoof::ops_per_s,
                                            [&](const ComputeRoof& one) { return one.dtype == roof.dtype; }));
  }
}

using Values = std::vector<std::optional<double>>;

template <class Get>
auto from_points(const RooflinePlot& plot, Get get) {
  std::vector<decltype(get(plot.points.front()))> values;
  for (const auto& point : plot.points) values.push_back(get(point));
  return values;
}

Values positive(const RooflinePlot& plot, double (*get)(const RooflinePoint&)) {
  return from_points(plot, [&](const auto& p) {
    const double value = get(p);
    return value > 0.0 ? std::optional<double>(value) : std::nullopt;
  });
}

Values utilisations(const RooflinePlot& plot, double Utilisation::*field) {
  return from_points(plot, [&](const auto& p) -> std::optional<double> {
    if (!p.summary.verdict) return std::nullopt;
    return p.summary.verdict->utilisation.*field;
  });
}

/// A row of a roof: its name, its rate in one of the last but two columns, and where that is from.
std::vector<Cell> roof_row(const RooflineRoof& roof, const std::vector<Column>& columns, std::size_t rate_column,
                           Measure measure) {
  std::vector<Cell> row(columns.size(), missing_cell());
  row.front() = text_cell("roof");
  const auto name = std::ranges::find(columns.begin() + 1, columns.end(), Align::kLeft, &Column::align);
  row[static_cast<std::size_t>(name - columns.begin())] = text_cell(roof.label);
  row[rate_column] = number_cell(roof.value, format(measure, roof.value), roof.origin);
  row.back() = text_cell(std::string(name_of(roof.origin)));
  return row;
}

}  // namespace

RooflineFrame roofline_frame(const DeviceRoofs& roofs) {
  double bandwidth = 0.0;
  for (const auto& roof : roofs.bandwidths)
    if (roof.level == MemoryLevel::kDram) bandwidth = std::max(bandwidth, roof.bytes_per_s.median);
  double peak = 0.0;
  double lowest_peak = 0.0;
  for (const auto& roof : roofs.computes) {
    peak = std::max(peak, roof.ops_per_s.median);
    lowest_peak = lowest_peak > 0.0 ? std::min(lowest_peak, roof.ops_per_s.median) : roof.ops_per_s.median;
  }
  if (!(bandwidth > 0.0) || !(lowest_peak > 0.0))
    throw Error(ErrorKind::kDevice, roofs.device.empty() ? "device" : roofs.device,
                "no DRAM bandwidth or no compute peak is known.", "Measure its roofs: dachlast calibrate.");
  const figure::Interval x = figure::whole_decades({lowest_peak / bandwidth / 50.0, peak / bandwidth * 100.0});
  // Half of the DRAM roof at the left edge: slower operations that far left become edge markers, and the rest has room.
  const figure::Interval y = figure::whole_decades({0.5 * bandwidth * x.lo, peak});
  return {x, y};
}

RooflinePlot roofline_plot(const Run& run, double coverage) {
  RooflinePlot plot;
  const auto frame = roofline_frame(run.roofs);
  plot.x = frame.x;
  plot.y = frame.y;
  plot.title = fmt::format("Roofline of {}, {}", run.roofs.device.empty() ? run.host.cpu_name : run.roofs.device,
                           counted(run.n_threads, "thread", "threads"));
  plot.threshold = run.bound_threshold;
  const auto points = summaries_of(run);
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode})
    if (const PointSummary* point = representative(points, phase)) add_points(plot, *point, coverage);
  add_memory_roofs(plot, run);
  add_compute_roofs(plot, run);
  return plot;
}

Table roofline_table(const RooflinePlot& plot) {
  TableBuilder table("roofline", "Operations on the roofline");
  table.count({"number", "No.", "", "The number of the point in the chart."},
              from_points(plot, [](const auto& p) { return std::int64_t{p.number}; }), Origin::kExact);
  table.text({"op", "Operation", "", "All layers together."}, from_points(plot, [](const auto& p) { return p.label; }));
  table.text({"step", "Step", "", "", Align::kLeft, 5}, from_points(plot, [](const auto& p) { return p.where; }));
  table.measure({"time_s", "Time", "", "Median over steps."}, Measure::kTime,
                from_points(plot, [](const auto& p) { return std::optional<double>(p.summary.time.value); }),
                Origin::kMeasured);
  table.percent({"share", "Share", "", "Share of its step."},
                from_points(plot, [](const auto& p) { return std::optional<double>(p.share); }), Origin::kMeasured);
  table.measure({"intensity_flop_per_byte", "Intensity", "", "Counted work over counted traffic."}, Measure::kIntensity,
                positive(plot, [](const RooflinePoint& p) { return p.intensity; }), Origin::kExact);
  table.measure({"flops_per_s", "Achieved", "", "Counted work over measured time.", Align::kRight, 2},
                Measure::kWorkRate, positive(plot, [](const RooflinePoint& p) { return p.flops_per_s; }),
                Origin::kMeasured);
  table.percent({"utilisation_memory", "Memory", "", "Share of the memory roof that applies.", Align::kRight, 3},
                utilisations(plot, &Utilisation::memory), Origin::kMeasured);
  table.percent({"utilisation_compute", "Compute", "", "Share of the compute roof that applies.", Align::kRight, 3},
                utilisations(plot, &Utilisation::compute), Origin::kMeasured);
  table.text({"memory_roof", "Level", "", "The memory level that feeds the operation.", Align::kLeft, 4},
             from_points(plot, [](const auto& p) {
               return p.summary.verdict ? std::string(name_of(p.summary.verdict->load.level)) : std::string();
             }));
  table.text({"bound", "Bound", "", "What holds the operation back."}, from_points(plot, [](const auto& p) {
               return p.summary.verdict ? std::string(display_name_of(p.summary.verdict->bound)) : std::string();
             }));
  if (std::ranges::any_of(plot.points, [](const auto& p) { return p.intensity <= 0.0; }))
    table.note("Operations without arithmetic have no place on a logarithmic axis; they are listed here only.");
  if (plot.n_left_out > 0)
    table.note(
        fmt::format("{} that together take less than 5 % of operation time are left out here; the tables of the "
                    "phases list all.",
                    counted(plot.n_left_out, "operation", "operations")));
  return table.build();
}

Table with_roofs(Table points, const RooflinePlot& plot) {
  std::vector<Column>& columns = points.columns;
  columns.insert(columns.begin(), {"kind", "Kind", "", "", Align::kLeft});
  columns.push_back({"roof_bytes_per_s", "Memory roof", "", ""});
  columns.push_back({"roof_flops_per_s", "Compute roof", "", ""});
  columns.push_back({"roof_origin", "Roof from", "", "", Align::kLeft});
  const std::size_t n = columns.size();
  for (auto& row : points.rows) {
    row.insert(row.begin(), text_cell("point"));
    row.resize(n, missing_cell());
  }
  for (const auto& roof : plot.memory_roofs) points.rows.push_back(roof_row(roof, columns, n - 3, Measure::kBandwidth));
  for (const auto& roof : plot.compute_roofs) points.rows.push_back(roof_row(roof, columns, n - 2, Measure::kWorkRate));
  return points;
}

}  // namespace dachlast::viewmodel
