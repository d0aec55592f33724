#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/figure/labels.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"
#include "core/workbench/scenario_view.h"

namespace dachlast {
namespace {

using figure::Anchor;
using figure::Role;
using viewmodel::Measure;
using viewmodel::Rounding;

constexpr double kLeft = 74.0;  // room for batch sizes and their title
constexpr double kTop = 16.0;
constexpr double kBottom = 58.0;  // contexts and their title
constexpr double kRight = 16.0;
constexpr double kFont = 12.0;
constexpr double kCellWidth = 74.0;
constexpr double kCellHeight = 30.0;  // a number fits
constexpr double kMostWidth = 1200.0;
constexpr double kMostHeight = 900.0;
constexpr double kLeastGapped = 12.0;   // smaller cells touch: gaps would outweigh them
constexpr double kContextLabel = 62.0;  // "131,072" and a gap
constexpr double kBatchLabel = 18.0;

bool is_power_of_two(int value) {
  return std::has_single_bit(static_cast<unsigned>(value));
}

/// Places of the values that get a label, at least `apart` cells from each other: all of them where there is room, else the powers
/// of two, which people know by heart.
std::vector<std::size_t> labelled(const std::vector<int>& values, double apart) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (apart > 1.0 && !is_power_of_two(values[i])) continue;
    if (!places.empty() && static_cast<double>(i - places.back()) < apart) continue;
    places.push_back(i);
  }
  return places;
}

/// Predicted speeds of a map's cells; none where the map is of memory.
class CellSpeeds {
 public:
  CellSpeeds() = default;
  CellSpeeds(const SweepSpeeds& speeds, HeatmapValue value) : speeds_(&speeds), value_(value) {
    for (std::size_t place = 0; place < speeds.cells.size(); ++place)
      if (const std::optional<double> one = of(place); one && *one > 0.0) {
        least_ = std::min(least_, *one);
        most_ = std::max(most_, *one);
      }
  }

  bool shown() const { return value_ != HeatmapValue::kMemory; }
  std::string title() const {
    if (value_ == HeatmapValue::kTpot) return "TPOT by context and batch";
    if (value_ == HeatmapValue::kThroughput) return "Throughput by context and batch";
    return "Share of the memory budget by context and batch";
  }

  /// From 0 for the least to 1 for the most, by logarithm: speeds span decades.
  double strength(std::size_t place) const {
    const std::optional<double> value = of(place);
    if (!value || !(most_ > least_)) return 0.0;
    return std::log(*value / least_) / std::log(most_ / least_);
  }
  std::string words(std::size_t place) const {
    const std::optional<double> value = of(place);
    return value ? viewmodel::format(measure(), *value) : std::string(viewmodel::kMissing);
  }
  std::string facts(std::size_t place) const {
    const std::optional<ServedSpeed> speed = at(place);
    if (!speed) return {};
    std::string text = fmt::format("\nTTFT ≈{}", viewmodel::format(Measure::kTime, speed->ttft_s.value));
    if (speed->tpot_s) text += fmt::format(", TPOT ≈{}", viewmodel::format(Measure::kTime, speed->tpot_s->value));
    return text + fmt::format("\n≈{} in all", viewmodel::format(Measure::kTokenRate, speed->output_tokens_s.value));
  }

 private:
  std::optional<ServedSpeed> at(std::size_t place) const {
    return speeds_ != nullptr && place < speeds_->cells.size() ? speeds_->cells[place] : std::nullopt;
  }
  Measure measure() const { return value_ == HeatmapValue::kTpot ? Measure::kTime : Measure::kTokenRate; }
  std::optional<double> of(std::size_t place) const {
    const std::optional<ServedSpeed> speed = at(place);
    if (!speed) return std::nullopt;
    if (value_ == HeatmapValue::kThroughput) return speed->output_tokens_s.value;
    return speed->tpot_s ? std::optional(speed->tpot_s->value) : std::nullopt;
  }

  const SweepSpeeds* speeds_ = nullptr;
  HeatmapValue value_ = HeatmapValue::kMemory;
  double least_ = HUGE_VAL;
  double most_ = 0.0;
};

/// The grid on paper: contexts to the right, batch sizes upwards.
class Heatmap {
 public:
  Heatmap(const ScenarioSweep& sweep, double cell_width, double cell_height, const CellSpeeds& speeds = {})
      : sweep_(sweep),
        speeds_(speeds),
        budget_(sweep.scenario.planner->budget_bytes()),
        cell_width_(cell_width),
        cell_height_(cell_height) {}

  figure::Figure draw() {
    figure_.id = "memory-heatmap";
    figure_.size = {.width = right() + kRight, .height = bottom() + kBottom};
    figure_.title = speeds_.title();
    figure_.description = sweep_answer(sweep_);
    for (std::size_t b = 0; b < sweep_.batches.size(); ++b)
      for (std::size_t c = 0; c < sweep_.contexts.size(); ++c) cell(b, c);
    hatch_rows();
    frontier();
    labels();
    return std::move(figure_);
  }

 private:
  double x_of(std::size_t context) const { return kLeft + cell_width_ * static_cast<double>(context); }
  double y_of(std::size_t batch) const {
    return kTop + cell_height_ * static_cast<double>(sweep_.batches.size() - 1 - batch);
  }
  double right() const { return x_of(sweep_.contexts.size()); }
  double bottom() const { return kTop + cell_height_ * static_cast<double>(sweep_.batches.size()); }
  bool fits(std::size_t batch, std::size_t context) const { return sweep_.at(batch, context).total() <= budget_; }

  void text(double x, double y, std::string words, Anchor anchor, Role role = Role::kText) {
    figure_.primitives.push_back(
        figure::Text{.at = {x, y}, .text = std::move(words), .role = role, .size = kFont, .anchor = anchor});
  }

  bool fine() const { return std::min(cell_width_, cell_height_) < kLeastGapped; }

  void cell(std::size_t batch, std::size_t context) {
    const double total = sweep_.at(batch, context).total();
    const bool fit = fits(batch, context);
    const std::size_t place = batch * sweep_.contexts.size() + context;
    const double gap = fine() ? 0.0 : 1.0;
    const figure::Box box{x_of(context), y_of(batch), cell_width_ - gap, cell_height_ - gap};
    figure_.primitives.push_back(figure::Rect{.box = box,
                                              .role = fit ? Role::kMemory : Role::kLatency,
                                              .opacity = fit ? 0.08 + 0.5 * strength(place, total) : 0.25,
                                              .hatch = fit || fine() ? figure::Hatch::kNone : figure::Hatch::kForward});
    number(box,
           fit ? words(place, total) : "−" + viewmodel::format(Measure::kCapacity, total - budget_, Rounding::kUp));
    figure_.primitives.push_back(figure::HitBox{
        .box = box,
        .datum = fmt::format("{}x{}", sweep_.contexts[context], sweep_.batches[batch]),
        .tooltip =
            fmt::format("{}, batch {}\n{} of {}\n{}{}", viewmodel::counted(sweep_.contexts[context], "token", "tokens"),
                        sweep_.batches[batch], viewmodel::format(Measure::kCapacity, total, Rounding::kUp),
                        viewmodel::format(Measure::kCapacity, budget_, Rounding::kDown), fit ? "fits" : "does not fit",
                        speeds_.facts(place)),
        .amount = figure::Amount{total, figure::AmountUnit::kBytes}});
  }

  double strength(std::size_t place, double total) const {
    return speeds_.shown() ? speeds_.strength(place) : std::min(1.0, total / budget_);
  }
  std::string words(std::size_t place, double total) const {
    return speeds_.shown() ? speeds_.words(place) : viewmodel::format_percent(total / budget_);
  }

  void number(const figure::Box& box, const std::string& words) {
    if (box.height < kBatchLabel || figure::text_width(words, kFont) > box.width) return;
    text(box.x + box.width / 2, box.y + box.height / 2 + kFont / 3, words, Anchor::kMiddle);
  }

  /// Cells too small for a hatch of their own share one a row.
  void hatch_rows() {
    for (std::size_t b = 0; fine() && b < sweep_.batches.size(); ++b) {
      std::size_t first = 0;
      while (first < sweep_.contexts.size() && fits(b, first)) ++first;
      if (first == sweep_.contexts.size()) continue;
      figure_.primitives.push_back(figure::Rect{.box = {x_of(first), y_of(b), right() - x_of(first), cell_height_},
                                                .role = Role::kLatency,
                                                .opacity = 0.0,
                                                .hatch = figure::Hatch::kForward});
    }
  }

  /// A bold edge wherever a cell that fits meets one that does not.
  void frontier() {
    const figure::Stroke bold{.role = Role::kAxis, .width = 2.5};
    for (std::size_t b = 0; b < sweep_.batches.size(); ++b)
      for (std::size_t c = 0; c < sweep_.contexts.size(); ++c) {
        if (!fits(b, c)) continue;
        const double x = x_of(c + 1) - 0.5;
        const double y = y_of(b) - 0.5;
        if (c + 1 < sweep_.contexts.size() && !fits(b, c + 1))
          figure_.primitives.push_back(figure::Line{{x, y}, {x, y + cell_height_}, bold});
        if (b + 1 < sweep_.batches.size() && !fits(b + 1, c))
          figure_.primitives.push_back(figure::Line{{x - cell_width_, y}, {x, y}, bold});
      }
  }

  void labels() {
    for (const std::size_t c : labelled(sweep_.contexts, kContextLabel / cell_width_)) {
      const std::string words = viewmodel::format_count(sweep_.contexts[c]);
      const double most = right() + kRight - figure::text_width(words, kFont) / 2;
      text(std::min(x_of(c) + cell_width_ / 2, most), bottom() + 18, words, Anchor::kMiddle);
    }
    for (const std::size_t b : labelled(sweep_.batches, kBatchLabel / cell_height_))
      text(kLeft - 8, y_of(b) + cell_height_ / 2 + kFont / 3, viewmodel::format_count(sweep_.batches[b]), Anchor::kEnd);
    text((kLeft + right()) / 2, bottom() + 42, "Context, tokens", Anchor::kMiddle, Role::kMuted);
    figure_.primitives.push_back(figure::Text{.at = {18, (kTop + bottom()) / 2},
                                              .text = "Batch, sequences",
                                              .role = Role::kMuted,
                                              .size = kFont,
                                              .anchor = Anchor::kMiddle,
                                              .rotation_deg = -90});
  }

  const ScenarioSweep& sweep_;
  CellSpeeds speeds_;
  double budget_;
  double cell_width_;
  double cell_height_;
  figure::Figure figure_;
};

}  // namespace

namespace {

void add_cell_speeds(viewmodel::TableBuilder& table, const SweepSpeeds& speeds) {
  if (std::ranges::none_of(speeds.cells, [](const auto& cell) { return cell.has_value(); })) return;
  std::vector<std::optional<double>> ttft, tpot, rate;
  for (const std::optional<ServedSpeed>& cell : speeds.cells) {
    ttft.push_back(cell ? std::optional(cell->ttft_s.value) : std::nullopt);
    tpot.push_back(cell && cell->tpot_s ? std::optional(cell->tpot_s->value) : std::nullopt);
    rate.push_back(cell ? std::optional(cell->output_tokens_s.value) : std::nullopt);
  }
  table.measure({"ttft_s", "TTFT", "", "", viewmodel::Align::kRight, 2}, Measure::kTime, ttft, Origin::kEstimated);
  table.measure({"tpot_s", "TPOT", "", "", viewmodel::Align::kRight, 1}, Measure::kTime, tpot, Origin::kEstimated);
  table.measure({"output_tokens_s", "Output", "", "Of all requests together.", viewmodel::Align::kRight, 3},
                Measure::kTokenRate, rate, Origin::kEstimated);
}

}  // namespace

viewmodel::Table sweep_table(const ScenarioSweep& sweep, const SweepSpeeds& speeds) {
  std::vector<std::int64_t> contexts, batches;
  std::vector<std::optional<double>> kv, totals, shares;
  std::vector<std::string> fits;
  const double budget = sweep.scenario.planner->budget_bytes();
  for (std::size_t b = 0; b < sweep.batches.size(); ++b)
    for (std::size_t c = 0; c < sweep.contexts.size(); ++c) {
      const DeviceMemory& memory = sweep.at(b, c);
      contexts.push_back(sweep.contexts[c]);
      batches.push_back(sweep.batches[b]);
      kv.emplace_back(memory.kv_cache);
      totals.emplace_back(memory.total());
      shares.push_back(sweep.scenario.has_device ? std::optional(memory.total() / budget) : std::nullopt);
      fits.emplace_back(!sweep.scenario.has_device ? "–" : memory.total() <= budget ? "fits" : "does not fit");
    }
  viewmodel::TableBuilder table("sweep", "Memory by context and batch");
  table.count({"context_tokens", "Context", "tokens", ""}, contexts, Origin::kExact);
  table.count({"batch", "Batch", "", ""}, batches, Origin::kExact);
  table.measure({"kv_cache_bytes", "KV cache", "", ""}, Measure::kCapacity, kv, Origin::kExact);
  table.measure({"total_bytes", "Needs", "", "Of the fullest device."}, Measure::kCapacity, totals, Origin::kEstimated);
  table.percent({"budget_share", "Of budget", "", ""}, shares, Origin::kEstimated);
  table.text({"fits", "Fits", "", "", viewmodel::Align::kLeft}, fits);
  add_cell_speeds(table, speeds);
  return table.build();
}

figure::Figure sweep_figure(const ScenarioSweep& sweep) {
  return Heatmap(sweep, std::min(kCellWidth, kMostWidth / static_cast<double>(sweep.contexts.size())),
                 std::min(kCellHeight, kMostHeight / static_cast<double>(sweep.batches.size())))
      .draw();
}

figure::Figure sweep_figure(const ScenarioSweep& sweep, figure::Size size) {
  return Heatmap(sweep, std::max(size.width - kLeft - kRight, 1.0) / static_cast<double>(sweep.contexts.size()),
                 std::max(size.height - kTop - kBottom, 1.0) / static_cast<double>(sweep.batches.size()))
      .draw();
}

figure::Figure sweep_figure(const ScenarioSweep& sweep, const SweepSpeeds& speeds, HeatmapValue value,
                            figure::Size size) {
  figure::Figure map =
      Heatmap(sweep, std::max(size.width - kLeft - kRight, 1.0) / static_cast<double>(sweep.contexts.size()),
              std::max(size.height - kTop - kBottom, 1.0) / static_cast<double>(sweep.batches.size()),
              CellSpeeds(speeds, value))
          .draw();
  if (value != HeatmapValue::kMemory && !speeds.reason.empty())
    map.primitives.push_back(figure::Text{.at = {kLeft, kTop - 4.0},
                                          .text = fmt::format("Speed is not predicted: {}.", speeds.reason),
                                          .role = Role::kMuted,
                                          .size = kFont});
  return map;
}

std::string sweep_answer(const ScenarioSweep& sweep) {
  if (!sweep.scenario.has_device) return "Name a device (--gpu) to see what fits.";
  const double budget = sweep.scenario.planner->budget_bytes();
  const auto n =
      std::ranges::count_if(sweep.cells, [&](const DeviceMemory& memory) { return memory.total() <= budget; });
  const std::string n_cells = viewmodel::format_count(static_cast<std::int64_t>(sweep.cells.size()));
  if (n == 0)
    return fmt::format("NONE of {} combinations fits in {}.", n_cells,
                       viewmodel::format(Measure::kCapacity, budget, Rounding::kDown));
  return fmt::format("{} of {} combinations {} in {} a device.", viewmodel::format_count(n), n_cells,
                     n == 1 ? "fits" : "fit", viewmodel::format(Measure::kCapacity, budget, Rounding::kDown));
}

}  // namespace dachlast
