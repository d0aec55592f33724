// Where the points of a roofline lay in the baseline.
#include "core/roofline/compare.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/roofline_plot.h"
#include "core/viewmodel/run_view.h"

namespace dachlast::viewmodel {
namespace {

const PointChange* change_of(const Comparison& comparison, const PointSummary& point) {
  const PointKey key{point.phase, point.context_tokens, point.depth_tokens, point.batch_size, point.kv_policy};
  for (const PointChange& change : comparison.points)
    if (change.key == key) return &change;
  return nullptr;
}

const OpMeasurement* op_of(const Run& run, const PointKey& key, OpKind op) {
  for (const MeasuredPoint& point : run.points) {
    if (key_of(point) != key) continue;
    for (const OpMeasurement& measured : point.ops)
      if (measured.op == op) return &measured;
  }
  return nullptr;
}

void add_ghost(RooflinePlot& plot, const RooflinePoint& point, const PointChange& change, const Run& base) {
  const OpMeasurement* before = op_of(base, change.key, point.op);
  if (before == nullptr || before->time.value <= 0.0 || before->cost.flops.value <= 0.0 ||
      before->cost.bytes().value <= 0.0)
    return;
  const bool moved = is_change(change.time.verdict);
  plot.ghosts.push_back({point.datum, (before->cost.flops / before->cost.bytes()).value,
                         (before->cost.flops / before->time).value,
                         moved ? format_change(point.summary.time.value / before->time.value - 1.0) : std::string()});
}

}  // namespace

void add_ghosts(RooflinePlot& plot, const Run& run, const Run& base) {
  const Comparison comparison = compare_runs(base, run);
  const auto points = summaries_of(run);
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
    const PointSummary* step = representative(points, phase);
    const PointChange* change = step != nullptr ? change_of(comparison, *step) : nullptr;
    if (change == nullptr) continue;
    for (const RooflinePoint& point : plot.points)
      if (point.phase == phase) add_ghost(plot, point, *change, base);
  }
}

}  // namespace dachlast::viewmodel
