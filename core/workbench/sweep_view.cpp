#include <fmt/core.h>

#include <algorithm>

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
constexpr double kLeastForNumber = 28.0;

/// The grid on paper: contexts to the right, batch sizes upwards.
class Heatmap {
 public:
  explicit Heatmap(const ScenarioSweep& sweep)
      : sweep_(sweep),
        budget_(sweep.scenario.planner->budget_bytes()),
        cell_width_(std::min(kCellWidth, kMostWidth / static_cast<double>(sweep.contexts.size()))),
        cell_height_(std::min(kCellHeight, kMostHeight / static_cast<double>(sweep.batches.size()))) {}

  figure::Figure draw() {
    figure_.id = "memory-heatmap";
    figure_.size = {.width = right() + kRight, .height = bottom() + kBottom};
    figure_.title = "Share of the memory budget by context and batch";
    figure_.description = sweep_answer(sweep_);
    for (std::size_t b = 0; b < sweep_.batches.size(); ++b)
      for (std::size_t c = 0; c < sweep_.contexts.size(); ++c) cell(b, c);
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

  void cell(std::size_t batch, std::size_t context) {
    const double total = sweep_.at(batch, context).total();
    const bool fit = fits(batch, context);
    const figure::Box box{x_of(context), y_of(batch), cell_width_ - 1, cell_height_ - 1};
    figure_.primitives.push_back(figure::Rect{.box = box,
                                              .role = fit ? Role::kMemory : Role::kLatency,
                                              .opacity = fit ? 0.08 + 0.5 * std::min(1.0, total / budget_) : 0.25,
                                              .hatch = fit ? figure::Hatch::kNone : figure::Hatch::kForward});
    const std::string words = fit ? viewmodel::format_percent(total / budget_)
                                  : "−" + viewmodel::format(Measure::kCapacity, total - budget_, Rounding::kUp);
    if (cell_width_ >= kLeastForNumber && cell_height_ >= kLeastForNumber)
      text(box.x + box.width / 2, box.y + box.height / 2 + kFont / 3, words, Anchor::kMiddle);
    figure_.primitives.push_back(figure::HitBox{
        .box = box,
        .datum = fmt::format("{}x{}", sweep_.contexts[context], sweep_.batches[batch]),
        .tooltip = fmt::format(
            "{}, batch {}\n{} of {}\n{}", viewmodel::counted(sweep_.contexts[context], "token", "tokens"),
            sweep_.batches[batch], viewmodel::format(Measure::kCapacity, total, Rounding::kUp),
            viewmodel::format(Measure::kCapacity, budget_, Rounding::kDown), fit ? "fits" : "does not fit")});
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
    for (std::size_t c = 0; c < sweep_.contexts.size(); ++c)
      text(x_of(c) + cell_width_ / 2, bottom() + 18, viewmodel::format_count(sweep_.contexts[c]), Anchor::kMiddle);
    for (std::size_t b = 0; b < sweep_.batches.size(); ++b)
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
  double budget_;
  double cell_width_;
  double cell_height_;
  figure::Figure figure_;
};

}  // namespace

viewmodel::Table sweep_table(const ScenarioSweep& sweep) {
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
  return table.build();
}

figure::Figure sweep_figure(const ScenarioSweep& sweep) {
  return Heatmap(sweep).draw();
}

std::string sweep_answer(const ScenarioSweep& sweep) {
  if (!sweep.scenario.has_device) return "Name a device (--gpu) to see what fits.";
  const double budget = sweep.scenario.planner->budget_bytes();
  const auto n = static_cast<std::size_t>(
      std::ranges::count_if(sweep.cells, [&](const DeviceMemory& memory) { return memory.total() <= budget; }));
  if (n == 0)
    return fmt::format("NONE of {} combinations fits in {}.", sweep.cells.size(),
                       viewmodel::format(Measure::kCapacity, budget, Rounding::kDown));
  return fmt::format("{} of {} combinations {} in {} a device.", n, sweep.cells.size(), n == 1 ? "fits" : "fit",
                     viewmodel::format(Measure::kCapacity, budget, Rounding::kDown));
}

}  // namespace dachlast
