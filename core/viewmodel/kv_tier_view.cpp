// Caches behind a second tier: what passed between the tiers, and offload against recompute.
#include <fmt/format.h>

#include <algorithm>

#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

using Values = std::vector<std::optional<double>>;

struct TrafficRow {
  std::string name;
  KvTrafficPerStep traffic;
  std::optional<double> step_s;
};

std::vector<TrafficRow> traffic_rows(const Run& run) {
  std::vector<TrafficRow> rows;
  for (const MeasuredPoint& point : run.points) {
    if (!point.kv_traffic) continue;
    const auto summary = summarise(run, point);
    if (summary) rows.push_back({point_heading(*summary), *point.kv_traffic, summary->time_s.median});
  }
  if (run.serving && run.serving->kv_traffic) {
    const Serving& serving = *run.serving;
    rows.push_back({"Served requests", *serving.kv_traffic,
                    serving.n_steps > 0 ? std::optional(serving.seconds / serving.n_steps) : std::nullopt});
  }
  return rows;
}

template <class Get>
Values values_of(const std::vector<TrafficRow>& rows, Get get) {
  Values values;
  for (const TrafficRow& row : rows) values.push_back(get(row));
  return values;
}

std::optional<double> rate(double amount, double seconds) {
  if (amount <= 0.0 || seconds <= 0.0) return std::nullopt;
  return amount / seconds;
}

std::optional<double> waited_share(const TrafficRow& row) {
  if (!row.step_s || *row.step_s <= 0.0) return std::nullopt;
  return row.traffic.per_step(row.traffic.total.waited_s) / *row.step_s;
}

template <class Get>
Values values_of(const KvBreakEven& comparison, Get get) {
  Values values;
  for (const KvBreakEvenPoint& point : comparison.points) values.push_back(get(point));
  return values;
}

std::string_view faster(double fetch_s, double recompute_s) {
  return fetch_s < recompute_s ? "fetching" : "recomputing";
}

std::vector<std::string> verdicts(const KvBreakEven& comparison) {
  std::vector<std::string> texts;
  for (const KvBreakEvenPoint& point : comparison.points) {
    const std::string_view predicted = faster(point.fetch_predicted_s, point.recompute_predicted_s);
    const std::string_view measured = faster(point.fetch_s, point.recompute_s);
    texts.push_back(predicted == measured ? fmt::format("{}, as predicted", measured)
                                          : fmt::format("{}, against the prediction", measured));
  }
  return texts;
}

std::string decision(const KvBreakEven& comparison) {
  if (!comparison.fetch_faster_at)
    return fmt::format("Predicted for any text up to {}: recomputing is faster than fetching.",
                       counted(comparison.rate_tokens, "token", "tokens"));
  return fmt::format("Predicted: fetching is faster than recomputing from {} on.",
                     counted(*comparison.fetch_faster_at, "token", "tokens"));
}

}  // namespace

std::optional<Table> kv_traffic_table(const Run& run) {
  const std::vector<TrafficRow> rows = traffic_rows(run);
  if (rows.empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const TrafficRow& row : rows) names.push_back(row.name);
  const auto per_step = [&](double KvTraffic::*amount) {
    return values_of(rows, [&](const TrafficRow& row) -> std::optional<double> {
      return row.traffic.per_step(row.traffic.total.*amount);
    });
  };
  TableBuilder table("kv-tier", "KV cache between its tiers, per step");
  table.text({"point", "Point", "", "", Align::kLeft}, names);
  table.measure({"read_bytes", "Fetched", "", "From the tier."}, Measure::kTraffic, per_step(&KvTraffic::read_bytes),
                Origin::kMeasured);
  table.measure({"written_bytes", "Written", "", "To the tier."}, Measure::kTraffic,
                per_step(&KvTraffic::written_bytes), Origin::kMeasured);
  table.measure({"waited_s", "Waited", "", "Time that layers waited for their chunks."}, Measure::kTime,
                per_step(&KvTraffic::waited_s), Origin::kMeasured);
  table.percent({"waited_share", "Of the step", "%", "", Align::kRight, 1}, values_of(rows, waited_share),
                Origin::kMeasured);
  table.measure(
      {"read_bytes_per_s", "Fetching at", "", "While the I/O thread fetched.", Align::kRight, 2}, Measure::kBandwidth,
      values_of(rows,
                [](const TrafficRow& row) { return rate(row.traffic.total.read_bytes, row.traffic.total.read_s); }),
      Origin::kMeasured);
  const auto recomputes = [](const TrafficRow& row) { return row.traffic.total.n_recomputed_tokens > 0; };
  if (std::ranges::any_of(rows, recomputes))
    table.measure({"recomputed_tokens", "Recomputed", "tokens", "Tokens computed anew.", Align::kRight, 1},
                  Measure::kCount,
                  values_of(rows,
                            [](const TrafficRow& row) -> std::optional<double> {
                              return row.traffic.per_step(static_cast<double>(row.traffic.total.n_recomputed_tokens));
                            }),
                  Origin::kMeasured);
  return table.build();
}

Table break_even_table(const KvBreakEven& comparison) {
  std::vector<std::int64_t> contexts;
  std::vector<double> times_s;
  for (const KvBreakEvenPoint& p : comparison.points) {
    contexts.push_back(p.context_tokens);
    times_s.insert(times_s.end(), {p.kept_s, p.fetch_predicted_s, p.fetch_s, p.recompute_predicted_s, p.recompute_s});
  }
  const Unit unit = times_s.empty() ? unit_for(Measure::kTime, 0.0) : unit_for_all(Measure::kTime, times_s);
  const auto column = [&](double KvBreakEvenPoint::*time_s) {
    return values_of(comparison, [&](const KvBreakEvenPoint& p) -> std::optional<double> { return p.*time_s; });
  };
  TableBuilder table("kv-break-even", "Decode step: earlier K and V fetched or recomputed");
  table.count({"context_tokens", "Text", "tokens", ""}, contexts, Origin::kExact);
  table.in_unit_of({"kept_s", "Kept", "", "With all K and V at hand.", Align::kRight, 2}, unit,
                   column(&KvBreakEvenPoint::kept_s), Origin::kMeasured);
  table.in_unit_of({"fetch_predicted_s", "Fetched, predicted", "", ""}, unit,
                   column(&KvBreakEvenPoint::fetch_predicted_s), Origin::kEstimated);
  table.in_unit_of({"fetch_s", "measured", "", ""}, unit, column(&KvBreakEvenPoint::fetch_s), Origin::kMeasured);
  table.in_unit_of({"recompute_predicted_s", "Recomputed, predicted", "", ""}, unit,
                   column(&KvBreakEvenPoint::recompute_predicted_s), Origin::kEstimated);
  table.in_unit_of({"recompute_s", "measured", "", ""}, unit, column(&KvBreakEvenPoint::recompute_s),
                   Origin::kMeasured);
  table.text({"faster", "Faster", "", "", Align::kLeft, 1}, verdicts(comparison));
  table.note(
      "Predicted: a step that fetches takes the longer of computing and fetching, and fetching once more for its first "
      "layer; one that recomputes takes its own time and that of the recomputed tokens' FLOP.");
  return table.build();
}

std::string break_even_sentence(const KvBreakEven& c) {
  std::string text = fmt::format("{} The tier is {}.", decision(c), c.tier_text);
  text += fmt::format(
      " Transfer: {} a layer and {} a chunk of the {} tier. Recompute: {} a token and {} for each token before it, at "
      "{} "
      "({} of what the roofs allow a prefill of {}). Chunk: {}, {} a layer.",
      format_time(Seconds{c.per_layer_s}), format_time(Seconds{c.per_chunk_s}), c.tier,
      format(Measure::kWork, c.flops_per_token), format(Measure::kWork, c.flops_per_pair),
      format(Measure::kWorkRate, c.flops_per_s), format_percent(c.roof_share),
      counted(c.rate_tokens, "token", "tokens"), counted(c.chunk_tokens, "token", "tokens"),
      format(Measure::kCapacity, c.chunk_bytes));
  if (c.break_even_bytes_per_s)
    text +=
        fmt::format(" For texts of {} a tier of {} would take as long as recomputing.",
                    counted(c.rate_tokens, "token", "tokens"), format(Measure::kBandwidth, *c.break_even_bytes_per_s));
  return text;
}

}  // namespace dachlast::viewmodel
