#include <algorithm>
#include <cstdlib>

#include "tests/emulation/grid.h"
#include "tests/emulation/memory.h"
#include "tests/kernels/cuda/device_memory.h"

namespace dachlast::kernels::cuda::testing {

void* device_allocate(std::size_t bytes) {
  constexpr std::size_t kAlignment = 256;  // cudaMalloc's
  if (bytes == 0) return nullptr;
  void* memory = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  emulation::watch(memory, bytes, "buffer");
  return memory;
}

void device_release(void* memory) {
  emulation::unwatch(memory);
  std::free(memory);
}

void upload(void* to, const void* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
}
void download(void* to, const void* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
}

std::string why_no_device() {
  return {};
}

void start_counting() {
  emulation::reset_traffic();
}
std::optional<MovedBytes> counted() {
#ifdef DACHLAST_KERNEL_COVERAGE
  return std::nullopt;
#else
  const emulation::Traffic all = emulation::traffic_of_all();
  return MovedBytes{all.unique_read_bytes, all.unique_written_bytes};
#endif
}

void reverse_schedule() {
  emulation::set_schedule(emulation::Schedule::kBackward);
}
void restore_schedule() {
  emulation::set_schedule(emulation::Schedule::kForward);
}

}  // namespace dachlast::kernels::cuda::testing
