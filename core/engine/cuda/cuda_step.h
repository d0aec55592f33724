#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/cuda/cuda_context.h"
#include "core/engine/engine_device.h"
#include "kernels/cuda/attention.h"

namespace dachlast {

/// How many of everything a step may hold.
struct StepLimits {
  int n_rows = 0;       // tokens
  int n_sequences = 0;  // entries, and what is computed anew
  int n_blocks = 0;     // in all their tables
};

/// What kernels are told of the sequences of a step, in one array each.
struct StepArrays {
  std::span<std::int32_t> token_ids;
  std::span<std::int32_t> positions;      // of each token: its row of the RoPE tables
  std::span<std::int32_t> position_rows;  // of each token, in the learned table
  std::span<std::int32_t> slots;          // of each token, in every layer's pool
  std::span<std::int32_t> last_rows;      // of each entry
  std::span<kernels::cuda::CudaSequence> sequences;
  std::span<std::int32_t> blocks;
};

/// Where tokens lie in the cache and in the learned table.
struct SlotRules {
  int block_size = 0;
  int learned_offset = 0;
  kernels::cuda::RingRule ring = {};
  std::span<const BF16> tails = {};  // of the layer that the sequences are shown of
};

/// The arrays of a step, written in pinned memory and copied as one. Their places on the device never change, so that a step that
/// was captured finds those of the next one.
class StepParameters {
 public:
  StepParameters(CudaContext& context, const StepLimits& limits);

  static std::size_t bytes_for(const StepLimits& limits);

  /// The sequences of a step as the cache shows them; `n_wanted` of them are entries that want logits. The last step must be
  /// over.
  void fill(std::span<const std::int32_t> token_ids, std::span<const kernels::KvSequence> sequences,
            const SlotRules& rules);
  void upload(CudaContext& context) const;

  int n_rows() const { return n_rows_; }
  int n_sequences() const { return n_sequences_; }
  int longest_q_len() const { return longest_q_len_; }
  int longest_kv_len() const { return longest_kv_len_; }
  const StepArrays& on_device() const { return device_; }
  std::span<const kernels::cuda::CudaSequence> sequences() const {
    return device_.sequences.first(static_cast<std::size_t>(n_sequences_));
  }
  std::int32_t last_row(int entry) const { return host_.last_rows[static_cast<std::size_t>(entry)]; }

 private:
  void add(const kernels::KvSequence& sequence, const SlotRules& rules);

  kernels::cuda::PinnedMemory pinned_;
  kernels::cuda::DeviceBlock block_;
  StepArrays host_;
  StepArrays device_;
  int n_rows_ = 0;
  int n_sequences_ = 0;
  int n_blocks_ = 0;
  int longest_q_len_ = 0;
  int longest_kv_len_ = 0;
};

/// The memory of a step: its buffers, what its kernels need beside them, and its results on the host.
class CudaStepMemory {
 public:
  CudaStepMemory(CudaContext& context, const StepBounds& bounds);

  static RunnerMemory plan(const StepBounds& bounds);

  std::span<float> floats(Buffer buffer) const { return elements_of<float>(at(buffer)); }
  std::span<std::int32_t> ids(Buffer buffer) const { return elements_of<std::int32_t>(at(buffer)); }
  std::span<float> gathered() const { return elements_of<float>(gathered_); }
  std::span<float> attention() const { return elements_of<float>(attention_); }
  std::span<std::byte> linear() const { return linear_.bytes(); }

  /// Steps of one token a sequence have parameters of their own, small ones at addresses of their own.
  StepParameters& few() { return few_; }
  StepParameters& many() { return many_; }

  RunnerMemory memory() const { return memory_; }

 private:
  const kernels::cuda::DeviceBlock& at(Buffer buffer) const { return buffers_[static_cast<std::size_t>(buffer)]; }

  std::array<kernels::cuda::DeviceBlock, kBufferCount> buffers_;
  kernels::cuda::DeviceBlock gathered_;
  kernels::cuda::DeviceBlock attention_;
  kernels::cuda::DeviceBlock linear_;
  StepParameters few_;
  StepParameters many_;
  RunnerMemory memory_;
};

}  // namespace dachlast
