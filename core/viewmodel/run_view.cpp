#include "core/viewmodel/run_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/viewmodel/format.h"
#include "core/viewmodel/verdict_text.h"

namespace dachlast::viewmodel {
namespace {

constexpr std::size_t kMaxFindings = 5;

// Below this share of a step an operation is not worth a reader's time, whatever it could gain.
constexpr double kLeastFindingShare = 0.02;

Completeness completeness_of(const Run& run) {
  return run.complete && static_cast<int>(run.points.size()) >= run.planned_points ? Completeness::kComplete
                                                                                   : Completeness::kPartial;
}

std::string status_of(const Run& run) {
  if (completeness_of(run) == Completeness::kComplete) return "complete";
  return fmt::format("partial ({} of {} points)", run.points.size(), run.planned_points);
}

std::string title_of(const Run& run) {
  const std::string& device = run.roofs.device.empty() ? run.host.cpu_name : run.roofs.device;
  return device.empty() ? run.model.name : fmt::format("{} on {}", run.model.name, device);
}

/// The layout that --kv names, without the format that stands beside it: "paged:16" of "paged:16,int8".
std::string layout_of(const std::string& kv) {
  return kv.substr(0, kv.find(','));
}

std::string configuration_line(const Run& run) {
  const bool uncached = std::ranges::any_of(run.points, [](const auto& p) { return p.kv_policy == KvPolicy::kNone; });
  return fmt::format("{} parameters · {} weights{} · {} KV cache{} · {}{}", format_parameters(run.model.n_parameters),
                     display_name_of(run.precision.weights), run.model.random_weights ? ", random" : "",
                     display_name_of(run.precision.kv.format),
                     uncached ? ", with and without" : ", " + layout_of(run.kv),
                     counted(run.n_threads, "thread", "threads"),
                     run.attention_variant.empty() ? "" : " · " + run.attention_variant + " attention");
}

/// "512 of 4,608 tokens" where the others were in the cache before.
std::string tokens_of(const PointSummary& point) {
  std::string context = counted(point.context_tokens, "token", "tokens");
  if (point.depth_tokens == 0) return context;
  return fmt::format("{} of {}", format_count(point.context_tokens - point.depth_tokens), context);
}

std::string size_note(const PointSummary& point) {
  return fmt::format("{}, batch {}", tokens_of(point), format_count(point.batch_size));
}

void add_step_figures(std::vector<KeyFigure>& figures, const PointSummary& point) {
  const bool decode = point.phase == Phase::kDecode;
  figures.push_back({decode ? "Decode step" : "Prefill", format(Measure::kTime, point.time_s.median), size_note(point),
                     Origin::kMeasured});
  figures.push_back({phase_title(point.phase) + " throughput", format(Measure::kTokenRate, point.tokens_per_s),
                     size_note(point), Origin::kMeasured});
}

void add_roof_figure(std::vector<KeyFigure>& figures, const Run& run, const PointSummary& point) {
  if (!point.verdict) return;
  const Verdict& verdict = *point.verdict;
  const bool memory = verdict.utilisation.memory >= verdict.utilisation.compute;
  const double share = memory ? verdict.utilisation.memory : verdict.utilisation.compute;
  const std::string roof =
      memory ? format(Measure::kBandwidth, memory_ceiling(run.roofs, verdict.load.level, run.n_threads).bandwidth.value)
             : format(Measure::kWorkRate, compute_ceiling(run.roofs, verdict.load.dtype, run.n_threads).peak.value);
  figures.push_back(
      {phase_title(point.phase) + (memory ? ", memory roof used" : ", compute roof used"), format_percent(share),
       fmt::format("of {} {}", roof, memory ? name_of(verdict.load.level) : display_name_of(verdict.load.dtype)),
       Origin::kMeasured});
}

std::vector<KeyFigure> key_figures(const Run& run, std::span<const PointSummary> points) {
  std::vector<KeyFigure> figures;
  const PointSummary* decode = representative(points, Phase::kDecode);
  const PointSummary* prefill = representative(points, Phase::kPrefill);
  if (decode) add_step_figures(figures, *decode);
  if (prefill) add_step_figures(figures, *prefill);
  if (decode || prefill) add_roof_figure(figures, run, decode ? *decode : *prefill);
  if (figures.size() < 5 && run.model.weight_bytes > 0)
    figures.push_back({"Weights in memory", format(Measure::kCapacity, run.model.weight_bytes, Rounding::kUp),
                       std::string(display_name_of(run.precision.weights)), Origin::kExact});
  return figures;
}

std::string finding_text(const PointSummary& point, const OpSummary& op) {
  const double rest = point.time_s.median - op.time.value * (1.0 - 1.0 / op.verdict->speedup_at_roof);
  return fmt::format("{}, {}: {} of the step at {} of its roof ({}). At the roof the step would be up to {} faster.",
                     phase_title(point.phase), name_of(op.op), format_percent(op.share),
                     format_percent(1.0 / op.verdict->speedup_at_roof), display_name_of(op.verdict->bound),
                     format_factor(point.time_s.median / rest));
}

void add_findings(std::vector<Finding>& findings, const PointSummary& point) {
  for (const OpSummary& op : point.ops) {
    if (!op.verdict || op.share < kLeastFindingShare || op.verdict->speedup_at_roof <= 1.0) continue;
    const double saving = op.time.value * (1.0 - 1.0 / op.verdict->speedup_at_roof);
    findings.push_back({finding_text(point, op), point.phase, point.context_tokens, point.batch_size, op.op, saving});
  }
}

// Savings of different phases compare as shares of their step: one prefill stands against many decode steps.
std::vector<Finding> findings_of(std::span<const PointSummary> points) {
  std::vector<std::pair<double, Finding>> ranked;
  for (const Phase phase : {Phase::kDecode, Phase::kPrefill}) {
    const PointSummary* point = representative(points, phase);
    if (!point) continue;
    std::vector<Finding> found;
    add_findings(found, *point);
    for (auto& finding : found) ranked.emplace_back(finding.saving_s / point->time_s.median, std::move(finding));
  }
  std::ranges::stable_sort(ranked, [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Finding> findings;
  for (auto& [share, finding] : ranked)
    if (findings.size() < kMaxFindings) findings.push_back(std::move(finding));
  return findings;
}

std::string verdict_sentence(const PointSummary& point) {
  if (!point.verdict) return {};
  const Verdict& verdict = *point.verdict;
  std::string text =
      fmt::format("{}: {} of the memory roof, {} of the compute roof.", display_name_of(verdict.bound),
                  format_percent(verdict.utilisation.memory), format_percent(verdict.utilisation.compute));
  text.front() = static_cast<char>(text.front() - 'a' + 'A');
  if (verdict.reason != LatencyReason::kNone) text += " " + latency_reason_text(verdict);
  return text;
}

void add_above_roof(std::vector<Remark>& warnings, const PointSummary& point) {
  for (const OpSummary& op : point.ops) {
    if (!op.verdict || !op.verdict->above_roof) continue;
    const double share = std::max(op.verdict->utilisation.memory, op.verdict->utilisation.compute);
    warnings.push_back({"above_roof", fmt::format("{}, {}: {} of the measured roof; data type or byte count does not "
                                                  "match this roof.",
                                                  point_heading(point), name_of(op.op), format_percent(share))});
  }
}

std::vector<Remark> warnings_of(const Run& run, std::span<const PointSummary> points) {
  std::vector<Remark> warnings = run.warnings;
  for (const auto& point : run.points)
    for (const auto& remark : point.remarks)
      warnings.push_back(
          {remark.code, fmt::format("{}, {}, batch {}: {}", phase_title(point.phase),
                                    counted(point.context_tokens, "token", "tokens"), point.batch_size, remark.text)});
  for (const auto& point : points) add_above_roof(warnings, point);
  return warnings;
}

// What spoils a measurement weighs more than what limits its meaning.
std::string biggest_risk(const std::vector<Remark>& warnings) {
  for (const std::string_view code : {"competing_load", "clock_drift", "above_roof", "unknown_field", "random_weights"})
    for (const auto& warning : warnings)
      if (warning.code == code) return warning.text;
  return warnings.empty() ? std::string() : warnings.front().text;
}

}  // namespace

std::string phase_title(Phase phase) {
  return phase == Phase::kPrefill ? "Prefill" : "Decode";
}

std::string point_heading(const PointSummary& point) {
  return fmt::format("{}, {}, batch {}{}", phase_title(point.phase), tokens_of(point), format_count(point.batch_size),
                     point.kv_policy == KvPolicy::kNone ? ", no KV cache" : "");
}

std::vector<PointSummary> summaries_of(const Run& run) {
  std::vector<PointSummary> points;
  for (const auto& point : run.points)
    if (auto summary = summarise(run, point)) points.push_back(std::move(*summary));
  return points;
}

const PointSummary* representative(std::span<const PointSummary> points, Phase phase) {
  const auto rank = [](const PointSummary& p) {
    return std::tuple(p.kv_policy != KvPolicy::kNone, p.context_tokens, p.batch_size);
  };
  const PointSummary* best = nullptr;
  for (const auto& point : points)
    if (point.phase == phase && (!best || rank(point) > rank(*best))) best = &point;
  return best;
}

RunView run_view(const Run& run, std::span<const MemorySegment> memory) {
  const auto points = summaries_of(run);
  RunView view;
  view.title = title_of(run);
  view.answer = answer_sentences(run);
  view.completeness = completeness_of(run);
  view.status = status_of(run);
  view.key_figures = key_figures(run, points);
  view.configuration_line = configuration_line(run);
  view.findings = findings_of(points);
  view.phases = phase_table(run);
  for (const auto& point : points)
    view.ops.push_back({point_heading(point), verdict_sentence(point), &point == representative(points, point.phase),
                        op_table(point)});
  view.bandwidth_roofs = bandwidth_table(run.roofs);
  view.compute_roofs = compute_table(run.roofs);
  view.configuration = configuration_table(run);
  if (!memory.empty()) view.memory = memory_table(memory);
  view.speedup_sentence = speedup_sentence(run);
  if (!view.speedup_sentence.empty()) view.cache_speedup = cache_speedup_table(*run.uncached);
  if (run.serving) {
    view.serving_sentence = serving_sentence(*run.serving);
    if (run.points.empty()) view.answer = {view.serving_sentence};
    view.latencies = latency_table(*run.serving);
    view.kv_use = kv_use_table(*run.serving);
  }
  if (run.what_if) {
    view.what_if_sentence = what_if_sentence(*run.what_if);
    view.answer.insert(view.answer.begin(), view.what_if_sentence);
    if (!run.what_if->points.empty()) view.what_if = what_if_table(*run.what_if);
  }
  view.kv_traffic = kv_traffic_table(run);
  if (run.break_even) {
    view.break_even_sentence = break_even_sentence(*run.break_even);
    if (run.points.empty() && !run.serving) view.answer = {view.break_even_sentence};
    view.break_even = break_even_table(*run.break_even);
  }
  if (run.memory && run.memory->modelled_bytes > 0.0) view.memory_sentence = memory_sentence(*run.memory);
  if (run.generation) view.generated_text = run.generation->text;
  view.warnings = warnings_of(run, points);
  view.assumptions = run.assumptions;
  view.biggest_risk = biggest_risk(view.warnings);
  return view;
}

}  // namespace dachlast::viewmodel
