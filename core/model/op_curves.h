#pragma once

#include <string>
#include <vector>

#include "core/base/op_cost.h"
#include "core/hardware/device_roofs.h"
#include "core/model/op_list.h"

namespace dachlast {

/// What the time of an operation depends on. Sizes that an operation does not have are 0.
struct OpFeatures {
  OpKind op = OpKind::kEmbed;
  std::string type;    // of the weights of a projection, of a cache, of a norm or an activation; empty: there is one
  double rows = 0.0;   // of a projection's input; new tokens of a sequence in attention
  double n = 0.0;      // rows of the matrix; elements of an elementwise operation; tokens attention sees
  double k = 0.0;      // columns of the matrix; width of a head
  double heads = 0.0;  // of attention, over all sequences
  double kv_heads = 0.0;
  double flops = 0.0;  // of attention: what masks leave
  double bytes = 0.0;  // of weights and cache that are read

  friend bool operator==(const OpFeatures&, const OpFeatures&) = default;
};

/// `cost`: of the operation, as its cost function counts it.
OpFeatures features_of(const Op& op, const OpCost& cost);

constexpr bool is_projection(OpKind op) {
  return op == OpKind::kQkvProj || op == OpKind::kOProj || op == OpKind::kMlpUp || op == OpKind::kMlpDown ||
         op == OpKind::kLmHead;
}

/// An operation as it was timed.
struct OpSample {
  OpFeatures features;
  MemoryLevel level = MemoryLevel::kDram;  // that holds all weights and the cache of the step
  double seconds = 0.0;                    // of one call, median
  double dram_rate = 0.0;                  // bytes/s that DRAM gave around it; 0: not probed
};

/// How fast this program's engine runs operations on one computer: measured by `calibrate` on made-up models.
struct HostCurves {
  std::string host_id;
  std::string measured_at;  // ISO 8601 UTC
  int n_threads = 0;
  double last_cache_bytes = 0.0;  // of the level that kL3 means; 0: not known, nothing was measured in it
  double gap_s = 0.0;             // between two operations: what the engine takes itself
  std::vector<OpSample> samples;
};

}  // namespace dachlast
