// The sentences that decide: one per phase, from the verdicts of its points.
#include <fmt/format.h>

#include <algorithm>

#include "core/viewmodel/format.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/verdict_text.h"

namespace dachlast::viewmodel {
namespace {

std::vector<PointSummary> points_of(const std::vector<PointSummary>& all, Phase phase) {
  std::vector<PointSummary> points;
  for (const auto& point : all)
    if (point.phase == phase && point.verdict) points.push_back(point);
  return points;
}

double utilisation_of(const Verdict& verdict, Bound bound) {
  return bound == Bound::kMemory ? verdict.utilisation.memory : verdict.utilisation.compute;
}

// Share of the phase's time spent in operations that reach the threshold of the roof in question.
double share_at_roof(const std::vector<PointSummary>& points, Bound bound) {
  double at_roof = 0.0;
  double total = 0.0;
  for (const auto& point : points) {
    total += point.time_s.median;
    for (const auto& op : point.ops)
      if (op.verdict && utilisation_of(*op.verdict, bound) >= op.verdict->threshold) at_roof += op.time.value;
  }
  return total > 0.0 ? at_roof / total : 0.0;
}

std::string roof_phrase(const Verdict& verdict, Bound bound) {
  if (bound == Bound::kMemory)
    return verdict.load.level == MemoryLevel::kDram ? "memory bandwidth"
                                                    : fmt::format("{} bandwidth", name_of(verdict.load.level));
  return fmt::format("the {} compute roof", display_name_of(verdict.load.dtype));
}

std::string utilisation_clause(const Verdict& verdict) {
  return fmt::format("it uses {} of {} and {} of {}", format_percent(verdict.utilisation.memory),
                     roof_phrase(verdict, Bound::kMemory), format_percent(verdict.utilisation.compute),
                     roof_phrase(verdict, Bound::kCompute));
}

std::string evidence(const std::vector<PointSummary>& points, const Verdict& verdict) {
  switch (verdict.bound) {
    case Bound::kMemory:
    case Bound::kCompute:
      return fmt::format("{} of step time is spent at {} or more of {}.",
                         format_percent(share_at_roof(points, verdict.bound)), format_percent(verdict.threshold),
                         roof_phrase(verdict, verdict.bound));
    case Bound::kNearRidge: return utilisation_clause(verdict) + ".";
    case Bound::kLatency: return fmt::format("{}. {}", utilisation_clause(verdict), latency_reason_text(verdict));
  }
  return {};
}

// The smallest context from which on every longer one has the same bound; empty where there is no such order.
std::optional<int> bound_starts_at(const std::vector<PointSummary>& points, Bound bound) {
  std::optional<int> start;
  for (const auto& point : points)
    if (point.verdict->bound == bound) start = start ? std::min(*start, point.context_tokens) : point.context_tokens;
  if (!start) return std::nullopt;
  const bool ordered = std::ranges::all_of(
      points, [&](const auto& point) { return (point.context_tokens >= *start) == (point.verdict->bound == bound); });
  return ordered ? start : std::nullopt;
}

bool all_share(const std::vector<PointSummary>& points, Bound bound) {
  return std::ranges::all_of(points, [&](const auto& point) { return point.verdict->bound == bound; });
}

// Bounds differ between points: from where the one of the longest context holds, and what is below it.
std::string mixed_sentence(const std::vector<PointSummary>& points, Phase phase) {
  const auto longest = std::ranges::max_element(points, {}, &PointSummary::context_tokens);
  const Bound bound = longest->verdict->bound;
  if (const auto start = bound_starts_at(points, bound)) {
    const auto shorter = std::ranges::min_element(points, {}, &PointSummary::context_tokens);
    return fmt::format("{} is {} from {} on and {} below.", phase_title(phase), display_name_of(bound),
                       counted(*start, "token", "tokens"), display_name_of(shorter->verdict->bound));
  }
  return fmt::format("{} changes its bound with context and batch; at {} it is {}.", phase_title(phase),
                     counted(longest->context_tokens, "token", "tokens"), display_name_of(bound));
}

std::string sentence(const Run& run, const std::vector<PointSummary>& all, Phase phase) {
  const auto points = points_of(all, phase);
  const auto verdict = judge_phase(run, phase);
  if (points.empty() || !verdict) return {};
  if (!all_share(points, points.front().verdict->bound)) return mixed_sentence(points, phase);
  return fmt::format("{} is {}: {}", phase_title(phase), display_name_of(verdict->bound), evidence(points, *verdict));
}

}  // namespace

std::vector<std::string> answer_sentences(const Run& run) {
  const auto points = summaries_of(run);
  std::vector<std::string> sentences;
  // Decode first: for most uses it is where the time goes.
  for (const Phase phase : {Phase::kDecode, Phase::kPrefill}) {
    std::string text = sentence(run, points, phase);
    if (!text.empty()) sentences.push_back(std::move(text));
  }
  if (sentences.empty()) sentences.emplace_back("Nothing was measured in this run.");
  return sentences;
}

}  // namespace dachlast::viewmodel
