#include "core/hardware/nccl_library.h"

#include <dlfcn.h>
#include <fmt/core.h>

namespace dachlast {

/// Source   NVIDIA/nccl:src/nccl.h.in, NCCL_VERSION: major · 10000 + minor · 100 + patch since 2.9.
NcclState read_nccl_state(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return {{}, fmt::format("{} is not there", library)};
  const auto get_version = reinterpret_cast<int (*)(int*)>(dlsym(handle, "ncclGetVersion"));
  int version = 0;
  if (get_version == nullptr || get_version(&version) != 0) return {{}, fmt::format("{} does not answer", library)};
  return {fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100), {}};
}

}  // namespace dachlast
