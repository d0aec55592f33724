#pragma once

#include "kernels/cuda/cublaslt/gemm_api.h"

namespace dachlast::emulation {

/// Products as cuBLASLt's contract states them (kernels/cuda/gemm.h), on the host: sums in double, rounded once. Refuses
/// operands that lie in no device memory or are not aligned as cuBLASLt wants them.
const kernels::cuda::GemmApi& gemm_api();

/// Products done since the beginning.
int n_products();

}  // namespace dachlast::emulation
