// The one file that knows cuBLASLt. Has not run on a GPU.
#include <cublasLt.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "kernels/cuda/cublaslt/gemm_api.h"

namespace dachlast::kernels::cuda {
namespace {

/// A status of cuBLASLt that is not success.
struct Refusal {
  std::string what;
  cublasStatus_t status;
};

void check(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS) throw Refusal{what, status};
}

template <auto kDestroy>
struct Destroyer {
  template <class T>
  void operator()(T* descriptor) const {
    kDestroy(descriptor);
  }
};
using Operation = std::unique_ptr<cublasLtMatmulDescOpaque_t, Destroyer<cublasLtMatmulDescDestroy>>;
using Matrix = std::unique_ptr<cublasLtMatrixLayoutOpaque_t, Destroyer<cublasLtMatrixLayoutDestroy>>;
using Preference = std::unique_ptr<cublasLtMatmulPreferenceOpaque_t, Destroyer<cublasLtMatmulPreferenceDestroy>>;

struct Types {
  cudaDataType_t operands;
  cudaDataType_t sums;  // and scale and y
  cublasComputeType_t compute;
};

Types types_of(GemmType type) {
  switch (type) {
    case GemmType::kBF16: return {CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    case GemmType::kF16: return {CUDA_R_16F, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    case GemmType::kTF32: return {CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32};
    case GemmType::kF32: return {CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    case GemmType::kFp8: return {CUDA_R_8F_E4M3, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    case GemmType::kInt8: break;
  }
  return {CUDA_R_8I, CUDA_R_32I, CUBLAS_COMPUTE_32I};
}

/// `stride`: elements from one column to the next.
Matrix matrix(cudaDataType_t type, int rows, int columns, int stride) {
  cublasLtMatrixLayout_t layout = nullptr;
  check(cublasLtMatrixLayoutCreate(&layout, type, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns),
                                   stride),
        "layout of a matrix");
  return Matrix(layout);
}

/// cuBLASLt thinks in columns: a row-major [n, k] is to it a matrix of k rows and n columns. So
///   yᵀ [n, m] = (w as k × n)ᵀ · (x as k × m),
/// which is also the one order of transposition that fp8 has.
struct Plan {
  Operation operation;
  Matrix w, x, y;
  cublasLtMatmulAlgo_t algorithm;
  std::size_t workspace_bytes;  // that it was chosen with
};

Plan plan_of(cublasLtHandle_t handle, const GemmShape& shape, std::size_t workspace_bytes) {
  const Types types = types_of(shape.type);
  cublasLtMatmulDesc_t operation = nullptr;
  check(cublasLtMatmulDescCreate(&operation, types.compute, types.sums), "description of the product");
  Plan plan{Operation(operation),
            matrix(types.operands, shape.k, shape.n, shape.k),
            matrix(types.operands, shape.k, shape.m, shape.k),
            matrix(types.sums, shape.n, shape.m, shape.y_stride == 0 ? shape.n : shape.y_stride),
            {},
            workspace_bytes};
  const cublasOperation_t transposed = CUBLAS_OP_T;
  check(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed),
        "transposition");
  cublasLtMatmulPreference_t preference = nullptr;
  check(cublasLtMatmulPreferenceCreate(&preference), "preference");
  const Preference owner(preference);
  check(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace_bytes,
                                             sizeof workspace_bytes),
        "workspace");
  cublasLtMatmulHeuristicResult_t best{};
  int n_found = 0;
  check(cublasLtMatmulAlgoGetHeuristic(handle, operation, plan.w.get(), plan.x.get(), plan.y.get(), plan.y.get(),
                                       preference, 1, &best, &n_found),
        "choice of an algorithm");
  if (n_found == 0) throw Refusal{"choice of an algorithm", CUBLAS_STATUS_NOT_SUPPORTED};
  plan.algorithm = best.algo;
  return plan;
}

/// A handle and the algorithms chosen so far.
class Library {
 public:
  Library() { check(cublasLtCreate(&handle_), "start"); }
  ~Library() { cublasLtDestroy(handle_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  void run(const GemmShape& shape, const GemmOperands& operands, Stream stream) {
    const Plan& plan = plan_for(shape, operands.workspace_bytes);
    // alpha and beta have the type of the sums.
    const float one = 1.0F, zero = 0.0F;
    const std::int32_t whole_one = 1, whole_zero = 0;
    const bool integers = shape.type == GemmType::kInt8;
    const void* alpha = integers ? static_cast<const void*>(&whole_one) : &one;
    const void* beta = integers ? static_cast<const void*>(&whole_zero) : &zero;
    check(cublasLtMatmul(handle_, plan.operation.get(), alpha, operands.w, plan.w.get(), operands.x, plan.x.get(), beta,
                         operands.y, plan.y.get(), operands.y, plan.y.get(), &plan.algorithm, operands.workspace,
                         operands.workspace_bytes, stream),
          "product");
  }

 private:
  const Plan& plan_for(const GemmShape& shape, std::size_t workspace_bytes) {
    const auto found = plans_.find(shape);
    if (found != plans_.end() && found->second.workspace_bytes <= workspace_bytes) return found->second;
    return plans_.insert_or_assign(shape, plan_of(handle_, shape, workspace_bytes)).first->second;
  }

  cublasLtHandle_t handle_ = nullptr;
  std::map<GemmShape, Plan> plans_;
};

void tell(const Refusal& refusal, char* reason) {
  const std::string text = refusal.what + ": " + cublasLtGetStatusName(refusal.status);
  const std::size_t length = std::min<std::size_t>(text.size(), kGemmReasonBytes - 1);
  std::memcpy(reason, text.data(), length);
  reason[length] = '\0';
}

void* open(char* reason) {
  try {
    return new Library;
  } catch (const Refusal& refusal) {
    tell(refusal, reason);
    return nullptr;
  }
}

void close(void* handle) {
  delete static_cast<Library*>(handle);
}

int run(void* handle, const GemmShape* shape, const GemmOperands* operands, Stream stream, char* reason) {
  try {
    static_cast<Library*>(handle)->run(*shape, *operands, stream);
    return 0;
  } catch (const Refusal& refusal) {
    tell(refusal, reason);
    return 1;
  }
}

constexpr GemmApi kApi{kGemmApiVersion, open, close, run};

}  // namespace
}  // namespace dachlast::kernels::cuda

extern "C" const dachlast::kernels::cuda::GemmApi* dachlast_gemm_api() {
  return &dachlast::kernels::cuda::kApi;
}
