#pragma once

// The runtime's own name for what cudaStream_t points to, so that contracts need no CUDA header.
struct CUstream_st;

namespace dachlast::kernels::cuda {

/// A queue of work on the current device; nullptr: the default one. Operations return when they are queued.
using Stream = CUstream_st*;

}  // namespace dachlast::kernels::cuda
