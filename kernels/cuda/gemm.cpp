#include "kernels/cuda/gemm.h"

#include <dlfcn.h>

#include <array>

#include "core/base/error.h"
#include "kernels/cuda/cublaslt/gemm_api.h"

namespace dachlast::kernels::cuda {
namespace {

constexpr const char* kWayOut = "`dachlast doctor` says what this computer's driver and devices allow.";

const GemmApi* open_library(const std::string& library) {
  // Never closed: cuBLASLt keeps state of its own until the process ends.
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw Error(ErrorKind::kDevice, library, dlerror(), "Build with nvcc on the PATH.");
  const auto api = reinterpret_cast<const GemmApi* (*)()>(dlsym(handle, kGemmApiName));
  if (api == nullptr) throw Error(ErrorKind::kDevice, library, "is no library of Dachlast's.");
  if (api()->version != kGemmApiVersion)
    throw Error(ErrorKind::kDevice, library, "belongs to another version of Dachlast.", "Install both together.");
  return api();
}

}  // namespace

Gemm::Gemm(const std::string& library) : Gemm(*open_library(library)) {}

Gemm::Gemm(const GemmApi& api) : api_(&api), handle_(nullptr) {
  std::array<char, kGemmReasonBytes> reason{};
  handle_ = api_->open(reason.data());
  if (handle_ == nullptr) throw Error(ErrorKind::kDevice, "cuBLASLt", reason.data(), kWayOut);
}

Gemm::~Gemm() {
  api_->close(handle_);
}

void Gemm::run(const GemmShape& shape, const GemmOperands& operands, Stream stream) {
  std::array<char, kGemmReasonBytes> reason{};
  if (api_->run(handle_, &shape, &operands, stream, reason.data()) == 0) return;
  throw Error(
      ErrorKind::kDevice,
      "product of " + std::to_string(shape.m) + " × " + std::to_string(shape.n) + " × " + std::to_string(shape.k),
      reason.data(), kWayOut);
}

}  // namespace dachlast::kernels::cuda
