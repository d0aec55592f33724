#include "core/profile/sampled_counters.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/profile/phase_device.h"

namespace dachlast {
namespace {

constexpr std::int32_t kNoGroup = -1;

/// What an event belongs to, by group: numbers of labels.
using Labels = std::array<std::int32_t, kSampleGroupCount>;

constexpr std::size_t index_of(SampleGroup group) {
  return static_cast<std::size_t>(group);
}

/// Texts with numbers.
class LabelList {
 public:
  std::int32_t number_of(const std::string& text) {
    const auto [found, is_new] = numbers_.emplace(text, static_cast<std::int32_t>(texts_.size()));
    if (is_new) texts_.push_back(text);
    return found->second;
  }
  const std::string& text_of(std::int32_t number) const { return texts_[static_cast<std::size_t>(number)]; }

 private:
  std::unordered_map<std::string, std::int32_t> numbers_;
  std::vector<std::string> texts_;
};

struct Labelled {
  std::int64_t start_ns;
  std::int64_t end_ns;
  Labels labels;
};

/// Events of each device by start, with what they belong to.
class EventLists {
 public:
  EventLists(const GpuTrace& trace, const NameRules& rules) {
    for (const GpuEvent& event : trace.events)
      lists_[event.device].push_back({event.start_ns, event.end_ns, labels_of(trace, event, rules)});
    for (auto& [device, list] : lists_)
      std::stable_sort(list.begin(), list.end(),
                       [](const Labelled& a, const Labelled& b) { return a.start_ns < b.start_ns; });
  }

  const std::vector<Labelled>& of(std::int32_t device) const {
    static const std::vector<Labelled> none;
    const auto found = lists_.find(device);
    return found == lists_.end() ? none : found->second;
  }
  const std::string& text_of(std::int32_t number) const { return texts_.text_of(number); }

 private:
  Labels labels_of(const GpuTrace& trace, const GpuEvent& event, const NameRules& rules) {
    const auto [found, is_new] = by_name_.try_emplace({event.name, event.work});
    if (is_new)
      found->second = {texts_.number_of(std::string(name_of(family_of(trace, event, rules)))),
                       texts_.number_of(trace.names[event.name])};
    const std::int32_t phase = event.step == kNoIndex
                                   ? kNoGroup
                                   : texts_.number_of(phase_label(trace.steps[static_cast<std::size_t>(event.step)]));
    return {phase, found->second.first, found->second.second};
  }

  static KernelFamily family_of(const GpuTrace& trace, const GpuEvent& event, const NameRules& rules) {
    if (event.work == GpuWork::kCopy) return KernelFamily::kCopy;
    if (event.work == GpuWork::kFill) return KernelFamily::kFill;
    return rules.family_of(trace.names[event.name]);
  }

  std::map<std::int32_t, std::vector<Labelled>> lists_;
  std::map<std::pair<std::uint32_t, GpuWork>, std::pair<std::int32_t, std::int32_t>> by_name_;
  LabelList texts_;
};

/// A sample with the time within which it may lie.
struct Placed {
  const DeviceSample* sample;
  std::int64_t from_ns;
  std::int64_t until_ns;
};

/// Goes through the samples of one device in time, with the events that may touch them.
class DeviceSamples {
 public:
  DeviceSamples(std::int32_t device, const EventLists& events) : events_(events), list_(events.of(device)) {
    totals_.device = device;
  }

  void take(const DeviceSample& sample) {
    if (sample.end_ns <= sample.start_ns) return;  // no length to hold its bytes against
    ++totals_.n_samples;
    totals_.time_ns += sample.end_ns - sample.start_ns;
    totals_.read += sample.read;
    totals_.written += sample.written;
    if (!sample.uncertainty_ns) {
      ++totals_.n_unplaced;
      return;
    }
    const std::int64_t uncertainty_ns = *sample.uncertainty_ns;
    totals_.uncertainty_ns = std::max(totals_.uncertainty_ns, uncertainty_ns);
    placed_.push_back({&sample, sample.start_ns - uncertainty_ns, sample.end_ns + uncertainty_ns});
  }

  void assign(SampledProfile& profile) {
    std::sort(placed_.begin(), placed_.end(), [](const Placed& a, const Placed& b) { return a.from_ns < b.from_ns; });
    for (const Placed& placed : placed_) {
      while (next_ < list_.size() && list_[next_].start_ns < placed.until_ns) running_.push_back(&list_[next_++]);
      std::erase_if(running_, [&](const Labelled* event) { return event->end_ns <= placed.from_ns; });
      give(placed);
    }
    add_busy_times();
    profile.devices.push_back(totals_);
    for (auto& [key, counters] : rows_) profile.rows.push_back(std::move(counters));
  }

 private:
  bool touches(const Labelled& event, const Placed& placed) const {
    return event.start_ns < placed.until_ns && event.end_ns > placed.from_ns;
  }

  void give(const Placed& placed) {
    const bool is_idle =
        std::none_of(running_.begin(), running_.end(), [&](const Labelled* event) { return touches(*event, placed); });
    if (is_idle) {
      ++totals_.n_idle;
      return;
    }
    for (const SampleGroup group : {SampleGroup::kPhase, SampleGroup::kFamily, SampleGroup::kKernel})
      give(placed, group);
  }

  void give(const Placed& placed, SampleGroup group) {
    std::optional<std::int32_t> owner;
    std::int64_t covered_ns = 0;
    std::int64_t covered_until_ns = placed.sample->start_ns;
    for (const Labelled* event : running_) {  // by start
      if (!touches(*event, placed)) continue;
      const std::int32_t label = event->labels[index_of(group)];
      if (owner.value_or(label) != label) {
        ++totals_.n_straddling[index_of(group)];
        return;
      }
      owner = label;
      const std::int64_t start_ns = std::max(event->start_ns, covered_until_ns);
      const std::int64_t end_ns = std::min(event->end_ns, placed.sample->end_ns);
      if (end_ns <= start_ns) continue;
      covered_ns += end_ns - start_ns;
      covered_until_ns = end_ns;
    }
    if (owner.value_or(kNoGroup) == kNoGroup) return;
    SampledCounters& counters = row(group, *owner);
    ++counters.n_samples;
    counters.covered_ns += covered_ns;
    counters.read += placed.sample->read;
    counters.written += placed.sample->written;
  }

  void add_busy_times() {
    std::map<std::pair<SampleGroup, std::int32_t>, std::int64_t> busy_until_ns;
    for (const Labelled& event : list_)
      for (const SampleGroup group : {SampleGroup::kPhase, SampleGroup::kFamily, SampleGroup::kKernel}) {
        const std::int32_t label = event.labels[index_of(group)];
        if (label == kNoGroup) continue;
        std::int64_t& until_ns = busy_until_ns.try_emplace({group, label}, event.start_ns).first->second;
        row(group, label).busy_ns += std::max<std::int64_t>(0, event.end_ns - std::max(until_ns, event.start_ns));
        until_ns = std::max(until_ns, event.end_ns);
      }
  }

  SampledCounters& row(SampleGroup group, std::int32_t label) {
    SampledCounters& counters = rows_[{group, label}];
    if (!counters.label.empty()) return counters;
    counters.group = group;
    counters.label = events_.text_of(label);
    counters.device = totals_.device;
    return counters;
  }

  const EventLists& events_;
  const std::vector<Labelled>& list_;
  std::size_t next_ = 0;
  std::vector<const Labelled*> running_;  // began before the sample's end, and may last into it
  std::vector<Placed> placed_;
  SampledDevice totals_;
  std::map<std::pair<SampleGroup, std::int32_t>, SampledCounters> rows_;
};

std::optional<BytesPerSecond> rate(Bytes bytes, std::int64_t time_ns) {
  if (time_ns <= 0) return std::nullopt;
  return bytes / Seconds{static_cast<double>(time_ns) * 1e-9};
}

}  // namespace

double SampledCounters::coverage() const {
  if (busy_ns <= 0) return 0.0;
  // Samples at both ends may reach beyond what they belong to, by as much as the clocks leave open.
  return std::min(static_cast<double>(covered_ns) / static_cast<double>(busy_ns), 1.0);
}

std::optional<BytesPerSecond> SampledCounters::read_rate() const {
  return rate(read, covered_ns);
}

std::optional<BytesPerSecond> SampledCounters::written_rate() const {
  return rate(written, covered_ns);
}

SampledProfile sampled_counters(const GpuTrace& trace, const NameRules& rules) {
  SampledProfile profile;
  if (trace.samples.empty()) return profile;
  const EventLists events(trace, rules);
  std::map<std::int32_t, DeviceSamples> devices;
  for (const DeviceSample& sample : trace.samples)
    devices.try_emplace(sample.device, sample.device, events).first->second.take(sample);
  for (auto& [device, samples] : devices) samples.assign(profile);
  std::stable_sort(profile.rows.begin(), profile.rows.end(), [](const SampledCounters& a, const SampledCounters& b) {
    return std::tie(a.group, a.device, b.busy_ns) < std::tie(b.group, b.device, a.busy_ns);
  });
  return profile;
}

std::optional<double> sampled_memory_share(const SampledCounters& counters, BytesPerSecond bandwidth) {
  if (counters.coverage() < kEnoughCoverage || counters.n_samples < kEnoughSamples || counters.covered_ns <= 0 ||
      bandwidth.value <= 0.0)
    return std::nullopt;
  return (counters.read_rate()->value + counters.written_rate()->value) / bandwidth.value;
}

}  // namespace dachlast
