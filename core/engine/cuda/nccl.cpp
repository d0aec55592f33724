// The one file that knows NCCL. Has not run on a GPU.
#include "core/engine/cuda/nccl.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include <vector>

#include "core/base/error.h"

namespace dachlast {
namespace {

// The few functions that are needed, declared here as nccl.h of NCCL 2 does: a build needs no NCCL.
using Comm = struct ncclComm*;
using GetVersion = int(int* version);
using GetErrorString = const char*(int result);
using CommInitAll = int(Comm* comms, int n_devices, const int* devices);
using CommDestroy = int(Comm comm);
using GroupStart = int();
using GroupEnd = int();
using AllReduce = int(const void* sent, void* received, std::size_t count, int type, int op, Comm comm,
                      kernels::cuda::Stream stream);

constexpr int kSuccess = 0, kFloat32 = 7, kSum = 0;  // ncclSuccess, ncclFloat32, ncclSum

constexpr const char* kWayOut = "Install NVIDIA's libnccl2, or put its folder into LD_LIBRARY_PATH.";

void* opened(const std::string& library) {
  // Never closed: NCCL keeps threads of its own.
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    throw Error(ErrorKind::kDevice, "NCCL", fmt::format("It does not load: {}.", dlerror()), kWayOut);
  return handle;
}

template <class Function>
Function* function(void* library, const char* name) {
  auto* const found = reinterpret_cast<Function*>(dlsym(library, name));
  if (found == nullptr) throw Error(ErrorKind::kDevice, "NCCL", fmt::format("The library has no {}.", name), kWayOut);
  return found;
}

}  // namespace

struct Nccl::State {
  explicit State(void* library)
      : get_version(function<GetVersion>(library, "ncclGetVersion")),
        get_error_string(function<GetErrorString>(library, "ncclGetErrorString")),
        comm_init_all(function<CommInitAll>(library, "ncclCommInitAll")),
        comm_destroy(function<CommDestroy>(library, "ncclCommDestroy")),
        group_start(function<GroupStart>(library, "ncclGroupStart")),
        group_end(function<GroupEnd>(library, "ncclGroupEnd")),
        reduce(function<AllReduce>(library, "ncclAllReduce")) {}

  void check(int result, const char* what) const {
    if (result != kSuccess)
      throw Error(ErrorKind::kDevice, "NCCL", fmt::format("{}: {}.", what, get_error_string(result)),
                  "NCCL_DEBUG=WARN makes it say more.");
  }

  GetVersion* get_version;
  GetErrorString* get_error_string;
  CommInitAll* comm_init_all;
  CommDestroy* comm_destroy;
  GroupStart* group_start;
  GroupEnd* group_end;
  AllReduce* reduce;
  std::vector<Comm> comms;
};

Nccl::Nccl(const std::string& library, int n_devices) : state_(std::make_unique<State>(opened(library))) {
  std::vector<Comm> comms(static_cast<std::size_t>(n_devices));
  state_->check(state_->comm_init_all(comms.data(), n_devices, nullptr), "start");
  state_->comms = std::move(comms);
}

Nccl::~Nccl() {
  for (Comm comm : state_->comms) state_->comm_destroy(comm);
}

/// Source   NVIDIA/nccl:src/nccl.h.in, NCCL_VERSION: major · 10000 + minor · 100 + patch since 2.9.
std::string Nccl::version() const {
  int version = 0;
  state_->check(state_->get_version(&version), "version");
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

void Nccl::all_reduce(std::span<const ReducePart> parts, std::size_t n) {
  state_->check(state_->group_start(), "all-reduce");
  int status = kSuccess;
  for (std::size_t rank = 0; rank < parts.size() && status == kSuccess; ++rank)
    status = state_->reduce(parts[rank].sent, parts[rank].received, n, kFloat32, kSum, state_->comms[rank],
                            parts[rank].stream);
  const int ended = state_->group_end();  // whatever came before: a group left open would swallow all later calls
  state_->check(status, "all-reduce");
  state_->check(ended, "all-reduce");
}

}  // namespace dachlast
