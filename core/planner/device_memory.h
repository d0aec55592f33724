#pragma once

namespace dachlast {

/// Memory of one device, in bytes.
struct DeviceMemory {
  double weights = 0.0;
  double kv_cache = 0.0;
  double activations = 0.0;
  double workspace = 0.0;
  double runtime = 0.0;

  double total() const { return weights + kv_cache + activations + workspace + runtime; }
};

}  // namespace dachlast
