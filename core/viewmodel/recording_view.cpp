#include "core/viewmodel/recording_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"
#include "core/viewmodel/verdict_text.h"

namespace dachlast::viewmodel {
namespace {

double op_seconds(const TracedOpTimes& op) {
  return 1e-9 * static_cast<double>(op.calls.total_ns);
}

/// What the roofs of the listed peaks are called does not matter here: only the frame is made of them.
std::optional<RooflineFrame> frame_of(const DeviceSpec& device) {
  const auto bandwidth = device.main_memory().bandwidth;
  if (!bandwidth) return std::nullopt;
  const auto sample = [](double rate) { return RoofSample{.median = rate, .min = rate, .max = rate, .n = 1}; };
  DeviceRoofs roofs;
  roofs.bandwidths.push_back({MemoryLevel::kDram, AccessPattern::kRead, 1, 0.0, sample(bandwidth->value)});
  for (const ComputeType type : kAllComputeTypes)
    if (const auto peak = device.peak(type)) roofs.computes.push_back({DType::kF32, {}, 1, sample(peak->value)});
  if (roofs.computes.empty()) return std::nullopt;
  return roofline_frame(roofs);
}

RooflineRoof listed_roof(std::string_view name, Measure measure, double value) {
  return {.label = fmt::format("{} {} {}", name, format(measure, value), name_of(Origin::kDatasheet)),
          .value = value,
          .origin = Origin::kDatasheet,
          .other = 0.0};
}

/// Those under most of the time first; without operators the first that is listed.
std::vector<RooflineRoof> compute_roofs(const std::vector<TracedOpTimes>& ops, const DeviceSpec& device) {
  std::map<ComputeType, double> times;
  for (const TracedOpTimes& op : ops)
    if (device.peak(op.op.arithmetic)) times[op.op.arithmetic] += op_seconds(op);
  std::vector<std::pair<ComputeType, double>> types(times.begin(), times.end());
  std::ranges::stable_sort(types, [](const auto& a, const auto& b) { return a.second > b.second; });
  if (types.empty())
    for (const ComputeType type : {ComputeType::kBf16, ComputeType::kFp16, ComputeType::kFp32, ComputeType::kTf32})
      if (types.empty() && device.peak(type)) types.emplace_back(type, 0.0);
  std::vector<RooflineRoof> roofs;
  for (const auto& [type, seconds] : types)
    roofs.push_back(listed_roof(display_name_of(type), Measure::kWorkRate, device.peak(type)->value));
  return roofs;
}

std::string facts_of(const RooflinePoint& point, const TracedOp& op) {
  std::string text = fmt::format("{} {} · {}\n", point.number, point.label, point.where);
  text += fmt::format("{}, {}\n{}\n", format(Measure::kTime, point.summary.time.value),
                      counted(point.summary.n_calls, "call", "calls"), format(Measure::kIntensity, point.intensity));
  if (const auto& verdict = point.summary.verdict) {
    text += fmt::format("{}, {} of the {} roof\n", format(Measure::kWorkRate, point.flops_per_s),
                        format_percent(verdict->utilisation.compute), display_name_of(op.arithmetic));
    text += fmt::format("{}, {} of {} bandwidth\n", format(Measure::kTraffic, point.summary.cost.bytes().value),
                        format_percent(verdict->utilisation.memory), name_of(MemoryLevel::kDram));
    text += fmt::format("{}\n", display_name_of(verdict->bound));
  }
  return text + "measured time, counted work";
}

RooflinePoint point_of(const TracedOpTimes& op, int number, double all_s, const ProfileViewOptions& options) {
  const bool gemm = op.op.kind == TracedOpKind::kGemm;
  const auto n = static_cast<double>(op.calls.n);
  RooflinePoint point;
  point.number = number;
  point.label = op.name;
  point.where = op.op.shape;
  point.datum = fmt::format("{} {}", op.name, op.op.shape);
  point.phase.reset();
  point.op = gemm ? OpKind::kQkvProj : OpKind::kAttention;
  point.group = gemm ? "matrix products" : "attention";
  point.share = all_s > 0.0 ? op_seconds(op) / all_s : 0.0;
  point.intensity = op.op.cost.bytes().value > 0.0 ? (op.op.cost.flops / op.op.cost.bytes()).value : 0.0;
  point.flops_per_s = op_seconds(op) > 0.0 ? n * op.op.cost.flops.value / op_seconds(op) : 0.0;
  point.summary.op = point.op;
  point.summary.n_calls = static_cast<int>(op.calls.n);
  point.summary.time = Seconds{op_seconds(op)};
  point.summary.share = point.share;
  point.summary.cost = op.op.cost;
  point.summary.verdict = judge_traced_op(op, *options.device, options.threshold);
  point.facts = facts_of(point, op.op);
  return point;
}

/// In front of the table, the numbers that the chart shows.
void add_numbers(Table& table) {
  table.columns.insert(table.columns.begin(), {"number", "No.", "", "The number of the point in the chart."});
  std::int64_t number = 0;
  for (auto& row : table.rows) row.insert(row.begin(), count_cell(++number, Origin::kExact));
}

}  // namespace

RecordingView recording_view(GpuProfile profile, const ProfileViewOptions& options) {
  RecordingView view{.profile = std::move(profile), .options = options, .summary = {}, .kernels = {}};
  view.summary = profile_view(view.profile, options);
  view.kernels.table = view.summary.kernels;
  const std::size_t n = std::min(view.profile.kernels.size(), options.n_kernels);
  for (const KernelTimes& kernel : std::span(view.profile.kernels).first(n)) {
    view.kernels.datums.push_back("kernel " + kernel.name);
    view.kernels.times_s.push_back(1e-9 * static_cast<double>(kernel.times.total_ns));
  }
  return view;
}

std::optional<RecordingRoofline> recording_roofline(const GpuProfile& profile, const ProfileViewOptions& options,
                                                    double coverage) {
  const auto frame = options.device ? frame_of(*options.device) : std::nullopt;
  if (!frame) return std::nullopt;
  double all_s = 0.0;
  for (const TracedOpTimes& op : profile.ops) all_s += op_seconds(op);
  GpuProfile shown;
  double covered_s = 0.0;
  for (const TracedOpTimes& op : profile.ops) {
    if (covered_s >= coverage * all_s) break;
    covered_s += op_seconds(op);
    shown.ops.push_back(op);
  }
  RecordingRoofline made;
  RooflinePlot& plot = made.plot;
  plot.title = fmt::format("Roofline of {}", options.device->name);
  plot.x = frame->x;
  plot.y = frame->y;
  plot.threshold = options.threshold;
  plot.memory_roofs = {
      listed_roof(name_of(MemoryLevel::kDram), Measure::kBandwidth, options.device->main_memory().bandwidth->value)};
  plot.compute_roofs = compute_roofs(shown.ops, *options.device);
  if (plot.compute_roofs.empty()) return std::nullopt;
  for (const TracedOpTimes& op : shown.ops)
    plot.points.push_back(point_of(op, static_cast<int>(plot.points.size()) + 1, all_s, options));
  plot.n_left_out = static_cast<int>(profile.ops.size() - shown.ops.size());
  made.table = traced_ops_table(shown, options);
  add_numbers(made.table);
  if (plot.n_left_out > 0)
    made.table.notes.push_back(
        fmt::format("Shorter operators left out: {}. The slider brings them back.", format_count(plot.n_left_out)));
  return made;
}

std::string why_no_roofline(const GpuProfile& whole, const ProfileViewOptions& options) {
  if (whole.ops.empty())
    return "No operator of this recording carries shapes, so no work can be counted and there is no roofline. Record "
           "with "
           "PyTorch's profiler and record_shapes=True.";
  if (!recording_roofline(whole, options))
    return "The recording names no GPU whose roofs the catalog lists, so there is no roofline.";
  return {};
}

}  // namespace dachlast::viewmodel
