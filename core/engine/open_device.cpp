#include "core/engine/open_device.h"

#include <fmt/core.h>

#include <charconv>
#include <filesystem>
#include <string>

#include "core/base/error.h"
#include "core/base/program_library.h"
#include "core/engine/cuda_plugin.h"
#include "core/hardware/nvidia_driver.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLibrary = "libdachlast_cuda.so";
constexpr const char* kGemmLibrary = "libdachlast_cublaslt.so";

std::string text_of(int device) {
  return fmt::format("cuda:{}", device);
}

std::shared_ptr<EngineDevice> open_cuda(int device) {
  const std::optional<fs::path> library = program_library(kLibrary);
  if (!library)
    throw Error(ErrorKind::kDevice, text_of(device),
                fmt::format("This build has no CUDA engine: {} is not where the installation puts it, ../lib/dachlast.",
                            kLibrary),
                "Build with nvcc on the PATH, or leave --gpu out to measure on the CPU.");
  const auto& plugin =
      open_plugin<CudaPlugin>(*library, kCudaPluginName, kCudaPluginVersion,
                              "Install the CUDA runtime (libcudart) that this program was built with.");
  return plugin.open(device, (library->parent_path() / kGemmLibrary).c_str());
}

}  // namespace

DeviceChoice parse_device(std::string_view option, std::string_view text) {
  if (text == "cpu") return {};
  if (text == "cuda") return {.cuda_device = 0};
  constexpr std::string_view kPrefix = "cuda:";
  if (text.starts_with(kPrefix)) {
    const std::string_view number = text.substr(kPrefix.size());
    int device = 0;
    const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), device);
    if (failed == std::errc() && end == number.data() + number.size() && device >= 0) return {.cuda_device = device};
  }
  throw Error(ErrorKind::kUsage, fmt::format("{} {}", option, text), "not a device to measure on.",
              "Use cpu, cuda, or cuda:N for the N-th GPU, counted from 0.");
}

std::shared_ptr<EngineDevice> open_device(const DeviceChoice& choice) {
  if (!choice.cuda_device) return nullptr;
  if (const NvidiaDriver driver = read_nvidia_driver(); driver.gpus.empty())
    throw Error(ErrorKind::kDevice, text_of(*choice.cuda_device), driver.reason + ".",
                "Install NVIDIA's driver where there is a GPU, or leave --gpu out to measure on the CPU; `dachlast "
                "doctor` says what this computer allows.");
  return open_cuda(*choice.cuda_device);
}

}  // namespace dachlast
