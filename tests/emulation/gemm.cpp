#include "tests/emulation/gemm.h"

#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <bit>
#include <cstring>
#include <limits>
#include <vector>

#include "core/base/half.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/queues.h"

namespace dachlast::emulation {
namespace {

using kernels::cuda::GemmOperands;
using kernels::cuda::GemmShape;
using kernels::cuda::GemmType;

int products = 0;

std::size_t bytes_of(GemmType type) {
  switch (type) {
    case GemmType::kBF16:
    case GemmType::kF16: return 2;
    case GemmType::kTF32:
    case GemmType::kF32: return 4;
    case GemmType::kFp8:
    case GemmType::kInt8: break;
  }
  return 1;
}

/// What tensor cores leave of a float: 10 bits of mantissa, cut off.
float to_tf32(float x) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0xffffe000u);
}

double element(GemmType type, const void* array, std::size_t i) {
  switch (type) {
    case GemmType::kBF16: return to_float(static_cast<const BF16*>(array)[i]);
    case GemmType::kF16: return __half2float(static_cast<const __half*>(array)[i]);
    case GemmType::kTF32: return to_tf32(static_cast<const float*>(array)[i]);
    case GemmType::kF32: return static_cast<const float*>(array)[i];
    case GemmType::kFp8:
      return __half2float(__half(__nv_cvt_fp8_to_halfraw(static_cast<const __nv_fp8_storage_t*>(array)[i], __NV_E4M3)));
    case GemmType::kInt8: break;
  }
  return static_cast<const std::int8_t*>(array)[i];
}

bool is_aligned(const void* address, std::size_t to) {
  return reinterpret_cast<std::uintptr_t>(address) % to == 0;
}

std::size_t y_stride(const GemmShape& s) {
  return static_cast<std::size_t>(s.y_stride == 0 ? s.n : s.y_stride);
}

/// Every row of y that is written lies in device memory.
bool takes_y(const GemmShape& s, void* y) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(s.m); ++i)
    if (!touch_buffer(static_cast<float*>(y) + i * y_stride(s), static_cast<std::size_t>(s.n) * 4, Access::kWrite))
      return false;
  return true;
}

bool takes(const GemmShape& s, const GemmOperands& o) {
  const std::size_t k_bytes = static_cast<std::size_t>(s.k) * bytes_of(s.type);
  return is_aligned(o.x, 16) && is_aligned(o.w, 16) && is_aligned(o.y, 16) && is_aligned(o.workspace, 256) &&
         touch_buffer(o.x, static_cast<std::size_t>(s.m) * k_bytes, Access::kRead) &&
         touch_buffer(o.w, static_cast<std::size_t>(s.n) * k_bytes, Access::kRead) &&
         touch_buffer(o.workspace, o.workspace_bytes, Access::kWrite) && takes_y(s, o.y);
}

std::vector<double> widened(GemmType type, const void* array, int rows, int columns) {
  std::vector<double> values(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = element(type, array, i);
  return values;
}

cudaError_t multiply(const GemmShape& s, const GemmOperands& o) {
  if (!takes(s, o)) return cudaErrorInvalidValue;
  ++products;
  const std::vector<double> x = widened(s.type, o.x, s.m, s.k), w = widened(s.type, o.w, s.n, s.k);
  const auto k = static_cast<std::size_t>(s.k);
  for (std::size_t i = 0; i < static_cast<std::size_t>(s.m); ++i)
    for (std::size_t j = 0; j < static_cast<std::size_t>(s.n); ++j) {
      double sum = 0.0;
      for (std::size_t l = 0; l < k; ++l) sum += x[i * k + l] * w[j * k + l];
      const std::size_t at = i * y_stride(s) + j;
      if (s.type == GemmType::kInt8)
        static_cast<std::int32_t*>(o.y)[at] = static_cast<std::int32_t>(sum);
      else
        static_cast<float*>(o.y)[at] = static_cast<float>(sum);
    }
  return cudaSuccess;
}

void* open(char*) {
  return &products;  // any address but null
}
void close(void*) {}

int run(void*, const GemmShape* shape, const GemmOperands* operands, kernels::cuda::Stream stream, char* reason) {
  const cudaError_t status = queue(stream, [s = *shape, o = *operands] { return multiply(s, o); });
  if (status == cudaSuccess) return 0;
  std::strcpy(reason, "product: operands in no device memory, or not aligned");
  return 1;
}

}  // namespace

const kernels::cuda::GemmApi& gemm_api() {
  static constexpr kernels::cuda::GemmApi kApi{kernels::cuda::kGemmApiVersion, open, close, run};
  return kApi;
}

int n_products() {
  return products;
}

}  // namespace dachlast::emulation
