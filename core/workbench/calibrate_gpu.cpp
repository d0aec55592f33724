#include "core/workbench/calibrate_gpu.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "core/base/error.h"
#include "core/hardware/host.h"
#include "core/store/roof_store.h"

namespace dachlast {

GpuRoofs calibrate_device(EngineDevice& device, JobObserver& observer, std::stop_token stop,
                          const GpuCalibrationPlan& plan) {
  int n_begun = 0;
  const auto began = [&](const std::string& what) {
    if (stop.stop_requested()) throw Error(ErrorKind::kInterrupted, "calibrate", "It was stopped; nothing was stored.");
    constexpr int kProbes = 11;  // of one GPU; links to others come on top
    observer.began("Measuring roofs: " + what, n_begun, std::max(kProbes, n_begun + 1));
    ++n_begun;
  };
  GpuRoofs roofs = device.calibrate(plan, began);
  roofs.host_id = host_id();
  roofs.measured_at = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  RoofStore().save(roofs);
  return roofs;
}

}  // namespace dachlast
