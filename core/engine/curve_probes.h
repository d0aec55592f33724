#pragma once

#include <vector>

#include "core/hardware/device_roofs.h"
#include "core/hardware/host.h"
#include "core/model/model_spec.h"
#include "core/model/op_list.h"

namespace dachlast {

/// A made-up model to time operations with. Its sizes are those of no known model, so that no prediction was measured
/// before.
struct CurveProbe {
  ModelSpec model;
  WeightType weights;
  KvFormat kv = KvFormat::kF32;
  MemoryLevel level = MemoryLevel::kDram;  // that holds its weights
  std::vector<int> batches;                // of decode steps with a short cache
  std::vector<int> prompts;                // tokens of a prefill
  std::vector<int> contexts;               // of decode steps of `context_batch` sequences
  int context_batch = 1;
};

/// Bytes of the last cache of all cores; 0 where the system hides it.
double last_cache_bytes(const HostTopology& host);

/// For every type of weights three widths with weights in DRAM, and one in the last cache; for every cache format
/// attention over short and long contexts with heads of 64 and 128. DRAM means four times the last cache, STREAM's
/// rule.
std::vector<CurveProbe> curve_probes(const HostTopology& host);

}  // namespace dachlast
