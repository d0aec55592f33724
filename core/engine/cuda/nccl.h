#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "kernels/cuda/stream.h"

namespace dachlast {

/// One GPU's part of an all-reduce, on the queue of that GPU.
struct ReducePart {
  const float* sent;
  float* received;
  kernels::cuda::Stream stream;
};

/// NCCL over the first GPUs of this process. No package of Debian has it, so nothing links it: it is opened by name where a
/// calibration asks for it.
class Nccl {
 public:
  /// Errors   throws `Error` (kDevice) naming the library where it does not load, lacks a function, or refuses the GPUs.
  Nccl(const std::string& library, int n_devices);
  ~Nccl();
  Nccl(const Nccl&) = delete;
  Nccl& operator=(const Nccl&) = delete;

  /// "2.28.9"
  std::string version() const;

  /// Queues received[i] = Σ over GPUs of sent[i] for `n` elements; `parts` has one of each GPU, in their order.
  /// Errors   throws `Error` (kDevice) with NCCL's own reason.
  void all_reduce(std::span<const ReducePart> parts, std::size_t n);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dachlast
