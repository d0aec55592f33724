#include "core/hardware/nvidia_driver.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstddef>

#include "core/base/program_library.h"

namespace dachlast {
namespace {

// The few functions of the driver API that are needed, declared here as cuda.h does: this file is built without it.
using Init = int(unsigned flags);
using DriverVersion = int(int* version);
using DeviceCount = int(int* count);
using DeviceName = int(char* name, int length, int device);
using DeviceMemory = int(std::size_t* bytes, int device);
using DeviceAttribute = int(int* value, int attribute, int device);

constexpr int kSuccess = 0, kNoDevice = 100;
constexpr int kCapabilityMajor = 75, kCapabilityMinor = 76;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR

/// Functions of an opened library; a missing one is null and the driver then not one of ours.
struct DriverApi {
  Init* init;
  DriverVersion* version;
  DeviceCount* device_count;
  DeviceName* device_name;
  DeviceMemory* device_memory;
  DeviceAttribute* device_attribute;

  explicit DriverApi(void* library)
      : init(library_function<Init>(library, "cuInit")),
        version(library_function<DriverVersion>(library, "cuDriverGetVersion")),
        device_count(library_function<DeviceCount>(library, "cuDeviceGetCount")),
        device_name(library_function<DeviceName>(library, "cuDeviceGetName")),
        device_memory(library_function<DeviceMemory>(library, "cuDeviceTotalMem_v2")),
        device_attribute(library_function<DeviceAttribute>(library, "cuDeviceGetAttribute")) {}

  bool complete() const {
    return init != nullptr && version != nullptr && device_count != nullptr && device_name != nullptr &&
           device_memory != nullptr && device_attribute != nullptr;
  }
};

/// Empty where the driver does not answer.
std::optional<DriverGpu> read_gpu(const DriverApi& api, int device) {
  std::array<char, 256> name{};
  std::size_t bytes = 0;
  int major = 0, minor = 0;
  if (api.device_name(name.data(), static_cast<int>(name.size()) - 1, device) != kSuccess ||
      api.device_memory(&bytes, device) != kSuccess ||
      api.device_attribute(&major, kCapabilityMajor, device) != kSuccess ||
      api.device_attribute(&minor, kCapabilityMinor, device) != kSuccess)
    return std::nullopt;
  return DriverGpu{name.data(), static_cast<double>(bytes), major * 10 + minor};
}

}  // namespace

NvidiaDriver read_nvidia_driver(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return {{}, {}, fmt::format("no NVIDIA driver ({} is not there)", library)};
  const DriverApi api(handle);
  if (!api.complete()) return {{}, {}, fmt::format("{} lacks functions of the CUDA driver", library)};
  NvidiaDriver driver;
  const int status = api.init(0);
  int version = 0, n_gpus = 0;
  if (api.version(&version) == kSuccess) driver.cuda_version = version;
  if (status == kNoDevice || (status == kSuccess && api.device_count(&n_gpus) == kSuccess && n_gpus == 0))
    driver.reason = "the driver finds no GPU";
  else if (status != kSuccess)
    driver.reason = fmt::format("the driver does not start (cuInit: error {})", status);
  for (int device = 0; device < n_gpus; ++device) {
    if (const auto gpu = read_gpu(api, device))
      driver.gpus.push_back(*gpu);
    else
      driver.reason = fmt::format("the driver does not describe GPU {}", device);
  }
  return driver;
}

}  // namespace dachlast
