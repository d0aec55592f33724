#include "core/viewmodel/timeline_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

namespace dachlast::viewmodel {
namespace {

constexpr int kUnsaidPhase = 2;  // the annotation says neither prefill nor decode
constexpr int kRangeKind = 0;    // one colour: what ranges are for, nobody knows

std::size_t range_index(std::int32_t i) {
  return static_cast<std::size_t>(i);
}

std::string heading_of(const AttachRecord& record, std::int32_t thread) {
  const AttachedThread& annotated = record.threads[range_index(thread)];
  return annotated.name.empty() ? fmt::format("Attached program, thread {}", annotated.tid)
                                : fmt::format("Attached program, thread {}", annotated.name);
}

class RangeTimeline {
 public:
  RangeTimeline(const AttachRecord& record, const NameRules& rules) : record_(record), rules_(rules) {}

  Timeline make() {
    const std::int32_t thread = choose();
    if (ranges_.empty()) return std::move(timeline_);
    timeline_.gpu.emplace();
    timeline_.gpu->of_host = true;
    timeline_.gpu->heading = heading_of(record_, thread);
    timeline_.gpu->names = record_.names;
    timeline_.gpu->origin_ns = ranges_.front()->start_ns;
    for (const AttachedRange* range : ranges_) {
      leave(range->start_ns);
      enter(*range);
    }
    leave(INT64_MAX);
    flush_layer();
    add_point();
    return std::move(timeline_);
  }

 private:
  /// A range that is open while the ranges after it are looked at.
  struct Open {
    std::int64_t end_ns = 0;
    std::uint32_t name = 0;
    std::int32_t layer = kNoIndex;
    bool step = false;
  };

  const std::string& text_of(const AttachedRange& range) const { return record_.names[range_index(range.name)]; }

  /// The ranges of the thread that annotated most, those around others in front of them.
  std::int32_t choose() {
    std::map<std::int32_t, std::int64_t> times;
    for (const AttachedRange& range : record_.ranges)
      if (nests(range) && range.depth == 0) times[range.thread] += range.end_ns - range.start_ns;
    const auto longest = std::ranges::max_element(times, {}, [](const auto& entry) { return entry.second; });
    const std::int32_t thread = longest == times.end() ? 0 : longest->first;
    for (const AttachedRange& range : record_.ranges)
      if (range.thread == thread && nests(range)) ranges_.push_back(&range);
    std::ranges::stable_sort(ranges_, [](const AttachedRange* a, const AttachedRange* b) {
      return std::tie(a->start_ns, b->end_ns) < std::tie(b->start_ns, a->end_ns);
    });
    return thread;
  }

  bool nests(const AttachedRange& range) const {
    if (range.end == RangeEnd::kMark) return false;
    return range.end != RangeEnd::kStopped || rules_.step_of(text_of(range)).has_value();
  }

  /// Closes what has ended by a moment, the innermost first, and gives the time until then to the innermost range.
  void leave(std::int64_t until_ns) {
    while (!open_.empty() && open_.back().end_ns <= until_ns) {
      take_until(open_.back().end_ns);
      open_.pop_back();
    }
    if (!open_.empty()) take_until(until_ns);
    at_ns_ = until_ns;
  }

  void take_until(std::int64_t until_ns) {
    const Open& innermost = open_.back();
    const std::int64_t origin_ns = timeline_.gpu->origin_ns;
    if (until_ns > at_ns_) {
      timeline_.end_ns = std::max(timeline_.end_ns, until_ns - origin_ns);
      if (!innermost.step) {
        timeline_.ops.add(at_ns_ - origin_ns, until_ns - origin_ns, kRangeKind);
        timeline_.gpu->op_names.push_back(innermost.name);
      }
      add_to_layer(innermost.layer, at_ns_ - origin_ns, until_ns - origin_ns);
    }
    at_ns_ = std::max(at_ns_, until_ns);
  }

  void enter(const AttachedRange& range) {
    Open entered{range.end_ns, static_cast<std::uint32_t>(range.name), layer_of(range), false};
    if (!open_.empty()) {
      entered.end_ns = std::min(entered.end_ns, open_.back().end_ns);  // of another domain, it may overlap
      if (entered.layer == kNoIndex) entered.layer = open_.back().layer;
    }
    const bool within = std::ranges::any_of(open_, &Open::step);
    if (const auto step = within ? std::nullopt : rules_.step_of(text_of(range))) {
      entered.step = true;
      flush_layer();
      decodes_ = decodes_ || step->phase == Phase::kDecode;
      timeline_.steps.add(range.start_ns - timeline_.gpu->origin_ns, entered.end_ns - timeline_.gpu->origin_ns,
                          step->phase ? static_cast<int>(*step->phase) : kUnsaidPhase);
      timeline_.gpu->step_names.push_back(entered.name);
    }
    open_.push_back(entered);
    at_ns_ = range.start_ns;
  }

  /// By its payload, else by its name; names repeat, each is read once.
  std::int32_t layer_of(const AttachedRange& range) {
    if (const auto layer = layer_of_payload(range.payload)) return *layer;
    const auto [entry, fresh] = layers_by_name_.try_emplace(range.name, kNoIndex);
    if (fresh) entry->second = rules_.layer_of(text_of(range)).value_or(kNoIndex);
    return entry->second;
  }

  void add_to_layer(std::int32_t layer, std::int64_t from_ns, std::int64_t to_ns) {
    if (layer != layer_) flush_layer();
    if (layer == kNoIndex) return;
    if (layer_ == kNoIndex) layer_from_ns_ = from_ns;
    layer_ = layer;
    layer_to_ns_ = to_ns;
  }

  void flush_layer() {
    if (layer_ != kNoIndex) {
      timeline_.layers.add(layer_from_ns_, layer_to_ns_, kRangeKind);
      timeline_.layer_numbers.push_back(layer_);
    }
    layer_ = kNoIndex;
  }

  void add_point() {
    const int n = timeline_.steps.size();
    if (n > 0)
      timeline_.points.push_back(
          {timeline_.gpu->heading, decodes_ ? Phase::kDecode : Phase::kPrefill, n, /*first_step=*/0, n});
  }

  const AttachRecord& record_;
  const NameRules& rules_;
  std::vector<const AttachedRange*> ranges_;
  std::vector<Open> open_;
  Timeline timeline_;
  std::int64_t at_ns_ = 0;
  std::map<std::int32_t, std::int32_t> layers_by_name_;
  std::int32_t layer_ = kNoIndex;
  std::int64_t layer_from_ns_ = 0;
  std::int64_t layer_to_ns_ = 0;
  bool decodes_ = false;
};

}  // namespace

Timeline timeline_of_ranges(const AttachRecord& record, const NameRules& rules) {
  return RangeTimeline(record, rules).make();
}

}  // namespace dachlast::viewmodel
