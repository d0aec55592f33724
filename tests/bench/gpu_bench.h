#pragma once

#include <memory>

#include "kernels/cuda/gemm.h"

namespace dachlast::bench {

/// cuBLASLt, or what stands in its place where the benchmark runs on the host.
std::unique_ptr<kernels::cuda::Gemm> make_gemm();

}  // namespace dachlast::bench
