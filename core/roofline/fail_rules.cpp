#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/error.h"
#include "core/roofline/compare.h"

namespace dachlast {
namespace {

[[noreturn]] void throw_unreadable(std::string_view part, std::string_view reason) {
  throw Error(ErrorKind::kUsage, fmt::format("fail rule \"{}\"", part), std::string(reason),
              "Write rules as in `decode:5%,prefill:10%`.");
}

Phase parse_phase(std::string_view part, std::string_view text) {
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode})
    if (text == name_of(phase)) return phase;
  throw_unreadable(part, fmt::format("\"{}\" is not a phase; phases are prefill and decode.", text));
}

double parse_percent(std::string_view part, std::string_view text) {
  if (!text.empty() && text.back() == '%') text.remove_suffix(1);
  double percent = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(percent) || percent < 0.0)
    throw_unreadable(part, fmt::format("\"{}\" is not a percentage of 0 or more.", text));
  return percent / 100.0;
}

FailRule parse_rule(std::string_view part) {
  const std::size_t colon = part.find(':');
  if (colon == std::string_view::npos) throw_unreadable(part, "a colon between phase and percentage is missing.");
  return {parse_phase(part, part.substr(0, colon)), parse_percent(part, part.substr(colon + 1))};
}

/// The slowest-grown point of the rule's phase, of those that may break it.
std::optional<FailedRule> check(const Comparison& comparison, const FailRule& rule) {
  std::optional<FailedRule> worst;
  bool checked = false;
  for (const PointChange& point : comparison.points) {
    if (point.key.phase != rule.phase || !point.time.noise) continue;
    checked = true;
    const double change = point.time.change;
    if (point.time.verdict != ChangeVerdict::kSlower || change <= rule.limit) continue;
    if (!worst || change > worst->change) worst = FailedRule{rule, point.key, change};
  }
  if (!checked)
    throw Error(ErrorKind::kFailure, fmt::format("fail rule for {}", name_of(rule.phase)),
                fmt::format("no {} point was measured often enough in both runs.", name_of(rule.phase)),
                "Measure the same contexts and batches in both runs, six samples a point or more.");
  return worst;
}

}  // namespace

std::vector<FailRule> parse_fail_rules(std::string_view text) {
  std::vector<FailRule> rules;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    rules.push_back(parse_rule(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return rules;
}

std::vector<FailedRule> failed_rules(const Comparison& comparison, const std::vector<FailRule>& rules) {
  std::vector<FailedRule> failed;
  for (const FailRule& rule : rules)
    if (auto broken = check(comparison, rule)) failed.push_back(*broken);
  return failed;
}

}  // namespace dachlast
