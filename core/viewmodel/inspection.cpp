#include "core/viewmodel/inspection.h"

#include <fmt/format.h>

#include <vector>

#include "core/viewmodel/format.h"
#include "core/viewmodel/op_filter.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"
#include "core/viewmodel/verdict_text.h"

namespace dachlast::viewmodel {
namespace {

/// Rows of a figure, its value and where it comes from.
class FigureList {
 public:
  void add(std::string name, std::string value, std::string how) {
    names_.push_back(std::move(name));
    values_.push_back(std::move(value));
    hows_.push_back(std::move(how));
  }

  Table build() const {
    TableBuilder table("inspection", "Selected operation");
    table.text({"figure", "Figure", "", "", Align::kLeft}, names_);
    table.text({"value", "Value", "", ""}, values_);
    table.text({"how", "How", "", "Formula with its numbers, or where the figure was read.", Align::kLeft}, hows_);
    return table.build();
  }

 private:
  std::vector<std::string> names_;
  std::vector<std::string> values_;
  std::vector<std::string> hows_;
};

void add_time(FigureList& list, const PointSummary& point, const OpSummary& op) {
  list.add("Time a step", format_time(op.time), "measured, median over steps of the sum over calls");
  list.add("Share", format_percent(op.share),
           fmt::format("{} of {}", format_time(op.time), format_time(Seconds{point.time_s.median})));
  list.add("Calls", format_count(op.n_calls), "exact, per step");
  if (op.n_calls > 0)
    list.add("Time a call", format_time(Seconds{op.time.value / op.n_calls}),
             fmt::format("{} / {}", format_time(op.time), format_count(op.n_calls)));
}

void add_traffic(FigureList& list, const OpCost& cost) {
  const auto row = [&](const char* name, Bytes bytes) {
    if (bytes.value > 0.0) list.add(name, format(Measure::kTraffic, bytes.value), "exact, counted from the shapes");
  };
  list.add("Work", format(Measure::kWork, cost.flops.value), "exact, counted from the shapes");
  row("Weights read", cost.weight_bytes);
  row("Activations moved", cost.activation_bytes);
  row("KV cache read", cost.kv_read_bytes);
  row("KV cache written", cost.kv_write_bytes);
}

void add_roofs(FigureList& list, const OpSummary& op) {
  const double flops_per_s = op.cost.flops.value / op.time.value;
  const double bytes_per_s = op.cost.bytes().value / op.time.value;
  if (op.intensity)
    list.add("Arithmetic intensity", format(Measure::kIntensity, op.intensity->value),
             fmt::format("{} / {}", format(Measure::kWork, op.cost.flops.value),
                         format(Measure::kTraffic, op.cost.bytes().value)));
  list.add("Achieved work", format(Measure::kWorkRate, flops_per_s),
           fmt::format("{} / {}", format(Measure::kWork, op.cost.flops.value), format_time(op.time)));
  list.add("Achieved traffic", format(Measure::kBandwidth, bytes_per_s),
           fmt::format("{} / {}", format(Measure::kTraffic, op.cost.bytes().value), format_time(op.time)));
  if (!op.verdict) return;
  const Verdict& verdict = *op.verdict;
  list.add(fmt::format("Of the {} roof", display_name_of(verdict.load.dtype)),
           format_percent(verdict.utilisation.compute),
           fmt::format("{} at the roof / {}", format_time(verdict.load.compute_time), format_time(op.time)));
  list.add(fmt::format("Of {} bandwidth", name_of(verdict.load.level)), format_percent(verdict.utilisation.memory),
           fmt::format("{} at the roof / {}", format_time(verdict.load.memory_time), format_time(op.time)));
  if (verdict.speedup_at_roof > 1.0)
    list.add("Up to", format_factor(verdict.speedup_at_roof),
             fmt::format("{} / {} at the roofs", format_time(op.time), format_time(verdict.load.least_time)));
  if (!verdict.roof_remark.empty()) list.add("Roof", "", verdict.roof_remark);
}

std::string verdict_of(const OpSummary& op) {
  if (!op.verdict) return {};
  const std::string reason = latency_reason_text(*op.verdict);
  std::string text = fmt::format("{}{} Threshold {}.", display_name_of(op.verdict->bound),
                                 reason.empty() ? "." : ": " + reason, format_percent(op.verdict->threshold));
  if (text.front() >= 'a' && text.front() <= 'z') text.front() += 'A' - 'a';
  if (op.verdict->above_roof) text += " More than 100 % of a roof: data type or byte count does not match it.";
  return text;
}

Inspection inspection_of(const PointSummary& point, const OpSummary& op) {
  FigureList list;
  add_time(list, point, op);
  add_traffic(list, op.cost);
  if (op.time.value > 0.0) add_roofs(list, op);
  return {.title = std::string(name_of(op.op)),
          .where = point_heading(point),
          .verdict = verdict_of(op),
          .figures = list.build()};
}

}  // namespace

std::optional<Inspection> inspect(const Run& run, std::string_view datum) {
  const std::vector<PointSummary> points = summaries_of(run);
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
    const PointSummary* point = representative(points, phase);
    if (point == nullptr) continue;
    for (const OpSummary& op : point->ops)
      if (op_datum(phase, op.op) == datum) return inspection_of(*point, op);
  }
  return std::nullopt;
}

}  // namespace dachlast::viewmodel
