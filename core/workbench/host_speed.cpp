#include "core/workbench/host_speed.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/engine/curve_calibration.h"
#include "core/hardware/host.h"
#include "core/store/roof_store.h"
#include "core/workbench/run_request.h"
#include "core/workbench/workbench.h"

namespace dachlast {
namespace {

constexpr std::string_view kThisMachine = "this-machine";

void add_roofs(const DeviceRoofs& roofs, int n_threads, DeviceSpec& device) {
  device.memory.front().bandwidth = roofs.bandwidth(MemoryLevel::kDram, AccessPattern::kRead, n_threads);
  for (const DType dtype : kAllDTypes)
    if (const auto peak = roofs.peak(dtype, n_threads)) device.peaks.push_back({compute_type_of(dtype), *peak});
}

}  // namespace

bool is_this_machine(std::string_view device) {
  return device == kThisMachine || device == "cpu";
}

DeviceSpec host_device() {
  const HostTopology host = read_host_topology();
  DeviceSpec device;
  device.id = kThisMachine;
  device.name = host.cpu_name.empty() ? "this computer" : host.cpu_name;
  device.memory = {{.kind = PoolKind::kDevice,
                    .capacity = Bytes{host.available_memory_bytes},
                    .basis = CapacityBasis::kReported,
                    .marketing_gb = {},
                    .bandwidth = {}}};
  device.n_units = host.n_cores;
  if (const auto roofs = RoofStore().latest(host_id()))
    add_roofs(*roofs, static_cast<int>(host.core_ids.size()), device);
  return device;
}

std::optional<CpuTimer> host_timer(const std::string& host_id, int n_threads, ModelSpec model,
                                   const Precision& precision) {
  const auto curves = RoofStore().curves(host_id, n_threads);
  if (!curves || missing_kernels(model)) return std::nullopt;
  try {
    CpuTimer timer(std::move(model), precision, CpuCurves(*curves));
    timer.seconds(Step{.phase = Phase::kPrefill, .batch_size = 1, .q_len = 1, .kv_len = 1});
    return timer;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kDevice) return std::nullopt;
    throw;
  }
}

std::optional<Precision> engine_precision(const PlanScenario& scenario) {
  const StorageFormat& format = scenario.weights.is_quantized() ? scenario.weights.quantized : scenario.weights.rest;
  auto weights = weight_type_from_name(format.name);
  const auto cache = kv_format_from_name(scenario.cache.name);
  if (!weights || !cache) return std::nullopt;
  if (*weights == DType::kF16) weights = DType::kF32;  // widened, as `run` does
  return Precision{.weights = *weights, .kv = {*cache}};
}

Seconds point_time(const CpuTimer& timer, const Step& step, int most_tokens) {
  Seconds sum;
  int read = step.kv_len - step.q_len;
  while (read < step.kv_len) {
    Step piece = step;
    piece.q_len = std::min(most_tokens, step.kv_len - read);
    read += piece.q_len;
    piece.kv_len = read;
    sum += Seconds{timer.seconds(piece)};
  }
  return sum;
}

void calibrate_host_curves(JobObserver& observer, std::stop_token stop) {
  constexpr int kProgressSteps = 100;
  const HostTopology host = read_host_topology();
  const auto probes = curve_probes(host);
  RoofStore().save(calibrate_curves(
      host, probes, static_cast<int>(host.core_ids.size()), std::move(stop), [&](const CalibrationProgress& progress) {
        observer.began("Timing operations: " + progress.what, static_cast<int>(progress.fraction * kProgressSteps),
                       kProgressSteps);
      }));
}

}  // namespace dachlast
