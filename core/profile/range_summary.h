#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/profile/gpu_profile.h"
#include "core/profile/name_rules.h"
#include "core/trace/attach_record.h"

namespace dachlast {

/// All ranges of one name and domain. Self time leaves out the ranges that were pushed inside on the same thread.
struct RangeTimes {
  std::string name;
  std::string domain;  // empty: the default one
  EventTimes times;
  std::int64_t self_ns = 0;
  std::int64_t n_cut = 0;  // that the program's end cut off
};

/// What annotated steps say of a phase, as for recordings of GPUs.
struct StepTimes {
  std::string label;  // "prefill", "decode", "mixed"
  EventTimes times;
};

/// Where the annotated time of an attached program went. Groups are in order of their time, the longest first.
struct RangeSummary {
  std::vector<RangeTimes> ranges;
  std::vector<StepTimes> steps;  // of ranges that `rules` know as steps, the outermost ones
  std::int64_t span_ns = 0;      // from the first start to the last end
  std::int64_t n_ranges = 0;
  std::int64_t n_dropped = 0;
  std::int64_t n_cut = 0;
};

/// Marks have no length and are left out.
RangeSummary summarize(const AttachRecord& record, const NameRules& rules);

}  // namespace dachlast
