#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>
#include <vector>

#include "tests/emulation/grid.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/planted_defects.h"

namespace dachlast::emulation {
namespace {

constexpr int kElements = 64;

/// 64 floats that kernels may touch, on a boundary that vectors need, with room that they may not.
class Watched {
 public:
  Watched() : data_(static_cast<float*>(std::aligned_alloc(256, 512))) {
    std::iota(data_, data_ + 2 * kElements, 0.0f);
    watch(data_, kElements * sizeof(float), "watched");
  }
  ~Watched() {
    unwatch(data_);
    std::free(data_);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  float* data() { return data_; }

 private:
  float* data_;
};

/// What the emulation says of a launch.
std::string fault_of(PlantedKernel kernel, Defect defect) {
  Watched in, out;
  run_planted(kernel, defect, in.data(), out.data());
  return fault();
}

TEST(Emulation, RightKernelsPassInAnyOrder) {
  for (const Schedule schedule : {Schedule::kForward, Schedule::kBackward}) {
    set_schedule(schedule);
    for (const PlantedKernel kernel : {PlantedKernel::kReverse, PlantedKernel::kBarrier, PlantedKernel::kShuffle,
                                       PlantedKernel::kVector, PlantedKernel::kWarp})
      EXPECT_EQ(fault_of(kernel, Defect::kNone), "");
  }
  set_schedule(Schedule::kForward);
}

TEST(Emulation, ComputesWhatTheKernelSays) {
  Watched in, out;
  run_planted(PlantedKernel::kReverse, Defect::kNone, in.data(), out.data());
  for (int i = 0; i < kElements; ++i) EXPECT_EQ(out.data()[i], 63.0f - static_cast<float>(i));
  run_planted(PlantedKernel::kShuffle, Defect::kNone, in.data(), out.data());
  for (int i = 0; i < kElements; ++i) EXPECT_EQ(out.data()[i], static_cast<float>(i + (i ^ 1)));
}

TEST(Emulation, FindsAccessesOutOfRange) {
  const std::string read = fault_of(PlantedKernel::kReverse, Defect::kReadOutOfRange);
  EXPECT_NE(read.find("out of range: a read of 4 bytes"), std::string::npos) << read;
  EXPECT_NE(read.find("thread 63"), std::string::npos) << read;
  const std::string write = fault_of(PlantedKernel::kReverse, Defect::kWriteOutOfRange);
  EXPECT_NE(write.find("out of range: a write of 4 bytes"), std::string::npos) << write;
  const std::string shared = fault_of(PlantedKernel::kReverse, Defect::kSharedOutOfRange);
  EXPECT_NE(shared.find("beyond the 256 bytes of shared memory"), std::string::npos) << shared;
  const std::string little = fault_of(PlantedKernel::kReverse, Defect::kTooLittleSharedMemory);
  EXPECT_NE(little.find("needs 256 bytes of shared memory, the launch gives 128"), std::string::npos) << little;
}

TEST(Emulation, FindsMisalignedVectors) {
  const std::string fault = fault_of(PlantedKernel::kVector, Defect::kMisaligned);
  EXPECT_NE(fault.find("misaligned read of 16 bytes"), std::string::npos) << fault;
}

TEST(Emulation, FindsRemovedBarriers) {
  for (const Schedule schedule : {Schedule::kForward, Schedule::kBackward}) {
    set_schedule(schedule);
    for (const auto& [kernel, defect] : {std::pair{PlantedKernel::kReverse, Defect::kNoBarrier},
                                         std::pair{PlantedKernel::kReverse, Defect::kOverwrittenTooSoon},
                                         std::pair{PlantedKernel::kWarp, Defect::kNoWarpBarrier}}) {
      const std::string fault = fault_of(kernel, defect);
      EXPECT_NE(fault.find("races with a"), std::string::npos) << static_cast<int>(defect) << ": " << fault;
    }
  }
  set_schedule(Schedule::kForward);
}

TEST(Emulation, FindsDivergentBarriers) {
  for (const Defect defect :
       {Defect::kBarrierInOneBranch, Defect::kOtherBarrierInEachBranch, Defect::kEndBeforeBarrier}) {
    const std::string fault = fault_of(PlantedKernel::kBarrier, defect);
    EXPECT_NE(fault.find("divergent barrier"), std::string::npos) << static_cast<int>(defect) << ": " << fault;
  }
}

TEST(Emulation, FindsIncompleteMasks) {
  const std::string outside = fault_of(PlantedKernel::kShuffle, Defect::kLaneOutsideMask);
  EXPECT_NE(outside.find("lane"), std::string::npos) << outside;
  const std::string divergent = fault_of(PlantedKernel::kShuffle, Defect::kShuffleInOneBranch);
  EXPECT_NE(divergent.find("waits at a warp operation"), std::string::npos) << divergent;
}

TEST(Emulation, CountsEveryByteAndEachByteOnce) {
  Watched in, out;
  for (int i = 0; i < 2; ++i) run_planted(PlantedKernel::kReverse, Defect::kNone, in.data(), out.data());
  const Traffic read = traffic_of(in.data()), written = traffic_of(out.data());
  EXPECT_EQ(read.read_bytes, 2u * 256u);
  EXPECT_EQ(read.unique_read_bytes, 256u);
  EXPECT_EQ(written.written_bytes, 2u * 256u);
  EXPECT_EQ(written.unique_written_bytes, 256u);
  EXPECT_EQ(read.written_bytes + written.read_bytes, 0u);
}

TEST(Emulation, EveryFragmentElementHasOnePlace) {
  for (int matrix = 0; matrix < 3; ++matrix) {
    std::vector<int> seen(256);
    for (int lane = 0; lane < 32; ++lane)
      for (int place = 0; place < kFragmentElements; ++place)
        ++seen[static_cast<std::size_t>(matrix_element(matrix, lane, place))];
    EXPECT_EQ(seen, std::vector<int>(256, 1)) << matrix;
  }
}

TEST(Emulation, RefusesLaunchesThatNoGpuTakes) {
  Launch launch{dim3(1), dim3(2048), 0, [](void*) {}, nullptr, 0};
  EXPECT_EQ(run(launch), cudaErrorInvalidConfiguration);
  launch.block = dim3(32);
  launch.shared_bytes = SharedMemory::kMostBytes + 1;
  EXPECT_EQ(run(launch), cudaErrorInvalidConfiguration);
  launch.shared_bytes = 0;
  EXPECT_EQ(run(launch), cudaSuccess);
}

}  // namespace
}  // namespace dachlast::emulation
