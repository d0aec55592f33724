#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/cuda/stream.h"

namespace dachlast::kernels::cuda {

/// What a product is computed in: elements of x and w, sums and y.
enum class GemmType : std::uint8_t {
  kBF16,  // bf16, float
  kF16,   // f16, float
  kTF32,  // float rounded to 10 bits of mantissa, float
  kF32,   // float, float; not on tensor cores
  kFp8,   // E4M3, float; k and n multiples of 16
  kInt8   // int8, int32; k and n multiples of 4
};

struct GemmShape {
  int m;
  int n;
  int k;
  GemmType type;
  int y_stride = 0;  // elements from one row of y to the next; 0: n

  friend constexpr auto operator<=>(const GemmShape&, const GemmShape&) = default;
};

/// Device memory of a product. w, x and y start on 16 bytes, `workspace` on 256.
struct GemmOperands {
  const void* x;
  const void* w;
  void* y;
  void* workspace;
  std::size_t workspace_bytes;
};

struct GemmApi;  // what the shared object exports

/// What NVIDIA advises for Hopper, where most algorithms split k: 32 MiB; less is taken and rules some of them out.
/// Source   cuBLAS documentation, cublasSetWorkspace.
inline constexpr std::size_t kGemmWorkspaceBytes = std::size_t{32} << 20;

/// y[i, j] = Σ_l x[i, l] · w[j, l] through cuBLASLt: x [m, k], w [n, k], y [m, n], row-major, rows of y
/// `y_stride` apart. Lives in a shared object that is opened when the first product is needed: cuBLASLt takes 0.3 s to load, and programs
/// that plan or measure the CPU shall not wait for it. Keeps the algorithm chosen for each shape.
/// Threads  one at a time.
class Gemm {
 public:
  /// Errors   `Error` of kind kDevice where the library, cuBLASLt or the driver is missing.
  explicit Gemm(const std::string& library);
  /// The same behind other functions: what a host computes with in the tests.
  explicit Gemm(const GemmApi& api);
  ~Gemm();
  Gemm(const Gemm&) = delete;
  Gemm& operator=(const Gemm&) = delete;

  /// Errors   `Error` naming shape and reason where cuBLASLt has no algorithm or refuses.
  void run(const GemmShape& shape, const GemmOperands& operands, Stream stream);

 private:
  const GemmApi* api_;
  void* handle_;
};

}  // namespace dachlast::kernels::cuda
