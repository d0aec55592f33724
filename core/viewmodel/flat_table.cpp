#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/viewmodel/run_view.h"

namespace dachlast::viewmodel {
namespace {

Cell raw(double value) {
  return number_cell(value, fmt::format("{}", value), Origin::kMeasured);
}

std::vector<Column> flat_columns() {
  std::vector<Column> columns;
  for (const char* key : {"phase",
                          "context_tokens",
                          "batch",
                          "kv_cache",
                          "op",
                          "calls",
                          "time_s",
                          "time_p5_s",
                          "time_p95_s",
                          "time_min_s",
                          "time_max_s",
                          "n",
                          "share",
                          "tokens_per_s",
                          "flops",
                          "bytes",
                          "weight_bytes",
                          "activation_bytes",
                          "kv_read_bytes",
                          "kv_write_bytes",
                          "intensity_flop_per_byte",
                          "utilisation_memory",
                          "utilisation_compute",
                          "bound",
                          "samples_s",
                          "depth_tokens"})
    columns.push_back({key, key, "", "", Align::kLeft, 0});
  return columns;
}

std::vector<Cell> key_cells(const PointSummary& point, std::string_view op) {
  return {text_cell(std::string(name_of(point.phase))), count_cell(point.context_tokens, Origin::kExact),
          count_cell(point.batch_size, Origin::kExact), text_cell(std::string(name_of(point.kv_policy))),
          text_cell(std::string(op))};
}

void append(std::vector<Cell>& row, std::vector<Cell> cells) {
  for (auto& cell : cells) row.push_back(std::move(cell));
}

std::vector<Cell> cost_cells(const OpCost& cost, const std::optional<Intensity>& intensity) {
  return {raw(cost.flops.value),
          raw(cost.bytes().value),
          raw(cost.weight_bytes.value),
          raw(cost.activation_bytes.value),
          raw(cost.kv_read_bytes.value),
          raw(cost.kv_write_bytes.value),
          intensity ? raw(intensity->value) : missing_cell()};
}

std::vector<Cell> verdict_cells(const std::optional<Verdict>& verdict) {
  if (!verdict) return {missing_cell(), missing_cell(), missing_cell()};
  return {raw(verdict->utilisation.memory), raw(verdict->utilisation.compute),
          text_cell(std::string(name_of(verdict->bound)))};
}

std::vector<Cell> spread_cells(const Spread& time, const std::vector<double>& samples) {
  const bool percentiles = time.kind == SpreadKind::kP5P95;
  const auto when = [](bool present, double value) { return present ? raw(value) : missing_cell(); };
  return {raw(time.median),
          when(percentiles, time.low),
          when(percentiles, time.high),
          raw(std::ranges::min(samples)),
          raw(std::ranges::max(samples)),
          count_cell(time.n, Origin::kMeasured)};
}

std::vector<Cell> step_row(const PointSummary& point, const std::vector<double>& samples) {
  std::vector<Cell> row = key_cells(point, "step");
  row.push_back(count_cell(1, Origin::kExact));
  append(row, spread_cells(point.time_s, samples));
  append(row, {raw(1.0), raw(point.tokens_per_s)});
  append(row, cost_cells(point.cost, point.intensity));
  append(row, verdict_cells(point.verdict));
  append(row, {text_cell(fmt::format("{}", fmt::join(samples, ";"))), count_cell(point.depth_tokens, Origin::kExact)});
  return row;
}

std::vector<Cell> op_row(const PointSummary& point, const OpSummary& op) {
  std::vector<Cell> row = key_cells(point, name_of(op.op));
  row.push_back(count_cell(op.n_calls, Origin::kExact));
  row.push_back(raw(op.time.value));
  for (int i = 0; i < 5; ++i) row.push_back(missing_cell());  // operations have no samples of their own
  append(row, {raw(op.share), missing_cell()});
  append(row, cost_cells(op.cost, op.intensity));
  append(row, verdict_cells(op.verdict));
  append(row, {missing_cell(), count_cell(point.depth_tokens, Origin::kExact)});
  return row;
}

}  // namespace

Table flat_table(const Run& run) {
  Table table;
  table.id = "run";
  table.title = "Points and operations";
  table.columns = flat_columns();
  for (const auto& measured : run.points) {
    const auto point = summarise(run, measured);
    if (!point) continue;
    table.rows.push_back(step_row(*point, measured.samples_s));
    for (const auto& op : point->ops) table.rows.push_back(op_row(*point, op));
  }
  return table;
}

}  // namespace dachlast::viewmodel
