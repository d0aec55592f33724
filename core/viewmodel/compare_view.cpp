#include "core/viewmodel/compare_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

std::string noise_text(const TimeChange& change) {
  return change.noise ? "±" + format_percent(*change.noise) : std::string("too few repeats");
}

std::string phrase(const PhaseChange& phase) {
  const TimeChange& time = phase.time;
  if (time.verdict == ChangeVerdict::kTooFewRepeats)
    return fmt::format("{} {} (too few repeats to know the noise)", name_of(phase.phase), format_change(time.change));
  if (time.verdict == ChangeVerdict::kWithinNoise)
    return fmt::format("{} within noise ({}, noise {})", name_of(phase.phase), format_change(time.change),
                       noise_text(time));
  return fmt::format("{} {} (noise {})", name_of(phase.phase), format_change(time.change), noise_text(time));
}

bool any_phase(const Comparison& comparison, ChangeVerdict verdict) {
  return std::ranges::any_of(comparison.phases, [&](const auto& p) { return p.time.verdict == verdict; });
}

std::string headline(const Comparison& comparison) {
  if (comparison.phases.empty()) return "NOT COMPARABLE: the runs have no point in common.";
  const bool slower = any_phase(comparison, ChangeVerdict::kSlower);
  const bool faster = any_phase(comparison, ChangeVerdict::kFaster);
  const bool unknown = any_phase(comparison, ChangeVerdict::kTooFewRepeats);
  const std::string_view word = slower && faster ? "MIXED"
                                : slower         ? "SLOWER"
                                : faster         ? "FASTER"
                                : unknown        ? "NOT DECIDED"
                                                 : "UNCHANGED";
  std::vector<std::string> parts;
  for (const auto& phase : comparison.phases) parts.push_back(phrase(phase));
  return fmt::format("{}: {}.", word, fmt::join(parts, ", "));
}

struct LargestChange {
  const PointChange* point = nullptr;
  const OpChange* op = nullptr;
};

LargestChange largest_change(const Comparison& comparison) {
  LargestChange largest;
  double most = 0.0;
  for (const auto& point : comparison.points) {
    if (!is_change(point.time.verdict)) continue;
    for (const auto& op : point.ops) {
      // Relative to the step: a large change of a tiny operation is no news.
      const double change = std::abs((op.other - op.base) / point.time.base);
      if (change <= most) continue;
      most = change;
      largest = {&point, &op};
    }
  }
  return largest;
}

std::string answer_of(const Comparison& comparison) {
  std::string text = headline(comparison);
  const LargestChange largest = largest_change(comparison);
  if (largest.op)
    text += fmt::format(" Largest change: {}, {}, {}.", name_of(largest.op->op), name_of(largest.point->key.phase),
                        counted(largest.point->key.context_tokens, "token", "tokens"));
  return text;
}

template <class Change>
std::vector<std::string> bounds_of(const std::vector<Change>& changes) {
  std::vector<std::string> bounds;
  for (const auto& change : changes)
    bounds.push_back(change.bound ? std::string(display_name_of(*change.bound)) : std::string());
  return bounds;
}

template <class Change>
void add_changes(TableBuilder& table, const std::vector<Change>& changes) {
  std::vector<std::optional<double>> base;
  std::vector<std::optional<double>> other;
  std::vector<double> all;
  std::vector<Cell> change_cells;
  std::vector<Cell> noise_cells;
  std::vector<std::string> verdicts;
  for (const auto& change : changes) {
    base.emplace_back(change.time.base.value);
    other.emplace_back(change.time.other.value);
    all.insert(all.end(), {change.time.base.value, change.time.other.value});
    change_cells.push_back(number_cell(change.time.change, format_change(change.time.change), Origin::kMeasured));
    noise_cells.push_back(change.time.noise
                              ? number_cell(*change.time.noise, noise_text(change.time), Origin::kMeasured)
                              : missing_cell());
    std::string verdict(name_of(change.time.verdict));
    std::ranges::replace(verdict, '_', ' ');
    verdicts.push_back(std::move(verdict));
  }
  const Unit unit = unit_for_all(Measure::kTime, all);
  table.in_unit_of({"base_s", "Base", "", "Median time of the baseline."}, unit, base, Origin::kMeasured);
  table.in_unit_of({"other_s", "Run", "", "Median time of the run."}, unit, other, Origin::kMeasured);
  table.cells({"change", "Change", "", "Run over baseline, less one."}, std::move(change_cells));
  table.cells({"noise", "Noise", "",
               "Half width of the 95 % interval of the difference, at least 1 %. A change inside it is within noise.",
               Align::kRight, 1},
              std::move(noise_cells));
  table.text({"verdict", "Verdict", "", ""}, verdicts);
  table.text({"bound", "Bound", "", "Of the run.", Align::kLeft, 2}, bounds_of(changes));
}

Table configuration_changes(const Comparison& comparison) {
  std::vector<std::string> keys;
  std::vector<std::string> base;
  std::vector<std::string> other;
  for (const auto& change : comparison.configuration) {
    keys.push_back(change.key);
    base.push_back(change.base);
    other.push_back(change.other);
  }
  TableBuilder table("configuration-changes", "What differs");
  table.text({"setting", "Setting", "", ""}, keys);
  table.text({"base", "Base", "", ""}, base);
  table.text({"other", "Run", "", ""}, other);
  return table.build();
}

Table phase_changes(const Comparison& comparison) {
  std::vector<std::string> phases;
  std::vector<std::int64_t> points;
  for (const auto& phase : comparison.phases) {
    phases.push_back(phase_title(phase.phase));
    points.push_back(phase.n_points);
  }
  TableBuilder table("phase-changes", "Phases");
  table.text({"phase", "Phase", "", ""}, phases);
  table.count({"points", "Points", "", "Points both runs have.", Align::kRight, 3}, points, Origin::kExact);
  add_changes(table, comparison.phases);
  return table.build();
}

std::string phase_of(const PointKey& key) {
  std::string text = phase_title(key.phase);
  if (key.depth_tokens > 0) text += fmt::format(" behind {}", counted(key.depth_tokens, "token", "tokens"));
  if (key.kv_policy == KvPolicy::kNone) text += ", no KV cache";
  return text;
}

Table point_changes(const Comparison& comparison) {
  std::vector<std::string> phases;
  std::vector<std::int64_t> contexts;
  std::vector<std::int64_t> batches;
  for (const auto& point : comparison.points) {
    phases.push_back(phase_of(point.key));
    contexts.push_back(point.key.context_tokens);
    batches.push_back(point.key.batch_size);
  }
  TableBuilder table("point-changes", "Points");
  table.text({"phase", "Phase", "", ""}, phases);
  table.count({"context_tokens", "Context", "tokens", ""}, contexts, Origin::kExact);
  table.count({"batch", "Batch", "", "", Align::kRight, 3}, batches, Origin::kExact);
  add_changes(table, comparison.points);
  return table.build();
}

std::string only_in(const std::vector<PointKey>& keys, std::string_view which) {
  return fmt::format("{} only in the {}; not compared.",
                     counted(static_cast<std::int64_t>(keys.size()), "point", "points"), which);
}

}  // namespace

CompareView compare_view(const Run& base, const Run& other, const Comparison& comparison) {
  CompareView view;
  view.answer = answer_of(comparison);
  view.configuration = configuration_changes(comparison);
  view.phases = phase_changes(comparison);
  view.points = point_changes(comparison);
  view.notes.push_back(fmt::format("Base: {}, {}. Run: {}, {}.", base.model.name, format_date(base.created_at),
                                   other.model.name, format_date(other.created_at)));
  if (!comparison.only_in_base.empty()) view.notes.push_back(only_in(comparison.only_in_base, "base"));
  if (!comparison.only_in_other.empty()) view.notes.push_back(only_in(comparison.only_in_other, "run"));
  return view;
}

}  // namespace dachlast::viewmodel
