#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/load_monitor.h"
#include "core/hardware/device_roofs.h"
#include "kernels/cuda/gemm.h"

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
  int compute_capability = 0;
  std::vector<GpuRoof> bandwidths;  // bytes/s
  std::vector<GpuRoof> peaks;       // FLOP/s, of int8 OP/s
  std::vector<GpuRoof> latencies;   // seconds
  std::vector<LoadRemark> remarks;  // what could not be measured, and why
};

/// Sizes of the work. The defaults are for GPUs; tests take small ones.
struct GpuCalibrationPlan {
  std::size_t dram_bytes = std::size_t{4} << 30;  // capped at a quarter of the free memory; 80 times an L2 of 50 MiB
  std::size_t link_bytes = std::size_t{256} << 20;
  int gemm_size = 8192;  // of m, n and k: 1.1 TFLOP a product, a millisecond on the fastest
  int n_repeats = 10;
  int n_launches = 1000;                                   // of empty kernels, for their time one after the other
  std::size_t cache_traffic_bytes = std::size_t{4} << 30;  // read from L2 in one launch
};

/// Measures the roofs of GPU `index`: DRAM read, write and copy, L2 read, the link to the host both ways, products of each type,
/// launches alone, in a row and in a graph. A probe runs once before it is timed; events on the device take the time.
/// Numbers  a copy counts what is read and what is written. An L2 probe reads a quarter of the cache over and over.
/// Errors   throws `Error` (kDevice) where there is no such GPU; what one probe lacks is a remark.
GpuRoofs calibrate_gpu(int index, kernels::cuda::Gemm& gemm, const GpuCalibrationPlan& plan = {},
                       const std::function<void(const std::string& what)>& progress = {});

}  // namespace dachlast
