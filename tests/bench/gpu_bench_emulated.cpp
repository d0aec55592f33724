#include "tests/bench/gpu_bench.h"
#include "tests/emulation/gemm.h"

namespace dachlast::bench {

std::unique_ptr<kernels::cuda::Gemm> make_gemm() {
  return std::make_unique<kernels::cuda::Gemm>(emulation::gemm_api());
}

}  // namespace dachlast::bench
