#include "core/import/launch_links.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace dachlast {

std::vector<std::uint32_t> nesting_order(std::span<const HostRange> ranges) {
  std::vector<std::uint32_t> order(ranges.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const HostRange& x = ranges[a];
    const HostRange& y = ranges[b];
    return std::tie(x.thread, x.start_ns, y.end_ns) < std::tie(y.thread, y.start_ns, x.end_ns);
  });
  return order;
}

std::vector<std::int32_t> parents_of(std::span<const HostRange> ordered) {
  std::vector<std::int32_t> parents(ordered.size(), kNoIndex);
  std::vector<std::int32_t> open;
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    const auto surrounds = [&](std::int32_t outer) {
      const HostRange& range = ordered[static_cast<std::size_t>(outer)];
      return range.thread == ordered[i].thread && range.end_ns >= ordered[i].end_ns;
    };
    while (!open.empty() && !surrounds(open.back())) open.pop_back();
    if (!open.empty()) parents[i] = open.back();
    open.push_back(static_cast<std::int32_t>(i));
  }
  return parents;
}

std::int32_t RangeFinder::innermost(std::uint64_t thread, std::int64_t at_ns) const {
  const auto after = std::upper_bound(ordered_.begin(), ordered_.end(), std::pair(thread, at_ns),
                                      [](const std::pair<std::uint64_t, std::int64_t>& moment, const HostRange& range) {
                                        return moment < std::pair(range.thread, range.start_ns);
                                      });
  if (after == ordered_.begin()) return kNoIndex;
  auto position = static_cast<std::int32_t>(after - ordered_.begin()) - 1;
  if (ordered_[static_cast<std::size_t>(position)].thread != thread) return kNoIndex;
  while (position != kNoIndex && ordered_[static_cast<std::size_t>(position)].end_ns < at_ns)
    position = parents_[static_cast<std::size_t>(position)];
  return position;
}

void NestedRanges::add(const HostRange& range, std::uint32_t name, std::int32_t layer) {
  ranges_.push_back(range);
  layers_.push_back(layer);
  names_.push_back(name);
}

void NestedRanges::nest(std::vector<HostOp>& ops) {
  const std::vector<std::uint32_t> order = nesting_order(ranges_);
  std::vector<HostRange> nested;
  nested.reserve(order.size());
  for (const std::uint32_t index : order) nested.push_back(ranges_[index]);
  ranges_ = std::move(nested);
  parents_ = parents_of(ranges_);
  for (std::size_t i = 0; i < order.size(); ++i)
    ops.push_back({names_[order[i]], parents_[i], kNoIndex, layers_[order[i]]});
}

std::int32_t NestedRanges::innermost(std::uint64_t thread, std::int64_t at_ns) const {
  return RangeFinder(ranges_, parents_).innermost(thread, at_ns);
}

}  // namespace dachlast
