#pragma once

#include <memory>
#include <string>

#include "core/collect/clock_power.h"

namespace dachlast {

/// Reads clock and power of one NVIDIA GPU from the library that comes with its driver. That is asked by name: programs link none
/// of it.
///
/// The clock is that of the multiprocessors. Power is the whole board's; from Ampere on, GA100 left out, NVML states its mean over the
/// last second, before that of the moment.
/// Source   NVML API reference: nvmlDeviceGetClockInfo, nvmlDeviceGetPowerUsage.
class GpuClockPowerReader : public ClockPowerReader {
 public:
  /// `pci_bus_id`: of the GPU, "0000:41:00.0", whatever CUDA_VISIBLE_DEVICES leaves visible.
  explicit GpuClockPowerReader(const std::string& pci_bus_id, const std::string& library = "libnvidia-ml.so.1");
  ~GpuClockPowerReader() override;
  GpuClockPowerReader(const GpuClockPowerReader&) = delete;
  GpuClockPowerReader& operator=(const GpuClockPowerReader&) = delete;

  const trace::ClockPowerSources& sources() const override { return sources_; }
  trace::ClockPowerSample read_at(std::int64_t now_ns) override;

 private:
  struct Nvml;

  std::string open(const std::string& pci_bus_id, const std::string& library);

  std::unique_ptr<const Nvml> nvml_;  // nullptr: nothing to read
  trace::ClockPowerSources sources_;
};

}  // namespace dachlast
