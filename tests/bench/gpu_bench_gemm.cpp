#include "tests/bench/gpu_bench.h"

namespace dachlast::bench {

std::unique_ptr<kernels::cuda::Gemm> make_gemm() {
  return std::make_unique<kernels::cuda::Gemm>(DACHLAST_CUBLASLT_LIBRARY);
}

}  // namespace dachlast::bench
