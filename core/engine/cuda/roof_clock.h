#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/base/amount_text.h"
#include "core/hardware/gpu_roofs.h"
#include "kernels/cuda/runtime.h"

namespace dachlast {

/// Takes the time of work on a queue of its own, on the device that is current when it is made.
class RoofClock {
 public:
  using Work = std::function<void(kernels::cuda::Stream)>;

  explicit RoofClock(int n_repeats) : n_repeats_(n_repeats) {}

  kernels::cuda::Stream stream() const { return queue_.stream(); }
  void finish() const { queue_.finish(); }
  int n_repeats() const { return n_repeats_; }

  /// Seconds of each repeat by the device's events, behind one that does not count.
  std::vector<double> times_of(const Work& work) const;

  /// `amount` over the times of `work`, in `list`.
  /// Errors   throws `Error` (kDevice) where the device's clock resolves none of the times.
  void add_rate(std::vector<GpuRoof>& list, const std::string& what, const std::string& with, double amount,
                const Work& work) const;

 private:
  kernels::cuda::DeviceQueue queue_;
  int n_repeats_;
};

RoofSample roof_sample(const std::vector<double>& values);

/// "4 GiB", "8 KiB".
inline std::string size_text(std::size_t bytes) {
  return binary_amount(Bytes{static_cast<double>(bytes)});
}

}  // namespace dachlast
