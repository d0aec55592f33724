#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "kernels/cuda/gemm.h"
#include "kernels/cuda/stream.h"
#include "kernels/linear.h"
#include "kernels/variant.h"

namespace dachlast::kernels::cuda {

/// A projection on a device: y[i, j] = Σ_l x[i, l] · w[j, l] + bias[j], with the shapes of kernels::Linear. Spans point to
/// device memory.
struct CudaLinearCall {
  LinearShape shape;
  std::span<const float> x;
  WeightSpan w;
  std::span<const float> bias;
  std::span<float> y;
  std::span<std::byte> workspace;  // the variant's `workspace_bytes`
  Gemm* gemm;
};

/// Queues a projection.
/// Errors   `Error` of kind kDevice where cuBLASLt or the launch refuses.
using CudaLinear = void(const CudaLinearCall& call, Stream stream);

struct CudaLinearVariant : Variant<CudaLinear> {
  bool (*takes)(const WeightStorage&);
  bool (*suits)(const LinearShape&);  // made for it
  std::size_t (*workspace_bytes)(const LinearShape&);
};

/// Most rows of x for which weights in panels are read as they are: two passes over them. Written out as bf16 they move
/// 2 + 2 bytes an element beside their own, more than eight passes over int4.
inline constexpr int kMostGemvRows = 8;

/// "gemv" (weights in panels, few rows of x, in float), "unpacked" (panels written out as bf16 a piece at a time, then
/// cuBLASLt), "cublaslt" once per type of weights in rows: bf16 rounds x to bf16, f32 keeps it.
std::span<const CudaLinearVariant> linear_variants();

/// The first variant that takes the weights and suits the shape, or the one named.
/// Errors   `Error` (kUsage) where none of that name takes the weights.
const CudaLinearVariant& linear_variant_for(const LinearShape& shape, const WeightStorage& storage,
                                            std::string_view forced = {});

}  // namespace dachlast::kernels::cuda
