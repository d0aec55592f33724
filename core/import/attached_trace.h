#pragma once

#include <vector>

#include "core/profile/gpu_profile.h"
#include "core/profile/gpu_trace.h"
#include "core/profile/name_rules.h"
#include "core/trace/attach_record.h"

namespace dachlast {

/// What the GPUs of an attached program did, in the form of recordings of other profilers: each event under the innermost
/// range that was open on the thread whose call launched it, and under the step around that.
GpuTrace attached_trace(const AttachRecord& record, const NameRules& rules);

/// The counters of an attached program's kernels, in the order of their launches; empty where none were measured.
std::vector<CounterKernel> attached_counters(const AttachRecord& record, const NameRules& rules);

}  // namespace dachlast
