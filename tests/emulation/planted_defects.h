#pragma once

#include <cstdint>

namespace dachlast::emulation {

enum class PlantedKernel : std::uint8_t { kReverse, kBarrier, kShuffle, kVector, kWarp };

enum class Defect : std::uint8_t {
  kNone,
  kReadOutOfRange,
  kWriteOutOfRange,
  kSharedOutOfRange,
  kTooLittleSharedMemory,
  kNoBarrier,
  kOverwrittenTooSoon,
  kBarrierInOneBranch,
  kOtherBarrierInEachBranch,
  kEndBeforeBarrier,
  kLaneOutsideMask,
  kShuffleInOneBranch,
  kMisaligned,
  kNoWarpBarrier
};

/// Runs one block of 64 threads; `in` and `out` have 64 elements.
void run_planted(PlantedKernel kernel, Defect defect, const float* in, float* out);

}  // namespace dachlast::emulation
