#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/profile/gpu_trace.h"
#include "core/profile/name_rules.h"
#include "core/viewmodel/timeline.h"

namespace dachlast::viewmodel {

/// The GPUs of a recording that did something, by number.
struct RecordedDevice {
  std::int32_t device = 0;
  std::string name;  // "GPU 0, NVIDIA H100 80GB HBM3"
};
std::vector<RecordedDevice> devices_of(const GpuTrace& trace);

/// What another profiler recorded, as a timeline of one GPU, of the one that worked longest where none is asked for: annotated steps, operators and kernels. A step
/// lasts there from its annotation on the host, or from the end of the step before where that is later, to the end of the last
/// event it launched, as in `phase_devices`; an operator from its first kernel to its last. Gaps before a kernel whose launch
/// came later than the end of what ran before are launch gaps. Layers are there where the ranges around launches name them, by
/// their payload or by `rules`: one lasts from its first kernel to its last. Memory and clock are not in such recordings.
Timeline timeline_of_trace(const GpuTrace& trace, const NameRules& rules, std::optional<std::int32_t> device = {});

}  // namespace dachlast::viewmodel
