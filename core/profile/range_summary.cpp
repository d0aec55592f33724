#include "core/profile/range_summary.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace dachlast {
namespace {

using NameAndDomain = std::pair<std::int32_t, std::int32_t>;

/// Time of each range without the ranges pushed inside it. Ranges lie by thread and start, outer ones before inner ones.
std::vector<std::int64_t> self_times(const std::vector<AttachedRange>& ranges) {
  std::vector<std::int64_t> self(ranges.size(), 0);
  std::map<std::pair<std::int32_t, std::int32_t>, std::vector<std::size_t>> stacks;  // by thread and domain
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const AttachedRange& range = ranges[i];
    if (range.end == RangeEnd::kMark) continue;
    self[i] = range.end_ns - range.start_ns;
    if (range.end == RangeEnd::kStopped) continue;  // may overlap anything
    std::vector<std::size_t>& stack = stacks[{range.thread, range.domain}];
    while (stack.size() > static_cast<std::size_t>(range.depth)) stack.pop_back();
    if (!stack.empty()) self[stack.back()] -= range.end_ns - range.start_ns;
    stack.push_back(i);
  }
  return self;
}

std::vector<RangeTimes> by_name(const AttachRecord& record) {
  const std::vector<std::int64_t> self = self_times(record.ranges);
  std::map<NameAndDomain, RangeTimes> groups;
  for (std::size_t i = 0; i < record.ranges.size(); ++i) {
    const AttachedRange& range = record.ranges[i];
    if (range.end == RangeEnd::kMark) continue;
    RangeTimes& group = groups[{range.name, range.domain}];
    group.name = record.names[static_cast<std::size_t>(range.name)];
    group.domain = record.names[static_cast<std::size_t>(range.domain)];
    group.times.add(range.end_ns - range.start_ns);
    group.self_ns += self[i];
    if (range.end == RangeEnd::kCut) ++group.n_cut;
  }
  std::vector<RangeTimes> list;
  for (auto& [key, group] : groups) list.push_back(std::move(group));
  std::stable_sort(list.begin(), list.end(),
                   [](const RangeTimes& a, const RangeTimes& b) { return a.times.total_ns > b.times.total_ns; });
  return list;
}

/// The label of the phase that a name stands for, by number of the name.
std::vector<std::optional<std::string>> step_labels(const AttachRecord& record, const NameRules& rules) {
  std::vector<std::optional<std::string>> labels;
  for (const std::string& name : record.names) {
    const auto step = rules.step_of(name);
    labels.push_back(!step ? std::nullopt
                           : std::optional(step->phase ? std::string(name_of(*step->phase)) : std::string("mixed")));
  }
  return labels;
}

std::vector<StepTimes> steps_of(const AttachRecord& record, const NameRules& rules) {
  const auto labels = step_labels(record, rules);
  std::map<std::string, EventTimes> times;
  std::map<std::int32_t, std::int64_t> covered_until;  // by thread: inside this moment lies a step already
  for (const AttachedRange& range : record.ranges) {
    const auto& label = labels[static_cast<std::size_t>(range.name)];
    if (!label || range.end == RangeEnd::kMark) continue;
    const auto [until, is_first] = covered_until.emplace(range.thread, range.end_ns);
    if (!is_first && range.start_ns < until->second) continue;
    until->second = range.end_ns;
    times[*label].add(range.end_ns - range.start_ns);
  }
  std::vector<StepTimes> steps;
  for (const auto& [label, of_label] : times) steps.push_back({label, of_label});
  return steps;
}

}  // namespace

RangeSummary summarize(const AttachRecord& record, const NameRules& rules) {
  RangeSummary summary;
  summary.ranges = by_name(record);
  summary.steps = steps_of(record, rules);
  std::int64_t first_ns = 0;
  std::int64_t last_ns = 0;
  for (const AttachedRange& range : record.ranges) {
    const bool is_first = summary.n_ranges++ == 0;
    first_ns = is_first ? range.start_ns : std::min(first_ns, range.start_ns);
    last_ns = is_first ? range.end_ns : std::max(last_ns, range.end_ns);
    if (range.end == RangeEnd::kCut) ++summary.n_cut;
  }
  summary.span_ns = last_ns - first_ns;
  for (const AttachedThread& thread : record.threads) summary.n_dropped += thread.n_dropped;
  return summary;
}

}  // namespace dachlast
