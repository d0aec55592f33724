#include <algorithm>
#include <cassert>

#include "kernels/cuda/device_pool.h"

namespace dachlast::kernels::cuda {

void SegmentLedger::add(DeviceSegment segment, std::size_t bytes) {
  const std::size_t i = index(segment);
  held_[i] += bytes;
  peak_[i] = std::max(peak_[i], held_[i]);
  total_ += bytes;
  total_peak_ = std::max(total_peak_, total_);
}

void SegmentLedger::remove(DeviceSegment segment, std::size_t bytes) {
  assert(held(segment) >= bytes);
  held_[index(segment)] -= bytes;
  total_ -= bytes;
}

}  // namespace dachlast::kernels::cuda
