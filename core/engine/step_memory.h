#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/engine.h"
#include "core/kv_cache/aligned_buffer.h"
#include "core/model/op_list.h"

namespace dachlast {

/// Bytes of everything a step works in, for the largest step of an engine.
struct StepSizes {
  std::array<double, kBufferCount> buffer_bytes{};  // by `Buffer`, the most that any operation of the step writes
  double scratch_bytes_per_thread = 0;              // of attention
  double state_bytes = 0;                           // partial results of attention that is cut along the cache
  double position_bytes = 0;                        // rows of the learned position table, one per token
  double gather_bytes = 0;                          // last rows of each sequence, where no final norm packs them
  double packed_bytes = 0;                          // activations of a projection whose weights lie in panels
  double rebuilt_bytes = 0;                         // K and V rebuilt from latents
  int n_threads = 1;

  double activation_bytes() const;
  double workspace_bytes() const;
};

/// Errors   throws `Error` where the op list refuses the step.
StepSizes step_sizes(const ModelSpec& model, const EngineOptions& options);

/// Largest q_len of one step and sequence.
int largest_step_tokens(const EngineOptions& options);

/// The memory of a step, allocated once.
class StepMemory {
 public:
  explicit StepMemory(const StepSizes& sizes);

  std::span<float> floats(Buffer buffer) const { return at(buffer).as<float>(); }
  std::span<std::int32_t> ids(Buffer buffer) const { return at(buffer).as<std::int32_t>(); }
  std::span<float> scratch(int thread) const;
  std::span<float> states() const { return states_.as<float>(); }
  std::span<std::int32_t> position_rows() const { return positions_.as<std::int32_t>(); }
  std::span<float> gathered() const { return gathered_.as<float>(); }
  std::span<std::byte> packed_rows() const { return packed_.as<std::byte>(); }
  std::span<std::byte> rebuilt() const { return rebuilt_.as<std::byte>(); }

  double activation_bytes() const;
  double workspace_bytes() const;

 private:
  const AlignedBuffer& at(Buffer buffer) const { return buffers_[static_cast<std::size_t>(buffer)]; }

  std::array<AlignedBuffer, kBufferCount> buffers_;
  AlignedBuffer scratch_;
  std::size_t scratch_floats_per_thread_ = 0;
  AlignedBuffer states_;
  AlignedBuffer positions_;
  AlignedBuffer gathered_;
  AlignedBuffer packed_;
  AlignedBuffer rebuilt_;
};

}  // namespace dachlast
