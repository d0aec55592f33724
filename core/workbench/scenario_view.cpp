#include "core/workbench/scenario_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/memory/amount_text.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast {
namespace {

using viewmodel::Align;
using viewmodel::Measure;
using viewmodel::Rounding;
using viewmodel::TableBuilder;

std::string gibibytes(double bytes, Rounding rounding) {
  return viewmodel::format(Measure::kCapacity, bytes, rounding);
}

std::string tokens(int count) {
  return viewmodel::counted(count, "token", "tokens");
}

std::string device_title(const Scenario& scenario) {
  if (!scenario.has_device) return "no device";
  const PlanScenario& s = scenario.planner->scenario();
  const int n = s.layout.n_devices();
  return n == 1 ? s.device.name : fmt::format("{} × {} ({})", n, s.device.name, title_of(s.layout));
}

std::string limits_sentence(const ScenarioPlan& plan) {
  const int trained = plan.scenario.model().max_context;
  std::string text;
  if (plan.max_context)
    text = *plan.max_context == trained
               ? fmt::format(" At batch {} the model's whole context of {} fits", plan.batch_size, tokens(trained))
               : fmt::format(" At batch {} the limit is {}", plan.batch_size, tokens(*plan.max_context));
  if (plan.max_batch)
    text += fmt::format("; at {}, batch {}", tokens(plan.context_tokens), viewmodel::format_count(*plan.max_batch));
  return text.empty() ? text : text + ".";
}

std::string shortage(const ScenarioPlan& plan) {
  const double needed = plan.memory.total();
  const double budget = plan.scenario.planner->budget_bytes();
  std::string text = fmt::format("DOES NOT FIT: needs {}, budget is {}: {} short.", gibibytes(needed, Rounding::kUp),
                                 gibibytes(budget, Rounding::kDown), gibibytes(needed - budget, Rounding::kUp));
  if (plan.ways.empty()) return text + " Neither a smaller batch, narrower types nor TP 8 makes it fit.";
  std::vector<std::string> ways;
  for (const WayToFit& way : plan.ways) ways.push_back(way.text);
  return text + fmt::format(" Nearest that fits: {}.", fmt::join(ways, ", or "));
}

/// Where the estimated parts could tip it: ", with 93 %".
std::string confidence_of(const ScenarioPlan& plan) {
  constexpr double kSure = 0.995;
  return plan.fit_probability < kSure ? fmt::format(", with {}", viewmodel::format_percent(plan.fit_probability))
                                      : std::string();
}

std::string answer_of(const ScenarioPlan& plan) {
  if (!plan.scenario.has_device)
    return fmt::format("Needs {} for {} × {}: {} weights, {} KV cache. Name a device (--gpu) to see whether it fits.",
                       gibibytes(plan.memory.total(), Rounding::kUp), plan.batch_size, tokens(plan.context_tokens),
                       gibibytes(plan.memory.weights, Rounding::kUp), gibibytes(plan.memory.kv_cache, Rounding::kUp));
  if (!plan.fits) return shortage(plan);
  const double spare = plan.scenario.planner->budget_bytes() - plan.memory.total();
  return fmt::format("FITS with {} spare{}{}.{}", gibibytes(spare, Rounding::kDown),
                     plan.scenario.planner->scenario().layout.n_devices() > 1 ? " on the fullest device" : "",
                     confidence_of(plan), limits_sentence(plan));
}

std::string budget_line(const MemoryPlanner& planner) {
  const double share = planner.budget_bytes() / planner.capacity_bytes();
  return fmt::format("Budget: {} per device, {} of {}.", gibibytes(planner.budget_bytes(), Rounding::kDown),
                     viewmodel::format_percent(share), gibibytes(planner.capacity_bytes(), Rounding::kDown));
}

const MemorySegment& cache_segment(const ScenarioPlan& plan) {
  return *std::ranges::find(plan.segments, "KV cache", &MemorySegment::name);
}

/// TTFT, TPOT and rate of each plan; no columns where none is predicted.
void add_speeds(TableBuilder& table, std::span<const ScenarioPlan> plans) {
  std::vector<std::optional<double>> ttft, tpot, rate;
  for (const ScenarioPlan& plan : plans) {
    const ServedSpeed* speed = plan.speed && plan.speed->predicted.speed ? &*plan.speed->predicted.speed : nullptr;
    ttft.push_back(speed ? std::optional(speed->ttft_s.value) : std::nullopt);
    tpot.push_back(speed && speed->tpot_s ? std::optional(speed->tpot_s->value) : std::nullopt);
    rate.push_back(speed ? std::optional(speed->output_tokens_s.value) : std::nullopt);
  }
  if (std::ranges::none_of(rate, [](const auto& r) { return r.has_value(); })) return;
  table.measure({"ttft_s", "TTFT", "", "Time to the first token.", Align::kRight, 4}, Measure::kTime, ttft,
                Origin::kEstimated);
  table.measure({"tpot_s", "TPOT", "", "Time per further token."}, Measure::kTime, tpot, Origin::kEstimated);
  table.measure({"output_tokens_s", "Output", "", "Of all requests together.", Align::kRight, 5}, Measure::kTokenRate,
                rate, Origin::kEstimated);
}

}  // namespace

ScenarioView scenario_view(const ScenarioPlan& plan) {
  const PlanScenario& s = plan.scenario.planner->scenario();
  ScenarioView view;
  view.answer = answer_of(plan);
  view.subject =
      fmt::format("{} on {}, {} × {}; weights in {}, KV cache in {}; {}.", s.model.name, device_title(plan.scenario),
                  plan.batch_size, tokens(plan.context_tokens), weights_title(s), s.cache.title, s.engine.name);
  view.memory = viewmodel::memory_table(plan.segments);
  if (plan.speed) {
    view.speed = speed_table(*plan.speed);
    view.speed_sentence = speed_sentence(*plan.speed);
  }
  if (plan.scenario.has_device) view.lines.push_back(budget_line(*plan.scenario.planner));
  view.lines.push_back("KV cache: " + cache_segment(plan).formula + ".");
  return view;
}

viewmodel::Table scenarios_table(std::span<const ScenarioPlan> plans) {
  std::vector<std::string> devices, weights, caches, fits;
  std::vector<std::optional<double>> needed, budget, spare;
  std::vector<viewmodel::Cell> contexts, batches;
  const auto count_or_missing = [](const std::optional<int>& count) {
    return count ? viewmodel::count_cell(*count, Origin::kEstimated) : viewmodel::missing_cell();
  };
  for (const ScenarioPlan& plan : plans) {
    const PlanScenario& s = plan.scenario.planner->scenario();
    const double limit = plan.scenario.planner->budget_bytes();
    const bool bounded = plan.scenario.has_device;
    devices.push_back(device_title(plan.scenario));
    weights.push_back(weights_name(s));
    caches.emplace_back(s.cache.name);
    fits.emplace_back(!bounded ? "–" : plan.fits ? "fits" : "does not fit");
    needed.emplace_back(plan.memory.total());
    budget.push_back(bounded ? std::optional(limit) : std::nullopt);
    spare.push_back(bounded ? std::optional(limit - plan.memory.total()) : std::nullopt);
    contexts.push_back(count_or_missing(plan.max_context));
    batches.push_back(count_or_missing(plan.max_batch));
  }
  TableBuilder table("scenarios", "Scenarios");
  table.text({"device", "Device", "", "", Align::kLeft}, devices);
  table.text({"weights", "Weights", "", "", Align::kLeft}, weights);
  // A column of equal words says least where room is short.
  const bool alike = std::ranges::all_of(caches, [&](const std::string& cache) { return cache == caches.front(); });
  table.text({"kv_cache", "KV cache", "", "", Align::kLeft, alike ? 1 : 0}, caches);
  table.text({"fits", "Fits", "", "", Align::kLeft}, fits);
  table.measure({"total_bytes", "Needs", "", "Of the fullest device."}, Measure::kCapacity, needed, Origin::kEstimated);
  table.measure({"budget_bytes", "Budget", "", "", Align::kRight, 3}, Measure::kCapacity, budget, Origin::kEstimated);
  table.measure({"spare_bytes", "Spare", "", "Below zero: short by.", Align::kRight, 2}, Measure::kCapacity, spare,
                Origin::kEstimated);
  table.cells({"max_context_tokens", "Context limit", "", "At this batch."}, std::move(contexts));
  table.cells({"max_batch", "Batch limit", "", "At this context."}, std::move(batches));
  add_speeds(table, plans);
  return table.build();
}

}  // namespace dachlast
