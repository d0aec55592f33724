#include "core/viewmodel/speed_curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/figure/axes.h"
#include "core/figure/labels.h"
#include "core/roofline/point_summary.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kCurveFont = 11.5;
constexpr double kPanelLeft = 52.0;
constexpr double kPanelRight = 16.0;
constexpr double kPanelTop = 34.0;
constexpr double kPanelBottom = 46.0;
constexpr double kLeastPanel = 200.0;  // narrower ones stand below each other
constexpr double kTickText = 58.0;     // "131,072" and a gap
constexpr double kCurveMargin = 1.15;  // beyond the outermost samples
constexpr double kLeastKnee = 0.1;

/// One panel: a figure of a sample and how it reads.
struct PanelKind {
  const char* title;
  Measure measure;
  AmountUnit amount;
  double SpeedSample::*value;
};
constexpr PanelKind kPanels[] = {
    {"TTFT", Measure::kTime, AmountUnit::kSeconds, &SpeedSample::ttft_s},
    {"TPOT", Measure::kTime, AmountUnit::kSeconds, &SpeedSample::tpot_s},
    {"Output", Measure::kTokenRate, AmountUnit::kTokensPerSecond, &SpeedSample::output_tokens_s}};
constexpr int kPanelCount = 3;

std::vector<SpeedSample> known(const std::vector<SpeedSample>& samples, double SpeedSample::*value) {
  std::vector<SpeedSample> found;
  std::ranges::copy_if(samples, std::back_inserter(found), [&](const SpeedSample& s) { return s.*value > 0.0; });
  return found;
}

std::string size_text(CurveOver over, int size) {
  return over == CurveOver::kBatch ? fmt::format("batch {}", format_count(size)) : counted(size, "token", "tokens");
}

class CurvesDrawing {
 public:
  CurvesDrawing(const SpeedCurves& curves, Size size, std::string id)
      : curves_(curves), size_(size), beside_(size.width >= kPanelCount * kLeastPanel) {
    figure_.id = std::move(id);
    figure_.size = size;
    figure_.title = curves.title;
    figure_.description = description();
    for (const auto* samples : {&curves.predicted, &curves.measured})
      for (const SpeedSample& sample : *samples) {
        least_ = least_ == 0 ? sample.size : std::min(least_, sample.size);
        most_ = std::max(most_, sample.size);
      }
    knee_ = knee_of(knee_samples());
  }

  Figure draw() {
    if (least_ == most_) return without_curves();
    for (int i = 0; i < kPanelCount; ++i) panel(i);
    legend();
    return std::move(figure_);
  }

 private:
  const std::vector<SpeedSample>& knee_samples() const {
    return curves_.predicted.size() >= curves_.measured.size() ? curves_.predicted : curves_.measured;
  }

  std::string description() const {
    std::string text = curves_.subject.empty() ? curves_.title : curves_.subject;
    const std::vector<SpeedSample>& samples = knee_samples();
    if (samples.size() < 2) return text + ".";
    return text + fmt::format(": {} at {}, {} at {}.", format(Measure::kTokenRate, samples.front().output_tokens_s),
                              size_text(curves_.over, samples.front().size),
                              format(Measure::kTokenRate, samples.back().output_tokens_s),
                              size_text(curves_.over, samples.back().size));
  }

  Figure without_curves() {
    figure_.primitives.push_back(Text{.at = {size_.width / 2, size_.height / 2},
                                      .text = curves_.reason.empty() ? "Only one size is known." : curves_.reason,
                                      .role = Role::kMuted,
                                      .size = 12.0,
                                      .anchor = Anchor::kMiddle});
    return std::move(figure_);
  }

  Box frame_of(int panel) const {
    const double height = size_.height - kLegendRowHeight;
    const double cell_width = beside_ ? size_.width / kPanelCount : size_.width;
    const double cell_height = beside_ ? height : height / kPanelCount;
    const double x = beside_ ? panel * cell_width : 0.0;
    const double y = beside_ ? 0.0 : panel * cell_height;
    return {x + kPanelLeft, y + kPanelTop, std::max(cell_width - kPanelLeft - kPanelRight, 30.0),
            std::max(cell_height - kPanelTop - kPanelBottom, 30.0)};
  }

  void panel(int number) {
    const PanelKind& kind = kPanels[number];
    const Box frame = frame_of(number);
    const std::vector<SpeedSample> predicted = known(curves_.predicted, kind.value);
    const std::vector<SpeedSample> measured = known(curves_.measured, kind.value);
    if (predicted.empty() && measured.empty()) return;
    double least = HUGE_VAL;
    double most = 0.0;
    for (const auto* samples : {&predicted, &measured})
      for (const SpeedSample& sample : *samples) {
        least = std::min(least, sample.*kind.value);
        most = std::max(most, sample.*kind.value);
      }
    const Unit unit = unit_for(kind.measure, most);
    const Scale x = Scale::log({static_cast<double>(least_), static_cast<double>(most_)}, frame.x, frame.right());
    const Scale y =
        Scale::log({least / unit.base / kCurveMargin, most / unit.base * kCurveMargin}, frame.bottom(), frame.y);
    axes(frame, x, y, fmt::format("{}, {}", kind.title, unit.text));
    range(frame, x, measured);
    marks(frame, x);
    line(predicted, {x, y}, {kind, unit.base}, Dash::kDashed);
    line(measured, {x, y}, {kind, unit.base}, Dash::kSolid);
  }

  struct Scales {
    const Scale& x;
    const Scale& y;
  };
  struct Values {
    const PanelKind& kind;
    double unit = 1.0;
  };

  void axes(const Box& frame, const Scale& x, const Scale& y, std::string title) {
    const Scale nothing = Scale::linear({0.0, 1.0}, frame.x, frame.right());
    draw_axes(figure_.primitives, frame,
              {nothing, curves_.over == CurveOver::kBatch ? "Batch, sequences" : "Context, tokens",
               [](double) { return std::string(); }, 1},
              {y, std::move(title), [](double v) { return fmt::format("{:g}", v); }, 4});
    const int from = static_cast<int>(std::ceil(std::log2(least_) - 1e-9));
    const int to = static_cast<int>(std::floor(std::log2(most_) + 1e-9));
    const int every = std::max(1, static_cast<int>(std::ceil((to - from + 1) * kTickText / frame.width)));
    for (int power = from; power <= to; power += every) {
      const double at = x.position(std::exp2(power));
      figure_.primitives.push_back(Line{{at, frame.bottom()}, {at, frame.bottom() + 5}, {Role::kAxis, 1.0}});
      const std::string text = format_count(static_cast<std::int64_t>(1) << power);
      const double most = frame.right() + kPanelRight - text_width(text, 11.0) / 2;
      figure_.primitives.push_back(
          Text{{std::min(at, most), frame.bottom() + 18}, text, Role::kMuted, 11.0, Anchor::kMiddle});
    }
  }

  /// The measured range is shaded: left and right of it lines are predictions.
  void range(const Box& frame, const Scale& x, const std::vector<SpeedSample>& measured) {
    if (measured.size() < 2) return;
    const double left = x.position(measured.front().size);
    const double right = x.position(measured.back().size);
    figure_.primitives.push_back(Rect{{left, frame.y, right - left, frame.height}, Role::kSeries1, 0.07, Hatch::kNone});
  }

  void marks(const Box& frame, const Scale& x) {
    const auto upright = [&](int size, const Stroke& stroke, const std::string& text) {
      if (size < least_ || size > most_) return;
      const double at = x.position(size);
      figure_.primitives.push_back(Line{{at, frame.y}, {at, frame.bottom()}, stroke});
      const bool left = at > frame.x + frame.width / 2;
      figure_.primitives.push_back(Text{.at = {at + (left ? -5.0 : 5.0), frame.y + 11.0},
                                        .text = text,
                                        .role = Role::kText,
                                        .size = 11.0,
                                        .anchor = left ? Anchor::kEnd : Anchor::kStart,
                                        .halo = Halo::kSurface});
    };
    if (knee_) {
      const int size = knee_samples()[*knee_].size;
      upright(size, {Role::kLatency, 1.25, Dash::kDotted}, fmt::format("knee {}", format_count(size)));
    }
    if (curves_.current && (!knee_ || knee_samples()[*knee_].size != *curves_.current))
      upright(*curves_.current, {Role::kMuted, 1.0, Dash::kDotted}, {});
  }

  void line(const std::vector<SpeedSample>& samples, const Scales& scales, const Values& values, Dash dash) {
    const bool predicted = dash == Dash::kDashed;
    Polyline line{{}, {predicted ? Role::kMemory : Role::kSeries1, 1.75, dash}};
    for (const SpeedSample& sample : samples)
      line.points.push_back(
          {scales.x.position(sample.size), scales.y.position(sample.*values.kind.value / values.unit)});
    if (line.points.size() > 1) figure_.primitives.emplace_back(line);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const Point at = line.points[i];
      const double value = samples[i].*values.kind.value;
      figure_.primitives.push_back(Marker{at, samples[i].size == curves_.current ? 9.0 : 6.0, MarkerShape::kCircle,
                                          predicted ? MarkerFill::kHollow : MarkerFill::kFilled, line.stroke.role});
      figure_.primitives.push_back(HitBox{
          {at.x - 7.0, at.y - 7.0, 14.0, 14.0},
          fmt::format("{}|{}{}", values.kind.title, samples[i].size, predicted ? "" : "|measured"),
          fmt::format("{}\n{} {}{}\n{}", size_text(curves_.over, samples[i].size), values.kind.title,
                      predicted ? "≈" : "", format(values.kind.measure, value), predicted ? "estimated" : "measured"),
          Amount{value, values.kind.amount}});
    }
  }

  void legend() {
    std::vector<LegendEntry> entries;
    if (!curves_.measured.empty())
      entries.push_back({"measured", Role::kSeries1, MarkerShape::kCircle, MarkerFill::kFilled, 7.0});
    if (!curves_.predicted.empty())
      entries.push_back({curves_.measured.empty() ? "estimated" : "extrapolated", Role::kMemory, MarkerShape::kCircle,
                         MarkerFill::kHollow, 7.0});
    draw_legend(figure_.primitives,
                {kPanelLeft, size_.height - kLegendRowHeight - 2.0, size_.width - kPanelLeft, kLegendRowHeight},
                entries, {kCurveFont, size_.wording});
  }

  const SpeedCurves& curves_;
  Size size_;
  bool beside_;  // panels beside each other, else one below the other
  Figure figure_;
  int least_ = 0;
  int most_ = 0;
  std::optional<std::size_t> knee_;
};

/// Samples of one size each, from the measured points of both phases.
class MeasuredSamples {
 public:
  void add(int size, const PointSummary& point) {
    SpeedSample& sample = by_size_[size];
    sample.size = size;
    if (point.phase == Phase::kPrefill)
      sample.ttft_s = point.time_s.median;
    else {
      sample.tpot_s = point.time_s.median;
      sample.output_tokens_s = point.batch_size / point.time_s.median;
    }
  }
  std::vector<SpeedSample> list() const {
    std::vector<SpeedSample> samples;
    for (const auto& [size, sample] : by_size_) samples.push_back(sample);
    return samples;
  }

 private:
  std::map<int, SpeedSample> by_size_;
};

}  // namespace

std::optional<std::size_t> knee_of(const std::vector<SpeedSample>& samples) {
  constexpr std::size_t kFewest = 4;
  if (samples.size() < kFewest) return std::nullopt;
  const SpeedSample& first = samples.front();
  const SpeedSample& last = samples.back();
  const auto [low, high] = std::ranges::minmax(samples, {}, &SpeedSample::output_tokens_s);
  const double height = high.output_tokens_s - low.output_tokens_s;
  if (!(height > 0.0) || last.size <= first.size) return std::nullopt;
  std::size_t knee = 0;
  double most = kLeastKnee;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double along = static_cast<double>(samples[i].size - first.size) / (last.size - first.size);
    const double chord = first.output_tokens_s + along * (last.output_tokens_s - first.output_tokens_s);
    const double above = (samples[i].output_tokens_s - chord) / height;
    if (above <= most) continue;
    most = above;
    knee = i;
  }
  return knee == 0 ? std::nullopt : std::optional(knee);
}

figure::Figure speed_curves_figure(const SpeedCurves& curves, figure::Size size, std::string id) {
  return CurvesDrawing(curves, size, std::move(id)).draw();
}

Table speed_curves_table(const SpeedCurves& curves) {
  std::vector<std::int64_t> sizes;
  std::vector<std::string> origins;
  std::vector<std::optional<double>> ttft, tpot, rate;
  const auto add = [&](const std::vector<SpeedSample>& samples, const char* origin) {
    const auto positive = [](double value) { return value > 0.0 ? std::optional(value) : std::nullopt; };
    for (const SpeedSample& sample : samples) {
      sizes.push_back(sample.size);
      ttft.push_back(positive(sample.ttft_s));
      tpot.push_back(positive(sample.tpot_s));
      rate.push_back(positive(sample.output_tokens_s));
      origins.emplace_back(origin);
    }
  };
  add(curves.measured, "measured");
  add(curves.predicted, "estimated");
  const Origin origin = curves.predicted.empty() ? Origin::kMeasured : Origin::kEstimated;
  TableBuilder table(curves.over == CurveOver::kBatch ? "speed-over-batch" : "speed-over-context", curves.title);
  if (curves.over == CurveOver::kBatch)
    table.count({"batch", "Batch", "", ""}, sizes, Origin::kExact);
  else
    table.count({"context_tokens", "Context", "tokens", ""}, sizes, Origin::kExact);
  table.measure({"ttft_s", "TTFT", "", ""}, Measure::kTime, ttft, origin);
  table.measure({"tpot_s", "TPOT", "", ""}, Measure::kTime, tpot, origin);
  table.measure({"output_tokens_s", "Output", "", "Of all requests together."}, Measure::kTokenRate, rate, origin);
  table.text({"origin", "Origin", "", "", Align::kLeft}, origins);
  return table.build();
}

SpeedCurves measured_curves(const Run& run, CurveOver over) {
  SpeedCurves curves;
  curves.over = over;
  curves.title = over == CurveOver::kBatch ? "Speed over batch size" : "Speed over context length";
  std::vector<PointSummary> points = summaries_of(run);
  std::erase_if(points, [](const PointSummary& point) {
    return !(point.time_s.median > 0.0) || point.kv_policy == KvPolicy::kNone;
  });
  if (points.empty()) return curves;
  const bool by_batch = over == CurveOver::kBatch;
  int held = by_batch ? 0 : INT32_MAX;
  for (const PointSummary& point : points)
    held = by_batch ? std::max(held, point.context_tokens) : std::min(held, point.batch_size);
  MeasuredSamples samples;
  for (const PointSummary& point : points)
    if ((by_batch ? point.context_tokens : point.batch_size) == held)
      samples.add(by_batch ? point.batch_size : point.context_tokens, point);
  curves.measured = samples.list();
  if (curves.measured.size() < 2) curves.measured.clear();
  curves.subject =
      fmt::format("{} at {}", run.model.name,
                  by_batch ? counted(held, "token", "tokens") : fmt::format("batch {}", format_count(held)));
  return curves;
}

}  // namespace dachlast::viewmodel
