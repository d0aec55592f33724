#pragma once

#include "core/planner/engine_profile.h"
#include "core/planner/rank_load.h"

namespace dachlast {

/// Memory that loading takes on a rank beyond the bytes of its weights.
struct LoadOverhead {
  double padding = 0.0;    // what kernels need matrices rounded up to
  double allocator = 0.0;  // rounding of whole segments
  double tables = 0.0;     // cosines and sines of every position

  double total() const { return padding + allocator + tables; }
};

/// Of stage `stage`. Nothing for engines whose allocator is not known.
/// Source   the engine's `weight_allocator` and `mxfp4_padding` facts
LoadOverhead load_overhead(const ModelSpec& model, const WeightFormat& weights, const Layout& layout,
                           const EngineProfile& engine, const DeviceSpec& device, int stage);

}  // namespace dachlast
