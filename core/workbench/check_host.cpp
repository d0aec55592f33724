#include <fmt/core.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/collect/cupti/cupti_state.h"
#include "core/hardware/host.h"
#include "core/hardware/nccl_library.h"
#include "core/hardware/nvidia_driver.h"
#include "core/store/roof_store.h"
#include "core/trace/mark.h"
#include "core/viewmodel/format.h"
#include "core/workbench/workbench.h"

namespace dachlast {
namespace {

using State = HostCheck::State;
using viewmodel::Measure;

std::string capacity(double bytes) {
  return viewmodel::format(Measure::kCapacity, bytes, viewmodel::Rounding::kDown);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

HostCheck check_cpu(const HostTopology& host) {
  const int n_usable = static_cast<int>(host.core_ids.size());
  const std::string finding = fmt::format("{}, {} of {} usable", host.cpu_name, viewmodel::format_count(n_usable),
                                          viewmodel::counted(host.n_cores, "core", "cores"));
  if (n_usable >= host.n_cores) return {"CPU", State::kGood, finding, {}};
  return {"CPU", State::kLimited, finding,
          "The affinity mask or CPU quota of this process keeps the other cores away."};
}

HostCheck check_instructions(const HostTopology& host) {
  if (host.isa.empty())
    return {"Vector instructions", State::kLimited, "plain C++ only", "Kernels run in their portable variants."};
  return {"Vector instructions", State::kGood, joined(host.isa), {}};
}

HostCheck check_caches(const HostTopology& host) {
  std::vector<std::string> levels;
  for (const auto& cache : host.caches)
    levels.push_back(fmt::format("L{} {} × {}", cache.level, cache.n_instances, capacity(cache.size_bytes)));
  if (levels.empty())
    return {"Caches", State::kLimited, "hidden by the system",
            "Cache roofs are left out; DRAM is measured all the same."};
  return {"Caches", State::kGood, joined(levels), {}};
}

HostCheck check_memory(const HostTopology& host) {
  const std::string finding =
      fmt::format("{} free of {}", capacity(host.available_memory_bytes), capacity(host.memory_bytes));
  constexpr double kComfortable = 2.0 * kGiB;  // DRAM probe and a small model side by side
  if (host.available_memory_bytes >= kComfortable) return {"Memory", State::kGood, finding, {}};
  return {"Memory", State::kLimited, finding, "Free some memory, or measure small models only."};
}

HostCheck check_roofs() {
  try {
    const auto roofs = RoofStore().latest(host_id());
    if (roofs)
      return {"Roofs", State::kGood, fmt::format("measured {}", viewmodel::format_date(roofs->measured_at)), {}};
    return {"Roofs", State::kMissing, "not measured on this computer", "Run `dachlast calibrate`, some minutes."};
  } catch (const Error& error) {
    return {"Roofs", State::kMissing, error.what(), "Run `dachlast calibrate` after removing the file."};
  }
}

HostCheck check_models() {
  try {
    const auto presets = list_presets();
    const auto n_bundled =
        std::count_if(presets.begin(), presets.end(), [](const PresetInfo& preset) { return preset.has_weights; });
    return {"Bundled models", State::kGood, fmt::format("{} presets, {} with weights", presets.size(), n_bundled), {}};
  } catch (const Error& error) {
    return {"Bundled models", State::kMissing, error.reason(), error.way_out()};
  }
}

HostCheck check_nvtx() {
  if (trace::has_nvtx())
    return {"NVTX ranges", State::kGood, "built in; a foreign profiler sees phases and operations", {}};
  return {"NVTX ranges", State::kLimited, "not in this build; spans of the program itself are recorded all the same",
          "Build where the NVTX 3 headers are (CUDA toolkit) to see phases in other profilers."};
}

HostCheck check_gpu_roofs(int index, const std::string& gpu) {
  const std::string command = fmt::format("`dachlast calibrate --gpu cuda:{}`", index);
  try {
    if (const auto roofs = RoofStore().latest_of_gpu(host_id(), index, gpu))
      return {"GPU roofs", State::kGood, fmt::format("measured {}", viewmodel::format_date(roofs->measured_at)), {}};
    return {"GPU roofs", State::kMissing, "not measured on this GPU", fmt::format("Run {}.", command)};
  } catch (const Error& error) {
    return {"GPU roofs", State::kMissing, error.what(), fmt::format("Run {} after removing the file.", command)};
  }
}

/// The driver, and each GPU it knows.
std::vector<HostCheck> check_gpus() {
  const NvidiaDriver driver = read_nvidia_driver();
  if (!driver.cuda_version)
    return {{"NVIDIA driver", State::kMissing, driver.reason,
             "Install it where GPUs are to be seen; planning needs none."}};
  std::vector<HostCheck> checks = {
      {"NVIDIA driver",
       driver.reason.empty() ? State::kGood : State::kLimited,
       fmt::format("serves CUDA {}.{}{}", *driver.cuda_version / 1000, *driver.cuda_version % 1000 / 10,
                   driver.reason.empty() ? "" : "; " + driver.reason),
       {}}};
  for (int index = 0; index < static_cast<int>(driver.gpus.size()); ++index) {
    const DriverGpu& gpu = driver.gpus[static_cast<std::size_t>(index)];
    checks.push_back({"GPU", State::kLimited,
                      fmt::format("{}, {}, compute capability {}.{}", gpu.name, capacity(gpu.memory_bytes),
                                  gpu.compute_capability / 10, gpu.compute_capability % 10),
                      "`dachlast run --gpu cuda` measures on it, with an engine that has run on no GPU before."});
    checks.push_back(check_gpu_roofs(index, gpu.name));
  }
  return checks;
}

/// Needed for one roof alone, so that nobody without several GPUs misses it.
HostCheck check_nccl() {
  const NcclState nccl = read_nccl_state();
  if (nccl.version)
    return {"NCCL", State::kGood, fmt::format("{}; calibrate measures all-reduces with it", *nccl.version), {}};
  return {"NCCL", State::kLimited, nccl.reason, "Only all-reduces between GPUs cannot be measured without it."};
}

HostCheck check_counters() {
  switch (read_counter_access()) {
    case CounterAccess::kEveryone: return {"GPU counters", State::kGood, "open to all users", {}};
    case CounterAccess::kByRank:
      return {"GPU counters", State::kGood, "restricted to administrators, of whom this process is one", {}};
    case CounterAccess::kRestricted:
      return {"GPU counters", State::kLimited, "restricted to administrators on this computer",
              "Ask for NVreg_RestrictProfilingToAdminUsers=0, or attach without --counters."};
    case CounterAccess::kUnknown: break;
  }
  return {"GPU counters", State::kLimited, "the driver does not say who may read them",
          "Inside a container, the computer around it decides; attach says what was refused."};
}

HostCheck check_cupti() {
  const CuptiState cupti = read_cupti_state();
  if (!cupti.version)
    return {"CUPTI", State::kLimited, cupti.reason, "attach records annotations alone, no kernels of GPUs."};
  return {"CUPTI", State::kLimited,
          fmt::format("{}; attach records kernels and counters with it", cupti_version_text(*cupti.version)),
          "This part has never run on a GPU."};
}

HostCheck check_cuda_kernels() {
#ifdef DACHLAST_CUDA_TARGETS
  return {"CUDA kernels", State::kLimited, "compiled for " DACHLAST_CUDA_TARGETS "; none has run on a GPU yet",
          "scripts/gpu-check.sh runs them where there is one."};
#else
  return {"CUDA kernels", State::kLimited, "not in this build", "Build with nvcc on the PATH."};
#endif
}

}  // namespace

std::vector<HostCheck> check_host() {
  const HostTopology host = read_host_topology();
  std::vector<HostCheck> checks = {check_cpu(host), check_instructions(host), check_caches(host), check_memory(host),
                                   check_roofs(),   check_models(),           check_nvtx()};
  for (HostCheck& check : check_gpus()) checks.push_back(std::move(check));
  if (read_nvidia_driver().cuda_version) checks.push_back(check_counters());
  checks.push_back(check_cupti());
  if (read_nvidia_driver().gpus.size() > 1) checks.push_back(check_nccl());
  checks.push_back(check_cuda_kernels());
  return checks;
}

}  // namespace dachlast
