#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

// Runs a grid of CUDA threads on one CPU thread: a fiber per CUDA thread, block after block. Covers no timing, no caches,
// no races between blocks and no memory ordering; races within a block are found for the schedule that ran.
namespace dachlast::emulation {

/// Order in which ready threads of a block go on. What a kernel computes must not depend on it.
enum class Schedule : std::uint8_t { kForward, kBackward };
void set_schedule(Schedule schedule);

/// A launch: the kernel with its parameters, which its threads may read.
struct Launch {
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes;
  void (*run)(void* parameters);
  void* parameters;
  std::size_t parameter_bytes;
};

/// Runs the grid to its end, or to the first mistake: an access that lies in no buffer or is not aligned to its size, a
/// race, a barrier that not all threads reach, threads that meet at different barriers.
/// Errors   cudaErrorInvalidConfiguration where no GPU would take the launch, cudaErrorLaunchFailure after a mistake;
///          `fault` says which.
cudaError_t run(const Launch& launch);

/// Whether any GPU would take a launch of this size.
bool acceptable(const Launch& launch);

const Launch& last_launch();

/// What the last launch did wrong; empty where it was right.
const std::string& fault();

/// Barriers of block and warp that kernels have reached since `forget_barriers`, each once: "norm.cu:42".
std::vector<std::string> barriers_met();
void forget_barriers();
/// Passes the named barrier without waiting, as if it were not there; an empty name: none.
void leave_out_barrier(std::string place);

// ---- what kernels call

uint3 thread_index();
uint3 block_index();
dim3 block_size();
dim3 grid_size();

void sync_block(const std::source_location& where);

void sync_warp(std::uint32_t mask, const std::source_location& where);
/// All lanes meet; orders no memory, which CUDA promises of __syncwarp alone.
void converge_warp(const std::source_location& where);
/// What lane `source` has brought.
std::uint64_t shuffle(std::uint32_t mask, std::uint64_t value, int source, const std::source_location& where);
/// The lanes that have brought something else than 0.
std::uint32_t ballot(std::uint32_t mask, std::uint64_t value, const std::source_location& where);
int lane();

/// One lane's share of D = A · B + C over 16 × 16 × 16 elements.
inline constexpr int kFragmentElements = 8;
struct MatrixShare {
  float a[kFragmentElements];
  float b[kFragmentElements];
  float c[kFragmentElements];
};
void multiply(const MatrixShare& share, float* d, const std::source_location& where);

/// Element of the 16 × 16 matrix that a lane keeps at a place. CUDA leaves this open, so it is scrambled here.
int matrix_element(int matrix, int of_lane, int place);

/// The block's shared memory; ends the launch where it asked for less.
std::byte* shared_memory(std::size_t bytes);

/// Ends the launch with a mistake. Called by a thread of it, does not return.
[[noreturn]] void fail(std::string what);

}  // namespace dachlast::emulation
