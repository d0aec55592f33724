#include "core/viewmodel/advice_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

bool is_worthwhile(const Advice& advice) {
  return advice.state == AdviceState::kGain || advice.state == AdviceState::kMakesFit;
}

bool is_wasted(const Advice& advice) {
  return advice.state == AdviceState::kWasted || advice.state == AdviceState::kLoss;
}

std::string capacity(double bytes, Rounding rounding) {
  return format(Measure::kCapacity, bytes, rounding);
}

std::string memory_change(double bytes) {
  constexpr double kNothing = 1024.0 * 1024.0;  // one MiB: less is rounding
  if (std::abs(bytes) < kNothing) return "same memory";
  return fmt::format("{} {}", capacity(std::abs(bytes), Rounding::kNearest), bytes > 0.0 ? "more" : "less");
}

std::string interval_text(const Gain& gain) {
  return fmt::format("{} to {}", format_change(gain.low), format_change(gain.high));
}

std::string head_of(const Advice& advice) {
  std::vector<std::string> parts;
  if (advice.gain)
    parts.push_back(fmt::format("{} ({})", format_change(advice.gain->value), interval_text(*advice.gain)));
  if (advice.state == AdviceState::kMakesFit) parts.emplace_back("makes it fit");
  if (advice.memory_bytes) parts.push_back(memory_change(*advice.memory_bytes));
  std::string text = advice.title;
  if (!parts.empty()) text += fmt::format(": {}", fmt::join(parts, ", "));
  return advice.condition.empty() ? text : fmt::format("{}; {}", text, advice.condition);
}

/// "in use", "does not fit": before the reason of a lever that brings nothing.
std::string_view state_words(AdviceState state) {
  switch (state) {
    case AdviceState::kInUse: return "in use";
    case AdviceState::kUntimed: return "not predicted";
    case AdviceState::kDoesNotFit: return "does not fit";
    case AdviceState::kDoesNotApply: return "does not apply";
    default: return "";
  }
}

/// What keeps every lever from a figure is said once, by the answer.
AdviceLine line_of(const Advice& advice, const std::string& no_time) {
  AdviceLine line{.head = head_of(advice),
                  .reason = advice.reason,
                  .risk = advice.risk,
                  .source = advice.source,
                  .command = advice.command,
                  .engine_option = advice.engine_option};
  if (const std::string_view words = state_words(advice.state); !words.empty())
    line.head = fmt::format("{}: {}{}", advice.title, words,
                            advice.state == AdviceState::kUntimed && advice.memory_bytes
                                ? fmt::format(", {}", memory_change(*advice.memory_bytes))
                                : std::string());
  if (advice.state == AdviceState::kUntimed && advice.reason == no_time) line.reason.clear();
  return line;
}

template <class Wanted>
std::string names_of(const AdviceReport& report, std::size_t most, const Wanted& wanted) {
  std::vector<std::string> names;
  for (const Advice& advice : report.advice) {
    if (!wanted(advice) || names.size() == most) continue;
    names.push_back(advice.gain ? fmt::format("{} ({})", advice.title, format_change(advice.gain->value))
                                : advice.title);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string gains_of(const AdviceReport& report, LeverKind kind) {
  constexpr std::size_t kMost = 3;
  return names_of(report, kMost, [&](const Advice& a) { return a.state == AdviceState::kGain && a.kind == kind; });
}

std::string misfit_answer(const AdviceReport& report) {
  constexpr std::size_t kMost = 4;
  const std::string ways = names_of(report, kMost, [](const Advice& a) { return a.state == AdviceState::kMakesFit; });
  return fmt::format("DOES NOT FIT: needs {}, budget is {}; what does not run has no speed. {}",
                     capacity(report.needed_bytes, Rounding::kUp), capacity(report.budget_bytes, Rounding::kDown),
                     ways.empty() ? "No single lever makes it fit." : fmt::format("It fits with: {}.", ways));
}

/// "Most gained by settings: …; by another model: …; by devices: …; by the workload: …."
std::string best_levers(const AdviceReport& report) {
  constexpr std::pair<LeverKind, const char*> kKinds[] = {{LeverKind::kSetting, "settings"},
                                                          {LeverKind::kModel, "another model"},
                                                          {LeverKind::kDevices, "devices"},
                                                          {LeverKind::kWorkload, "the workload"}};
  std::vector<std::string> parts;
  for (const auto& [kind, words] : kKinds)
    if (const std::string names = gains_of(report, kind); !names.empty())
      parts.push_back(fmt::format("by {}: {}", words, names));
  return parts.empty() ? " No lever known gains 3 % or more." : fmt::format(" Most gained {}.", fmt::join(parts, "; "));
}

std::string resource_clause(const Bottleneck& bound) {
  const std::string share = format_percent(bound.share);
  switch (bound.resource) {
    case Resource::kWeights: return fmt::format("{} of that reads weights", share);
    case Resource::kProducts: return fmt::format("{} of that multiplies matrices", share);
    case Resource::kCache: return fmt::format("{} of that reads the KV cache", share);
    case Resource::kAttention: return fmt::format("{} of that is attention", share);
    case Resource::kElementwise: return fmt::format("{} of that goes into small operations", share);
    case Resource::kMessages: return fmt::format("{} of that waits for messages", share);
    case Resource::kHost: return fmt::format("{} of that is not spent in kernels", share);
  }
  return {};
}

std::string answer_of(const AdviceReport& report) {
  if (!report.fits) return misfit_answer(report);
  if (!report.bottleneck)
    return fmt::format("No speed is known for this: {}. Memory alone is compared.", report.no_time);
  const Bottleneck& bound = *report.bottleneck;
  std::string text =
      fmt::format("{} takes {} of the time and is {} at batch {}: {}.",
                  bound.phase == Phase::kDecode ? "Decode" : "Prefill", format_percent(bound.phase_share),
                  bound_word(bound.resource), format_count(report.configuration.batch_size), resource_clause(bound));
  text += best_levers(report);
  const std::string wasted = names_of(report, 4, [](const Advice& a) {
    return a.state == AdviceState::kWasted && (a.kind == LeverKind::kSetting || a.kind == LeverKind::kModel);
  });
  return wasted.empty() ? text : text + fmt::format(" Wasted here: {}.", wasted);
}

std::string subject_of(const AdviceReport& report) {
  const Configuration& c = report.configuration;
  std::string text = fmt::format("{} on {}, {} × ({} + {} tokens); {}.", report.model_name, report.device_name,
                                 format_count(c.batch_size), format_count(c.prompt_tokens),
                                 format_count(c.answer_tokens), report.engine_name);
  if (!report.time) return text;
  const std::string later = report.time->tpot_s > 0.0
                                ? fmt::format(", then {} a token", format(Measure::kTime, report.time->tpot_s))
                                : std::string();
  return text + fmt::format(" Predicted: first token after {}{}; {} requests/s.",
                            format(Measure::kTime, report.time->ttft_s), later,
                            in_unit(report.time->requests_per_s(), {"", 1.0}));
}

std::optional<double> gain_value(const Advice& advice, double Gain::*field) {
  return advice.gain ? std::optional((*advice.gain).*field) : std::nullopt;
}

void add_memory(TableBuilder& table, const std::vector<const Advice*>& rows) {
  std::vector<Cell> memory;
  for (const Advice* advice : rows)
    memory.push_back(advice->memory_bytes
                         ? number_cell(*advice->memory_bytes, memory_change(*advice->memory_bytes), Origin::kEstimated)
                         : missing_cell());
  table.cells({"memory_change_bytes", "Memory", "", "Of the fullest device.", Align::kRight, 1}, std::move(memory));
}

void add_times(TableBuilder& table, const std::vector<const Advice*>& rows) {
  std::vector<std::optional<double>> ttft, tpot;
  for (const Advice* advice : rows) {
    ttft.push_back(advice->ttft_s);
    tpot.push_back(advice->tpot_s);
  }
  table.measure({"ttft_s", "First token", "", "", Align::kRight, 3}, Measure::kTime, ttft, Origin::kEstimated);
  table.measure({"tpot_s", "Token", "", "Each later one.", Align::kRight, 2}, Measure::kTime, tpot, Origin::kEstimated);
}

void add_gains(TableBuilder& table, const std::vector<const Advice*>& rows) {
  std::vector<Cell> gains, lows, highs;
  const auto change = [](std::optional<double> share) {
    return share ? number_cell(*share, format_change(*share), Origin::kEstimated) : missing_cell();
  };
  for (const Advice* advice : rows) {
    gains.push_back(change(gain_value(*advice, &Gain::value)));
    lows.push_back(change(gain_value(*advice, &Gain::low)));
    highs.push_back(change(gain_value(*advice, &Gain::high)));
  }
  table.cells({"gain", "Gain", "", "Of requests a second."}, std::move(gains));
  table.cells({"gain_low", "From", "", "90 % interval."}, std::move(lows));
  table.cells({"gain_high", "To", "", "90 % interval."}, std::move(highs));
}

Table gains_table(const AdviceReport& report) {
  std::vector<const Advice*> rows;
  std::vector<std::string> titles;
  for (const Advice& advice : report.advice) {
    if (!is_worthwhile(advice)) continue;
    rows.push_back(&advice);
    titles.push_back(advice.title);
  }
  TableBuilder table("gains", "Worth trying");
  table.text({"lever", "Lever", "", ""}, titles);
  if (report.fits) add_gains(table, rows);
  add_memory(table, rows);
  add_times(table, rows);
  return table.build();
}

Table verified_table(const AdviceReport& report) {
  std::vector<const Advice*> rows;
  std::vector<std::string> titles;
  for (const Advice& advice : report.advice) {
    if (!advice.measured) continue;
    rows.push_back(&advice);
    titles.push_back(advice.title);
  }
  const auto cells = [&](std::optional<Gain> Advice::*gain, double Gain::*field, Origin origin) {
    std::vector<Cell> column;
    for (const Advice* advice : rows) {
      const std::optional<Gain>& value = advice->*gain;
      column.push_back(value ? number_cell((*value).*field, format_change((*value).*field), origin) : missing_cell());
    }
    return column;
  };
  TableBuilder table("verified", "Run on this computer");
  table.text({"lever", "Lever", "", ""}, titles);
  table.cells({"gain", "Predicted", "", "Of requests a second."},
              cells(&Advice::gain, &Gain::value, Origin::kEstimated));
  table.cells({"measured_gain", "Measured", "", "Median of rounds in turn with the baseline."},
              cells(&Advice::measured, &Gain::value, Origin::kMeasured));
  table.cells({"measured_gain_low", "From", "", "The lowest round."},
              cells(&Advice::measured, &Gain::low, Origin::kMeasured));
  table.cells({"measured_gain_high", "To", "", "The highest round."},
              cells(&Advice::measured, &Gain::high, Origin::kMeasured));
  return table.build();
}

Table levers_table(const AdviceReport& report) {
  std::vector<const Advice*> rows;
  std::vector<std::string> ids, titles, states, kinds, conditions, reasons, risks, sources, commands, options;
  for (const Advice& advice : report.advice) {
    rows.push_back(&advice);
    ids.push_back(advice.id);
    titles.push_back(advice.title);
    states.emplace_back(name_of(advice.state));
    kinds.emplace_back(name_of(advice.kind));
    conditions.push_back(advice.condition);
    reasons.push_back(advice.reason);
    risks.push_back(advice.risk);
    sources.push_back(advice.source);
    commands.push_back(advice.command);
    options.push_back(advice.engine_option);
  }
  TableBuilder table("levers", "All levers");
  table.text({"id", "Id", "", "", Align::kLeft, 9}, ids);
  table.text({"lever", "Lever", "", ""}, titles);
  table.text({"state", "State", "", ""}, states);
  table.text({"kind", "Kind", "", "", Align::kLeft, 8}, kinds);
  add_gains(table, rows);
  add_memory(table, rows);
  add_times(table, rows);
  table.text({"condition", "Condition", "", "", Align::kLeft, 5}, conditions);
  table.text({"reason", "Reason", "", "", Align::kLeft, 6}, reasons);
  table.text({"risk", "Risk", "", "", Align::kLeft, 7}, risks);
  table.text({"source", "Source", "", "", Align::kLeft, 8}, sources);
  table.text({"command", "Command", "", "", Align::kLeft, 10}, commands);
  table.text({"engine_option", "Engine option", "", "", Align::kLeft, 11}, options);
  return table.build();
}

}  // namespace

AdviceView advice_view(const AdviceReport& report) {
  AdviceView view;
  view.answer = answer_of(report);
  view.subject = subject_of(report);
  view.gains = gains_table(report);
  view.verified = verified_table(report);
  view.levers = levers_table(report);
  for (const Advice& advice : report.advice)
    (is_worthwhile(advice) ? view.worthwhile
     : is_wasted(advice)   ? view.wasted
                           : view.others)
        .push_back(line_of(advice, report.no_time));
  return view;
}

}  // namespace dachlast::viewmodel
