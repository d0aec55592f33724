#pragma once

#include <optional>
#include <string>
#include <vector>

namespace dachlast {

/// A GPU as the driver describes it.
struct DriverGpu {
  std::string name;
  double memory_bytes;
  int compute_capability;  // 90 for 9.0
};

/// What the NVIDIA driver says. Asks libcuda.so.1 itself, opened by name: this program links no CUDA library, and several
/// of those crash where there is no driver.
struct NvidiaDriver {
  std::optional<int> cuda_version;  // newest CUDA it serves, 13000 for 13.0; empty where there is no driver
  std::vector<DriverGpu> gpus;
  std::string reason;  // why there is no version, or no GPU; else empty
};

/// Numbers  return codes as in cuda.h: 0 success, 100 no device.
/// Memory   the driver stays loaded, as it must once it has been initialised.
NvidiaDriver read_nvidia_driver(const std::string& library = "libcuda.so.1");

}  // namespace dachlast
