#pragma once

#include <string>
#include <vector>

#include "core/hardware/device_roofs.h"

namespace dachlast {

/// A rate or a time of a GPU as it was measured.
struct GpuRoof {
  std::string what;   // "DRAM read", "host to device", "GEMM bf16"
  std::string with;   // "4.00 GiB", "8,192 × 8,192 × 8,192"
  RoofSample sample;  // bytes/s, FLOP/s or seconds, as its list says
};

/// The ceilings of one GPU, measured on it.
struct GpuRoofs {
  std::string device;
  std::string host_id;  // of the computer it sits in
  int index = 0;        // as the driver counts
  int compute_capability = 0;
  std::string measured_at;                // ISO 8601 UTC
  std::vector<GpuRoof> bandwidths;        // bytes/s
  std::vector<GpuRoof> peaks;             // FLOP/s, of int8 OP/s
  std::vector<GpuRoof> latencies;         // seconds
  std::vector<std::string> not_measured;  // what, and why
};

}  // namespace dachlast
