#pragma once

#include "core/hardware/gpu_roofs.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// All roofs of a GPU in one table: bandwidths, peaks, latencies. What could not be measured stands below it.
Table gpu_roof_table(const GpuRoofs& roofs);

}  // namespace dachlast::viewmodel
