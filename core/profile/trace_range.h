#pragma once

#include <cstdint>

#include "core/profile/gpu_profile.h"
#include "core/profile/gpu_trace.h"
#include "core/profile/name_rules.h"

namespace dachlast {

/// A part of a recording's time, by the recording's own clock.
struct TraceRange {
  std::int64_t from_ns = 0;
  std::int64_t to_ns = 0;

  friend bool operator==(const TraceRange&, const TraceRange&) = default;
};

/// A recording as if it had been made of one part of its time alone.
struct TracePart {
  GpuTrace trace;
  std::int64_t n_cut_calls = 0;  // of operators with shapes: an edge of the range cuts what they launched
};

/// An event that an edge cuts is there by its part inside. Operators whose work is known keep only calls of which everything
/// lies inside: a part of a call has a time, but nobody knows its part of the work. A step is there, whole, where any of its
/// events is; a sample of the GPU where all of it is.
TracePart part_of(const GpuTrace& trace, const TraceRange& range);

/// What a part of a recording says about where GPU time went. Every device's span is the range's, so time at its edges in
/// which nothing ran is idle; devices that did nothing in it are there too. A remark says what the edges cut.
GpuProfile summarize(const GpuTrace& trace, const NameRules& rules, const TraceRange& range);

}  // namespace dachlast
