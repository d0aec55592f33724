#include "core/viewmodel/op_filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/viewmodel/run_view.h"
#include "core/viewmodel/selection.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

using Values = std::vector<std::optional<double>>;

/// One operation of one point, and the point it belongs to.
struct OpRow {
  const PointSummary* point;
  const OpSummary* op;
};

std::vector<OpRow> rows_of(const std::vector<PointSummary>& points, std::span<const OpFilter> filters) {
  std::vector<OpRow> rows;
  for (const PointSummary& point : points)
    for (const OpSummary& op : point.ops)
      if (passes(filters, op_datum(point.phase, op.op))) rows.push_back({&point, &op});
  return rows;
}

template <class Get>
auto column_from(const std::vector<OpRow>& rows, Get get) {
  std::vector<decltype(get(*rows.front().point, *rows.front().op))> values;
  values.reserve(rows.size());
  for (const OpRow& row : rows) values.push_back(get(*row.point, *row.op));
  return values;
}

Values utilisation_column(const std::vector<OpRow>& rows, double Utilisation::*field) {
  return column_from(rows, [&](const PointSummary&, const OpSummary& op) -> std::optional<double> {
    if (!op.verdict) return std::nullopt;
    return op.verdict->utilisation.*field;
  });
}

Table operations_table(const std::vector<OpRow>& rows) {
  using Point = PointSummary;
  using Op = OpSummary;
  TableBuilder table("operations", "Operations of every measured step");
  table.text({"op", "Operation", "", "All layers together.", Align::kLeft},
             column_from(rows, [](const Point&, const Op& op) { return std::string(name_of(op.op)); }));
  table.text({"phase", "Phase", "", "", Align::kLeft},
             column_from(rows, [](const Point& point, const Op&) { return phase_title(point.phase); }));
  table.count({"context_tokens", "Context", "tokens", ""},
              column_from(rows, [](const Point& point, const Op&) { return std::int64_t{point.context_tokens}; }),
              Origin::kExact);
  table.count({"batch", "Batch", "", "", Align::kRight, 4},
              column_from(rows, [](const Point& point, const Op&) { return std::int64_t{point.batch_size}; }),
              Origin::kExact);
  table.measure({"time_s", "Time", "", "Median over steps of the sum over calls."}, Measure::kTime,
                column_from(rows, [](const Point&, const Op& op) { return std::optional<double>(op.time.value); }),
                Origin::kMeasured);
  table.percent({"share", "Share", "", "Share of its step."},
                column_from(rows, [](const Point&, const Op& op) { return std::optional<double>(op.share); }),
                Origin::kMeasured);
  table.count({"n_calls", "Calls", "", "Per step.", Align::kRight, 3},
              column_from(rows, [](const Point&, const Op& op) { return std::int64_t{op.n_calls}; }), Origin::kExact);
  table.measure({"intensity_flop_per_byte", "Intensity", "", "Counted work over counted traffic."}, Measure::kIntensity,
                column_from(rows,
                            [](const Point&, const Op& op) -> std::optional<double> {
                              if (!op.intensity || op.intensity->value <= 0.0) return std::nullopt;
                              return op.intensity->value;
                            }),
                Origin::kExact);
  table.percent({"utilisation_memory", "Memory", "", "Share of the memory roof that applies.", Align::kRight, 1},
                utilisation_column(rows, &Utilisation::memory), Origin::kMeasured);
  table.percent({"utilisation_compute", "Compute", "", "Share of the compute roof that applies.", Align::kRight, 1},
                utilisation_column(rows, &Utilisation::compute), Origin::kMeasured);
  table.text({"bound", "Bound", "", "What holds the operation back.", Align::kLeft},
             column_from(rows, [](const Point&, const Op& op) {
               return op.verdict ? std::string(display_name_of(op.verdict->bound)) : std::string();
             }));
  return table.build();
}

}  // namespace

std::string op_datum(Phase phase, OpKind op) {
  return fmt::format("{}/{}", name_of(phase), name_of(op));
}

bool passes(std::span<const OpFilter> filters, std::string_view datum) {
  return std::ranges::all_of(filters, [&](const OpFilter& filter) {
    return std::binary_search(filter.datums.begin(), filter.datums.end(), datum,
                              [](std::string_view a, std::string_view b) { return a < b; });
  });
}

OpFilter phase_filter(const Run& run, Phase phase) {
  OpFilter filter{.id = "phase", .text = phase_title(phase), .datums = {}};
  for (const MeasuredPoint& point : run.points)
    if (point.phase == phase)
      for (const OpMeasurement& op : point.ops) filter.datums.push_back(op_datum(phase, op.op));
  std::ranges::sort(filter.datums);
  const auto repeated = std::ranges::unique(filter.datums);
  filter.datums.erase(repeated.begin(), repeated.end());
  return filter;
}

std::vector<std::string> datums_in(const RooflinePlot& plot, const figure::Interval& x, const figure::Interval& y) {
  std::vector<std::string> datums;
  for (const RooflinePoint& point : plot.points)
    if (point.intensity >= x.lo && point.intensity <= x.hi && point.flops_per_s >= y.lo && point.flops_per_s <= y.hi)
      datums.push_back(point.datum);
  std::ranges::sort(datums);
  return datums;
}

RooflinePlot filtered(RooflinePlot plot, std::span<const OpFilter> filters) {
  std::erase_if(plot.points, [&](const RooflinePoint& point) { return !passes(filters, point.datum); });
  return plot;
}

OperationRows operation_rows(const Run& run, std::span<const OpFilter> filters) {
  const std::vector<PointSummary> points = summaries_of(run);
  const std::vector<OpRow> rows = rows_of(points, filters);
  return {.table = operations_table(rows),
          .datums = column_from(
              rows, [](const PointSummary& point, const OpSummary& op) { return op_datum(point.phase, op.op); }),
          .times_s = column_from(rows, [](const PointSummary&, const OpSummary& op) { return op.time.value; })};
}

Table operation_statistics(const OperationRows& operations, std::span<const int> rows) {
  std::vector<double> seconds;
  for (const int row : rows)
    if (row >= 0 && row < static_cast<int>(operations.times_s.size()))
      seconds.push_back(operations.times_s[static_cast<std::size_t>(row)]);
  return duration_statistics(seconds);
}

}  // namespace dachlast::viewmodel
