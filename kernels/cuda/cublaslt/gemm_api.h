#pragma once

#include "kernels/cuda/gemm.h"

// What the shared object with cuBLASLt exports: plain functions, so that neither side depends on how the other was built.
namespace dachlast::kernels::cuda {

inline constexpr const char* kGemmApiName = "dachlast_gemm_api";
inline constexpr int kGemmApiVersion = 2;
inline constexpr int kGemmReasonBytes = 160;

struct GemmApi {
  int version;
  /// Null with a reason of at most `kGemmReasonBytes` where cuBLASLt does not start.
  void* (*open)(char* reason);
  void (*close)(void* handle);
  /// 0, or another number with a reason.
  int (*run)(void* handle, const GemmShape* shape, const GemmOperands* operands, Stream stream, char* reason);
};

}  // namespace dachlast::kernels::cuda
