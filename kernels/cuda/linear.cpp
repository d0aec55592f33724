#include "kernels/cuda/linear.h"

#include <algorithm>
#include <string>

#include "core/base/error.h"
#include "kernels/cuda/step_ops.h"
#include "kernels/cuda/weight_gemv.h"

namespace dachlast::kernels::cuda {
namespace {

// Rows of weights that are written out at once: 64 MiB of 4,096 columns, enough rows for tensor cores to be busy, while the
// widest head of a vocabulary takes no more room than a layer.
constexpr int kPieceRows = 8192;

constexpr std::size_t kAlignment = 256;  // what cuBLASLt's workspace needs

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

std::size_t elements(int rows, int columns) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
}

std::size_t rounded_bytes(const LinearShape& s) {
  return aligned(elements(s.m, s.k) * sizeof(BF16));
}

int piece_rows(const LinearShape& s) {
  return std::min(s.n, kPieceRows);
}

// ---- gemv

void run_gemv(const CudaLinearCall& call, Stream stream) {
  weight_gemv(call.shape, call.x, std::get<PackedMatrix>(call.w), call.bias, call.y, stream);
}

// ---- cublaslt

std::size_t gemm_workspace(const LinearShape&) {
  return kGemmWorkspaceBytes;
}
std::size_t rounded_workspace(const LinearShape& s) {
  return kGemmWorkspaceBytes + rounded_bytes(s);
}
std::size_t unpacked_workspace(const LinearShape& s) {
  return rounded_workspace(s) + aligned(elements(piece_rows(s), s.k) * sizeof(BF16));
}

/// The workspace, cut: cuBLASLt's part, then x in bf16, then a piece of the weights.
std::span<BF16> rounded_part(const CudaLinearCall& call) {
  auto* const start = reinterpret_cast<BF16*>(call.workspace.data() + kGemmWorkspaceBytes);
  return {start, elements(call.shape.m, call.shape.k)};
}
BF16* unpacked_part(const CudaLinearCall& call) {
  return reinterpret_cast<BF16*>(call.workspace.data() + kGemmWorkspaceBytes + rounded_bytes(call.shape));
}

std::span<const BF16> rounded(const CudaLinearCall& call, Stream stream) {
  const std::span<BF16> x = rounded_part(call);
  round_to_bf16(call.x.first(x.size()), x, stream);
  return x;
}

GemmOperands operands(const CudaLinearCall& call, const void* x, const void* w, float* y) {
  return {x, w, y, call.workspace.data(), kGemmWorkspaceBytes};
}

void finish(const CudaLinearCall& call, Stream stream) {
  if (!call.bias.empty()) add_bias(call.shape.m, call.bias, call.y, stream);
}

void run_bf16(const CudaLinearCall& call, Stream stream) {
  const LinearShape& s = call.shape;
  const auto w = std::get<std::span<const BF16>>(call.w);
  call.gemm->run({s.m, s.n, s.k, GemmType::kBF16},
                 operands(call, rounded(call, stream).data(), w.data(), call.y.data()), stream);
  finish(call, stream);
}

void run_f32(const CudaLinearCall& call, Stream stream) {
  const LinearShape& s = call.shape;
  const auto w = std::get<std::span<const float>>(call.w);
  call.gemm->run({s.m, s.n, s.k, GemmType::kF32}, operands(call, call.x.data(), w.data(), call.y.data()), stream);
  finish(call, stream);
}

void run_unpacked(const CudaLinearCall& call, Stream stream) {
  const LinearShape& s = call.shape;
  const auto& w = std::get<PackedMatrix>(call.w);
  const std::span<const BF16> x = rounded(call, stream);
  BF16* const unpacked = unpacked_part(call);
  static_assert(kPieceRows % kPanelRows == 0);
  for (int first = 0; first < s.n; first += kPieceRows) {
    const int n = std::min(kPieceRows, s.n - first);
    unpack_panels(w, first / kPanelRows, {unpacked, elements(n, s.k)}, stream);
    call.gemm->run({s.m, n, s.k, GemmType::kBF16, s.n}, operands(call, x.data(), unpacked, call.y.data() + first),
                   stream);
  }
  finish(call, stream);
}

// ---- the list

bool panels(const WeightStorage& storage) {
  return storage.layout == WeightLayout::kPanels;
}
bool bf16_rows(const WeightStorage& storage) {
  return !panels(storage) && storage.type == DType::kBF16;
}
bool f32_rows(const WeightStorage& storage) {
  return !panels(storage) && storage.type == DType::kF32;
}
bool few_rows(const LinearShape& s) {
  return s.m <= kMostGemvRows;
}
bool any_shape(const LinearShape&) {
  return true;
}
std::size_t no_workspace(const LinearShape&) {
  return 0;
}

constexpr CudaLinearVariant kVariants[] = {
    {{"gemv", run_gemv, always_supported, DType::kF32}, panels, few_rows, no_workspace},
    {{"unpacked", run_unpacked, always_supported, DType::kBF16}, panels, any_shape, unpacked_workspace},
    {{"cublaslt", run_bf16, always_supported, DType::kBF16}, bf16_rows, any_shape, rounded_workspace},
    {{"cublaslt", run_f32, always_supported, DType::kF32}, f32_rows, any_shape, gemm_workspace},
};

}  // namespace

std::span<const CudaLinearVariant> linear_variants() {
  return kVariants;
}

const CudaLinearVariant& linear_variant_for(const LinearShape& shape, const WeightStorage& storage,
                                            std::string_view forced) {
  for (const CudaLinearVariant& variant : kVariants)
    if (variant.takes(storage) && (forced.empty() ? variant.suits(shape) : variant.name == forced)) return variant;
  throw Error(ErrorKind::kUsage, "linear variant",
              "No CUDA kernel \"" + std::string(forced) + "\" takes weights kept as these.",
              "Leave the choice to the program.");
}

}  // namespace dachlast::kernels::cuda
