#pragma once

#include <cstdint>

namespace dachlast::kernels::cuda {

/// Where a position of the text lies in a sequence's slots: in the slot of its number or, in a ring of `n_slots`, in one
/// that the newest tokens share by turns behind the first `n_sinks`. A window that fits the ring sees none that is
/// overwritten.
struct RingRule {
  int n_slots = 0;  // 0: no ring
  int n_sinks = 0;

  constexpr int slot_of(int position) const {
    if (position < n_slots || n_slots == 0) return position;
    return n_sinks + (position - n_sinks) % (n_slots - n_sinks);
  }
};

/// What KvSequence says, in device memory. Kernels count positions and ask the ring where they lie.
struct CudaSequence {
  std::int32_t first_block;  // where its table begins among those of all sequences
  std::int32_t kv_len;       // positions, those that a ring has let go of included
  std::int32_t q_len;
  std::int32_t first_position;
  std::int32_t first_row;  // in q and out, and among the new keys and values
  std::int32_t place = 0;  // among the tails, where keys wait for scales along channels
};

}  // namespace dachlast::kernels::cuda
