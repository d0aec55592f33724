#include "core/collect/gpu_clock_power.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include "core/base/program_library.h"

namespace dachlast {
namespace {

// The few functions of NVML that are needed, declared here as nvml.h does: this file is built without it.
using NvmlDevice = struct NvmlDeviceOpaque*;
using NvmlInit = int();
using NvmlShutdown = int();
using NvmlErrorString = const char*(int result);
using NvmlDeviceByBus = int(const char* pci_bus_id, NvmlDevice* device);
using NvmlClock = int(NvmlDevice device, int clock, unsigned* mhz);
using NvmlPower = int(NvmlDevice device, unsigned* milliwatts);

constexpr int kNvmlSuccess = 0;
constexpr int kMultiprocessorClock = 1;  // NVML_CLOCK_SM

trace::QuantitySource told_or_refused(int result, NvmlErrorString* error_string) {
  if (result == kNvmlSuccess) return {.source = "NVML", .reason = {}};
  return {.source = {}, .reason = fmt::format("NVML answers: {}.", error_string(result))};
}

}  // namespace

/// An opened library and a device in it.
struct GpuClockPowerReader::Nvml {
  explicit Nvml(void* library)
      : init(library_function<NvmlInit>(library, "nvmlInit_v2")),
        shutdown(library_function<NvmlShutdown>(library, "nvmlShutdown")),
        error_string(library_function<NvmlErrorString>(library, "nvmlErrorString")),
        device_by_bus(library_function<NvmlDeviceByBus>(library, "nvmlDeviceGetHandleByPciBusId_v2")),
        clock(library_function<NvmlClock>(library, "nvmlDeviceGetClockInfo")),
        power(library_function<NvmlPower>(library, "nvmlDeviceGetPowerUsage")) {}

  bool complete() const {
    return init != nullptr && shutdown != nullptr && error_string != nullptr && device_by_bus != nullptr &&
           clock != nullptr && power != nullptr;
  }

  NvmlInit* init;
  NvmlShutdown* shutdown;
  NvmlErrorString* error_string;
  NvmlDeviceByBus* device_by_bus;
  NvmlClock* clock;
  NvmlPower* power;
  NvmlDevice device = nullptr;
};

GpuClockPowerReader::GpuClockPowerReader(const std::string& pci_bus_id, const std::string& library) {
  const std::string reason = open(pci_bus_id, library);
  if (!reason.empty()) sources_ = {{{}, reason}, {{}, reason}};
}

/// Why there is nothing to read; empty where there is.
std::string GpuClockPowerReader::open(const std::string& pci_bus_id, const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);  // stays, as the driver does
  if (handle == nullptr) return fmt::format("{} is not there, which comes with NVIDIA's driver.", library);
  auto nvml = std::make_unique<Nvml>(handle);
  if (!nvml->complete()) return fmt::format("{} lacks functions of NVML.", library);
  const auto answer_of = [&](int result) { return fmt::format("NVML answers: {}.", nvml->error_string(result)); };
  if (const int result = nvml->init(); result != kNvmlSuccess) return answer_of(result);
  if (const int result = nvml->device_by_bus(pci_bus_id.c_str(), &nvml->device); result != kNvmlSuccess) {
    nvml->shutdown();
    return answer_of(result);
  }
  unsigned value = 0;
  sources_.clock = told_or_refused(nvml->clock(nvml->device, kMultiprocessorClock, &value), nvml->error_string);
  sources_.power = told_or_refused(nvml->power(nvml->device, &value), nvml->error_string);
  nvml_ = std::move(nvml);
  return {};
}

GpuClockPowerReader::~GpuClockPowerReader() {
  if (nvml_) nvml_->shutdown();
}

trace::ClockPowerSample GpuClockPowerReader::read_at(std::int64_t now_ns) {
  trace::ClockPowerSample sample{.at_ns = now_ns, .clock_hz = {}, .power_w = {}};
  if (!nvml_) return sample;
  unsigned value = 0;
  if (nvml_->clock(nvml_->device, kMultiprocessorClock, &value) == kNvmlSuccess) sample.clock_hz = 1e6 * value;
  if (nvml_->power(nvml_->device, &value) == kNvmlSuccess) sample.power_w = 1e-3 * value;
  return sample;
}

}  // namespace dachlast
