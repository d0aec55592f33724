#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/engine/engine.h"
#include "core/engine/rope_tables.h"
#include "core/engine/step_memory.h"
#include "core/engine/step_runner.h"
#include "core/hardware/device_roofs.h"
#include "core/hardware/gpu_roofs.h"
#include "core/kv_cache/kv_memory.h"
#include "core/kv_cache/kv_step.h"

namespace dachlast {

/// What a device is, for the record.
struct EngineDeviceFacts {
  std::string name;  // "NVIDIA H100 80GB HBM3"
  int compute_capability = 0;
  double memory_bytes = 0.0;
  double free_bytes = 0.0;
  std::string pci_bus_id;  // "0000:41:00.0"; empty: not known
};

/// Bytes that a device holds for each purpose right now, by its own accounts.
struct DeviceUse {
  double weight_bytes = 0.0;
  double kv_cache_bytes = 0.0;
  double activation_bytes = 0.0;
  double workspace_bytes = 0.0;
  double peak_bytes = 0.0;  // most of all together so far
};

/// How large the probes of a device's roofs are. Sums of bandwidth must come from memory, not from the last cache, whose largest
/// has 126 MB (B200); products must be large enough to fill every multiprocessor.
struct DeviceProbes {
  std::size_t bytes = std::size_t{1} << 30;
  int product_side = 8192;
  int n_repeats = 10;
};

/// Sizes of the work of a calibration. The defaults are for GPUs; tests take small ones.
struct GpuCalibrationPlan {
  std::size_t dram_bytes = std::size_t{4} << 30;  // capped at a quarter of the free memory; 80 times an L2 of 50 MiB
  std::size_t link_bytes = std::size_t{256} << 20;
  int gemm_size = 8192;  // of m, n and k: 1.1 TFLOP a product, a millisecond on the fastest
  int n_repeats = 10;
  int n_launches = 1000;                                   // of empty kernels, for their time one after the other
  std::size_t cache_traffic_bytes = std::size_t{4} << 30;  // through L2 in one launch
  std::size_t small_reduce_bytes = std::size_t{8} << 10;  // an all-reduce that is all latency: a token of 4,096 in bf16
  std::string nccl_library = "libnccl.so.2";
};

/// Told the name of each probe that begins; what it throws ends the calibration.
using GpuProbeWatch = std::function<void(const std::string& what)>;

/// All that a step can be: what memory is planned from.
struct StepBounds {
  const ModelSpec& model;
  const EngineOptions& options;
  const StepSizes& sizes;
  std::span<const Op> prefill;  // of the largest step
  std::span<const Op> decode;
  int step_tokens = 0;  // of one sequence, at most
  double rope_bytes = 0.0;
};

/// Weights as a device keeps them; others may hold on to them, so that the next engine finds them there.
class DeviceWeights {
 public:
  virtual ~DeviceWeights() = default;
  virtual double bytes() const = 0;
};

/// A computer in the computer, with kernels and memory of its own. Lives in a library that is opened at run time: everything
/// it is told comes through its arguments, and nothing of the program's other code is in it.
/// Errors   throws `Error`: kDevice where it fails, kDoesNotFit where its memory is short.
/// Threads  one caller.
class EngineDevice : public KvDevice {
 public:
  virtual EngineDeviceFacts facts() const = 0;
  virtual DeviceUse use() const = 0;

  /// Bandwidth of its memory (read, copy) and peaks of matrix products (bf16, f32), measured now, in less than a second.
  virtual DeviceRoofs measure_roofs(const DeviceProbes& probes) = 0;

  /// All roofs of the device, in some tens of seconds; `host_id` and `measured_at` are the caller's.
  virtual GpuRoofs calibrate(const GpuCalibrationPlan& plan, const GpuProbeWatch& began) = 0;

  /// Names that an engine's options may force, fastest first; "" is everybody's choice.
  virtual std::span<const std::string_view> attention_variants() const = 0;
  virtual std::span<const std::string_view> linear_variants() const = 0;

  /// What a runner for these bounds will allocate.
  virtual RunnerMemory plan(const StepBounds& bounds) const = 0;

  /// Copies weights, or finds them where they are since somebody holds them. `weights` must not change or go before them.
  /// `ops`: any step's.
  virtual std::shared_ptr<const DeviceWeights> upload(const ModelSpec& model, const Weights& weights,
                                                      std::span<const Op> ops) = 0;

  /// Everything named must outlive the runner.
  virtual std::unique_ptr<StepRunner> make_runner(const StepBounds& bounds, const Weights& weights,
                                                  const RopeTables& rope_tables, KvStep& cache) = 0;
};

}  // namespace dachlast
