// Tables of what was measured: phases, operations, and everything flat.
#include <fmt/format.h>

#include <algorithm>

#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

using Values = std::vector<std::optional<double>>;

template <class Item, class Get>
auto column_of(const std::vector<Item>& items, Get get) {
  std::vector<decltype(get(items.front()))> values;
  values.reserve(items.size());
  for (const Item& item : items) values.push_back(get(item));
  return values;
}

template <class Item>
Values memory_shares(const std::vector<Item>& items) {
  return column_of(items, [](const Item& item) -> std::optional<double> {
    if (!item.verdict) return std::nullopt;
    return item.verdict->utilisation.memory;
  });
}

template <class Item>
Values compute_shares(const std::vector<Item>& items) {
  return column_of(items, [](const Item& item) -> std::optional<double> {
    if (!item.verdict) return std::nullopt;
    return item.verdict->utilisation.compute;
  });
}

template <class Item>
Values intensities(const std::vector<Item>& items) {
  return column_of(items, [](const Item& item) -> std::optional<double> {
    if (!item.intensity) return std::nullopt;
    return item.intensity->value;
  });
}

std::string short_bound(const std::optional<Verdict>& verdict) {
  if (!verdict) return {};
  constexpr std::string_view kShort[] = {"memory", "compute", "near ridge", "latency"};
  std::string text(kShort[static_cast<int>(verdict->bound)]);
  return verdict->above_roof ? text + " (above roof)" : text;
}

bool all_percentiles(const std::vector<PointSummary>& points) {
  return std::ranges::all_of(points, [](const auto& p) { return p.time_s.kind == SpreadKind::kP5P95; });
}

void add_spread(TableBuilder& table, const std::vector<PointSummary>& points, const Unit& unit) {
  const bool percentiles = all_percentiles(points);
  const auto low = column_of(points, [](const auto& p) { return std::optional<double>(p.time_s.low); });
  const auto high = column_of(points, [](const auto& p) { return std::optional<double>(p.time_s.high); });
  table.in_unit_of(
      {"time_low_s", percentiles ? "p5" : "Low", "", "Lower end of the spread over repeats.", Align::kRight, 6}, unit,
      low, Origin::kMeasured);
  table.in_unit_of(
      {"time_high_s", percentiles ? "p95" : "High", "", "Upper end of the spread over repeats.", Align::kRight, 6},
      unit, high, Origin::kMeasured);
  if (!percentiles)
    table.note("Low and high are the 5th and 95th percentile from 20 repeats on, the smallest and largest below that.");
}

void add_predictions(TableBuilder& table, const std::vector<PointSummary>& points, const Unit& unit) {
  const auto predicted = column_of(points, [](const auto& p) { return p.predicted_s; });
  if (std::ranges::none_of(predicted, [](const auto& p) { return p.has_value(); })) return;
  table.in_unit_of(
      {"predicted_s", "Predicted", "",
       "By the curves that calibrate measured, at the DRAM rate probed beside the point.", Align::kRight, 4},
      unit, predicted, Origin::kEstimated);
}

std::string threshold_note(const Run& run) {
  return fmt::format(
      "Memory and compute: share of the measured roofs, traffic and work counted from the shapes that were executed. "
      "The larger one at {} or more names the bound; both, within 10 points: near ridge; neither: latency-bound.",
      format_percent(run.bound_threshold));
}

// The operations of a step, longest first, and the rest of the step as a row of its own, so that shares add up.
std::vector<OpSummary> by_time(const PointSummary& point) {
  std::vector<OpSummary> ops = point.ops;
  std::ranges::stable_sort(ops, [](const auto& a, const auto& b) { return a.time > b.time; });
  return ops;
}

Values op_values(const std::vector<OpSummary>& ops, double (*get)(const OpSummary&), std::optional<double> rest) {
  Values values = column_of(ops, [&](const OpSummary& op) { return std::optional<double>(get(op)); });
  values.push_back(rest);
  return values;
}

Values with_rest(Values values) {
  values.push_back(std::nullopt);
  return values;
}

std::vector<Cell> call_cells(const std::vector<OpSummary>& ops) {
  std::vector<Cell> cells = column_of(ops, [](const auto& op) { return count_cell(op.n_calls, Origin::kExact); });
  cells.push_back(missing_cell());
  return cells;
}

Values potentials(const std::vector<OpSummary>& ops) {
  return with_rest(column_of(ops, [](const OpSummary& op) -> std::optional<double> {
    if (!op.verdict || op.verdict->speedup_at_roof < 1.0) return std::nullopt;
    return op.verdict->speedup_at_roof;
  }));
}

std::vector<std::string> op_names(const std::vector<OpSummary>& ops) {
  auto names = column_of(ops, [](const auto& op) { return std::string(name_of(op.op)); });
  names.push_back("(between operations)");
  return names;
}

std::vector<std::string> op_bounds(const std::vector<OpSummary>& ops) {
  auto bounds = column_of(ops, [](const auto& op) { return short_bound(op.verdict); });
  bounds.emplace_back();
  return bounds;
}

}  // namespace

Table phase_table(const Run& run) {
  const std::vector<PointSummary> points = summaries_of(run);
  std::vector<double> times;
  for (const auto& point : points) times.insert(times.end(), {point.time_s.median, point.time_s.high});
  const Unit unit = unit_for_all(Measure::kTime, times);
  TableBuilder table("phases", "Phases");
  table.text({"phase", "Phase", "", "Prefill reads the prompt; decode produces one token per sequence and step."},
             column_of(points, [](const auto& p) { return phase_title(p.phase); }));
  table.count({"context_tokens", "Context", "tokens",
               "Tokens in the cache when the step ends: prefill has read them, decode has added one."},
              column_of(points, [](const auto& p) { return std::int64_t{p.context_tokens}; }), Origin::kExact);
  if (std::ranges::any_of(points, [](const auto& p) { return p.depth_tokens > 0; }))
    table.count({"depth_tokens", "Depth", "tokens", "Of the context, in the cache before prefill reads the rest.",
                 Align::kRight, 4},
                column_of(points, [](const auto& p) { return std::int64_t{p.depth_tokens}; }), Origin::kExact);
  table.count({"batch", "Batch", "", "Sequences served together.", Align::kRight, 2},
              column_of(points, [](const auto& p) { return std::int64_t{p.batch_size}; }), Origin::kExact);
  if (std::ranges::any_of(points, [](const auto& p) { return p.kv_policy == KvPolicy::kNone; }))
    table.text({"kv_cache", "KV cache", "", "None: every decode step recomputes the whole sequence.", Align::kLeft, 5},
               column_of(points, [](const auto& p) { return std::string(name_of(p.kv_policy)); }));
  table.in_unit_of({"time_s", "Time", "", "Median time of one step."}, unit,
                   column_of(points, [](const auto& p) { return std::optional<double>(p.time_s.median); }),
                   Origin::kMeasured);
  add_spread(table, points, unit);
  add_predictions(table, points, unit);
  table.count({"n", "Repeats", "", "Steps that were timed.", Align::kRight, 7},
              column_of(points, [](const auto& p) { return std::int64_t{p.time_s.n}; }), Origin::kMeasured);
  table.measure(
      {"tokens_per_s", "Throughput", "", "Tokens of all sequences per second.", Align::kRight, 1}, Measure::kTokenRate,
      column_of(points, [](const auto& p) { return std::optional<double>(p.tokens_per_s); }), Origin::kMeasured);
  table.measure({"intensity_flop_per_byte", "Intensity", "", "Counted work over counted traffic.", Align::kRight, 5},
                Measure::kIntensity, intensities(points), Origin::kExact);
  table.percent({"utilisation_memory", "Memory", "", "Share of the memory roof.", Align::kRight, 3},
                memory_shares(points), Origin::kMeasured);
  table.percent({"utilisation_compute", "Compute", "", "Share of the compute roof.", Align::kRight, 3},
                compute_shares(points), Origin::kMeasured);
  table.percent({"gap_share", "Gaps", "", "Share of the step outside operations.", Align::kRight, 8},
                column_of(points, [](const auto& p) { return std::optional<double>(p.gap_share); }), Origin::kMeasured);
  table.text({"bound", "Bound", "", "What holds the step back."},
             column_of(points, [](const auto& p) { return short_bound(p.verdict); }));
  table.note(threshold_note(run));
  return table.build();
}

Table op_table(const PointSummary& point) {
  const std::vector<OpSummary> ops = by_time(point);
  const auto gap_time = std::optional<double>(point.gap_share * point.time_s.median);
  TableBuilder table(fmt::format("ops-{}-{}-{}{}", name_of(point.phase), point.context_tokens, point.batch_size,
                                 point.kv_policy == KvPolicy::kNone ? "-uncached" : ""),
                     "Operations: " + point_heading(point));
  table.text({"op", "Operation", "", "All layers together."}, op_names(ops));
  table.cells({"calls", "Calls", "", "Calls per step.", Align::kRight, 7}, call_cells(ops));
  table.measure({"time_s", "Time", "", "Median over steps of the sum over calls."}, Measure::kTime,
                op_values(
                    ops, [](const OpSummary& op) { return op.time.value; }, gap_time),
                Origin::kMeasured);
  table.percent({"share", "Share", "", "Share of the step."},
                op_values(
                    ops, [](const OpSummary& op) { return op.share; }, point.gap_share),
                Origin::kMeasured);
  table.measure({"flops", "Work", "", "Counted floating-point operations of one step.", Align::kRight, 6},
                Measure::kWork, op_values(ops, [](const OpSummary& op) { return op.cost.flops.value; }, {}),
                Origin::kExact);
  table.measure({"bytes", "Traffic", "", "Counted bytes read and written in one step.", Align::kRight, 5},
                Measure::kTraffic, op_values(ops, [](const OpSummary& op) { return op.cost.bytes().value; }, {}),
                Origin::kExact);
  table.measure({"intensity_flop_per_byte", "Intensity", "", "Work over traffic.", Align::kRight, 4},
                Measure::kIntensity, with_rest(intensities(ops)), Origin::kExact);
  table.percent({"utilisation_memory", "Memory", "", "Share of the memory roof that applies.", Align::kRight, 2},
                with_rest(memory_shares(ops)), Origin::kMeasured);
  table.percent({"utilisation_compute", "Compute", "", "Share of the compute roof that applies.", Align::kRight, 2},
                with_rest(compute_shares(ops)), Origin::kMeasured);
  table.text({"bound", "Bound", "", "What holds the operation back."}, op_bounds(ops));
  table.factor(
      {"speedup_at_roof", "At roof", "", "How much faster the operation would be at its roof.", Align::kRight, 3},
      potentials(ops), Origin::kEstimated);
  return table.build();
}

}  // namespace dachlast::viewmodel
