#pragma once

#include <vector>

#include "core/profile/gpu_trace.h"
#include "core/profile/name_rules.h"
#include "core/viewmodel/timeline.h"

namespace dachlast::viewmodel {

/// What another profiler recorded, as a timeline of the GPU that worked longest: annotated steps, operators and kernels. A step
/// lasts there from its annotation on the host, or from the end of the step before where that is later, to the end of the last
/// event it launched, as in `phase_devices`; an operator from its first kernel to its last. Gaps before a kernel whose launch
/// came later than the end of what ran before are launch gaps. Layers, memory and clock are not in such recordings.
Timeline timeline_of_trace(const GpuTrace& trace, const NameRules& rules);

}  // namespace dachlast::viewmodel
