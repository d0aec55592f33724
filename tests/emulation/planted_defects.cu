// Kernels with one defect each, and the same without it: what the emulation must find, and must not.
#include "tests/emulation/planted_defects.h"

namespace dachlast::emulation {
namespace {

constexpr int kThreads = 64;

struct Shared {
  float values[kThreads];
};

struct Arguments {
  Defect defect;
  const float* in;
  float* out;
};

/// out[i] = in[n − 1 − i], through shared memory.
__global__ void reverse_kernel(const Arguments a) {
  DACHLAST_SHARED(Shared, shared);
  const int i = static_cast<int>(threadIdx.x);
  const int beyond = a.defect == Defect::kReadOutOfRange ? 1 : 0;
  shared.values[i] = a.in[i + beyond];
  if (a.defect == Defect::kSharedOutOfRange && i == 0) shared.values[blockDim.x] = 1.0f;
  if (a.defect != Defect::kNoBarrier) __syncthreads();
  a.out[i + (a.defect == Defect::kWriteOutOfRange && i == kThreads - 1 ? 1 : 0)] = shared.values[kThreads - 1 - i];
  if (a.defect == Defect::kOverwrittenTooSoon) shared.values[i] = 0.0f;
}

__global__ void barrier_kernel(const Arguments a) {
  const bool lower = threadIdx.x < 32;
  if (a.defect == Defect::kBarrierInOneBranch && lower) __syncthreads();
  if (a.defect == Defect::kOtherBarrierInEachBranch) {
    if (lower)
      __syncthreads();
    else
      __syncthreads();
  }
  if (a.defect == Defect::kEndBeforeBarrier && threadIdx.x == 5) return;
  if (a.defect == Defect::kEndBeforeBarrier) __syncthreads();
  a.out[threadIdx.x] = 1.0f;
}

__global__ void shuffle_kernel(const Arguments a) {
  const unsigned mask = a.defect == Defect::kLaneOutsideMask ? 0x7fffffffu : 0xffffffffu;
  float x = a.in[threadIdx.x];
  if (a.defect != Defect::kShuffleInOneBranch || threadIdx.x % 32 < 16) x += __shfl_xor_sync(mask, x, 1);
  a.out[threadIdx.x] = x;
}

/// Copies the vector as a whole: of one that is used by elements the compiler loads only those, each aligned.
__global__ void vector_kernel(const Arguments a) {
  if (threadIdx.x != 0) return;
  const auto* from = reinterpret_cast<const float4*>(a.in + (a.defect == Defect::kMisaligned ? 1 : 4));
  *reinterpret_cast<float4*>(a.out) = *from;
}

/// The lanes of a warp exchange values through shared memory.
__global__ void warp_kernel(const Arguments a) {
  DACHLAST_SHARED(Shared, shared);
  shared.values[threadIdx.x] = a.in[threadIdx.x];
  if (a.defect != Defect::kNoWarpBarrier) __syncwarp();
  a.out[threadIdx.x] = shared.values[threadIdx.x ^ 1u];
}

template <class Kernel>
void run_kernel(Kernel* kernel, const Arguments& a) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(1);
  config.blockDim = dim3(kThreads);
  config.dynamicSmemBytes = a.defect == Defect::kTooLittleSharedMemory ? sizeof(Shared) / 2 : sizeof(Shared);
  static_cast<void>(cudaLaunchKernelEx(&config, kernel, a));
}

}  // namespace

void run_planted(PlantedKernel kernel, Defect defect, const float* in, float* out) {
  const Arguments a{defect, in, out};
  switch (kernel) {
    case PlantedKernel::kReverse: return run_kernel(reverse_kernel, a);
    case PlantedKernel::kBarrier: return run_kernel(barrier_kernel, a);
    case PlantedKernel::kShuffle: return run_kernel(shuffle_kernel, a);
    case PlantedKernel::kVector: return run_kernel(vector_kernel, a);
    case PlantedKernel::kWarp: return run_kernel(warp_kernel, a);
  }
}

}  // namespace dachlast::emulation
