#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/profile/gpu_trace.h"

namespace dachlast {

/// A range on one thread of the host: an operator's call or an annotation.
struct HostRange {
  std::uint64_t thread = 0;  // any value that tells threads apart
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
};

/// Sorts by thread, then start, the longer first, so that ranges stand behind the ones around them.
/// Returns the order: `order[i]` is the index of the range that comes i-th.
std::vector<std::uint32_t> nesting_order(std::span<const HostRange> ranges);

/// For every range, in nesting order, the position of the innermost one around it, or kNoIndex.
std::vector<std::int32_t> parents_of(std::span<const HostRange> ordered);

/// Finds the innermost range around a moment on a thread.
class RangeFinder {
 public:
  /// `ordered` in nesting order with its `parents`; both must outlive the finder.
  RangeFinder(std::span<const HostRange> ordered, std::span<const std::int32_t> parents)
      : ordered_(ordered), parents_(parents) {}

  /// Position in `ordered`, or kNoIndex.
  std::int32_t innermost(std::uint64_t thread, std::int64_t at_ns) const;

 private:
  std::span<const HostRange> ordered_;
  std::span<const std::int32_t> parents_;
};

/// The annotations of a recording, as operations of the host that launches are assigned to.
class NestedRanges {
 public:
  /// `layer`: of the model, where the range says so, else kNoIndex.
  void add(const HostRange& range, std::uint32_t name, std::int32_t layer = kNoIndex);

  /// Nests what was added and appends it to `ops`, which holds nothing else.
  void nest(std::vector<HostOp>& ops);

  /// Index in the operations, or kNoIndex.
  std::int32_t innermost(std::uint64_t thread, std::int64_t at_ns) const;

 private:
  std::vector<HostRange> ranges_;  // in nesting order behind `nest`
  std::vector<std::uint32_t> names_;
  std::vector<std::int32_t> layers_;
  std::vector<std::int32_t> parents_;
};

}  // namespace dachlast
