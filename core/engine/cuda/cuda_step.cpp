#include "core/engine/cuda/cuda_step.h"

#include <algorithm>

#include "kernels/cuda/linear.h"

namespace dachlast {
namespace {

using kernels::cuda::DeviceBlock;
using kernels::cuda::DeviceSegment;

constexpr std::size_t kArrayAlignment = 16;

/// Cuts arrays out of memory that is known to be large enough; without memory, counts how large that is.
class Cutter {
 public:
  explicit Cutter(std::byte* memory) : memory_(memory) {}

  template <class T>
  std::span<T> take(int n) {
    std::byte* const at = memory_ == nullptr ? nullptr : memory_ + used_;
    used_ += (static_cast<std::size_t>(n) * sizeof(T) + kArrayAlignment - 1) / kArrayAlignment * kArrayAlignment;
    return {reinterpret_cast<T*>(at), at == nullptr ? 0 : static_cast<std::size_t>(n)};
  }
  std::size_t used() const { return used_; }

 private:
  std::byte* memory_;
  std::size_t used_ = 0;
};

StepArrays cut(Cutter& cutter, const StepLimits& limits) {
  StepArrays arrays;
  arrays.token_ids = cutter.take<std::int32_t>(limits.n_rows);
  arrays.positions = cutter.take<std::int32_t>(limits.n_rows);
  arrays.position_rows = cutter.take<std::int32_t>(limits.n_rows);
  arrays.slots = cutter.take<std::int32_t>(limits.n_rows);
  arrays.last_rows = cutter.take<std::int32_t>(limits.n_sequences);
  arrays.sequences = cutter.take<kernels::cuda::CudaSequence>(limits.n_sequences);
  arrays.blocks = cutter.take<std::int32_t>(limits.n_blocks);  // last: a step copies as many as it has
  return arrays;
}

StepArrays cut(std::span<std::byte> memory, const StepLimits& limits) {
  Cutter cutter(memory.data());
  return cut(cutter, limits);
}

/// Blocks in the tables of one sequence, at most. A contiguous one has one.
int blocks_of_sequence(const EngineOptions& options) {
  if (options.kv.layout != KvPolicy::kPaged) return 1;
  return (options.capacity_tokens + options.kv.block_size - 1) / options.kv.block_size;
}

/// Every sequence may come twice: with its new tokens, and with those that are computed anew.
StepLimits limits_of(const StepBounds& bounds, int rows_of_sequence) {
  const EngineOptions& options = bounds.options;
  const int twice = options.kv.recompute_keep > 0 ? 2 : 1;
  return {.n_rows = options.batch_size * rows_of_sequence,
          .n_sequences = twice * options.batch_size,
          .n_blocks = twice * options.batch_size * blocks_of_sequence(options)};
}
StepLimits few_limits(const StepBounds& bounds) {
  return limits_of(bounds, 1);
}
StepLimits many_limits(const StepBounds& bounds) {
  return limits_of(bounds, bounds.step_tokens);
}

/// Number of the sequence's tail.
std::int32_t place_of(const kernels::KvSequence& sequence, std::span<const BF16> tails) {
  if (sequence.tail.empty()) return 0;
  return static_cast<std::int32_t>((sequence.tail.data() - tails.data()) /
                                   static_cast<std::ptrdiff_t>(sequence.tail.size()));
}

bool is_workspace(Buffer buffer) {
  return buffer == Buffer::kLogits || buffer == Buffer::kNextIds;
}

/// Token ids are among the parameters.
std::size_t buffer_bytes(const StepBounds& bounds, Buffer buffer) {
  if (buffer == Buffer::kTokenIds) return 0;
  return static_cast<std::size_t>(bounds.sizes.buffer_bytes[static_cast<std::size_t>(buffer)]);
}

std::size_t gathered_bytes(const StepBounds& bounds) {
  return static_cast<std::size_t>(bounds.options.batch_size) * static_cast<std::size_t>(bounds.model.d_model) *
         sizeof(float);
}

/// The most that `bytes_of` says of any operation.
template <class Shape, class Function>
std::size_t largest(const StepBounds& bounds, Function&& bytes_of) {
  std::size_t most = 0;
  for (const std::span<const Op> ops : {bounds.prefill, bounds.decode})
    for (const Op& op : ops)
      if (const auto* shape = std::get_if<Shape>(&op.shape)) most = std::max(most, bytes_of(*shape));
  return most;
}

/// A step of several rows may have any number up to its bound: fewer may take another variant.
std::size_t linear_bytes(const StepBounds& bounds) {
  const WeightStorage storage = bounds.options.weight_storage();
  return largest<LinearShape>(bounds, [&](const LinearShape& shape) {
    return kernels::cuda::linear_variant_for(shape, storage, bounds.options.linear_variant).workspace_bytes(shape);
  });
}

template <class Shape>
std::size_t attention_bytes_of(const StepBounds& bounds, kernels::KvValues values) {
  return largest<Shape>(bounds, [&](const Shape& shape) {
    kernels::AttentionSizes most = kernels::sizes_of(shape);
    const kernels::KvLayout layout{.format = shape.kv.format,
                                   .key_scales = shape.kv.key_scales,
                                   .values = values,
                                   .n_kv_heads = most.n_kv_heads,
                                   .block_size = 1,
                                   .head_dim = most.head_dim,
                                   .value_dim = most.value_dim};
    if (bounds.options.kv.recompute_keep > 0) most.batch_size *= 2;
    if (bounds.options.kv.is_ring()) most.kv_len = bounds.options.capacity_tokens;  // kernels count positions
    return sizeof(float) * kernels::cuda::planned_workspace_floats(layout, most, bounds.options.attention_variant);
  });
}

std::size_t attention_bytes(const StepBounds& bounds) {
  return std::max(attention_bytes_of<AttentionShape>(bounds, kernels::KvValues::kOwnRows),
                  attention_bytes_of<WideAttentionShape>(bounds, kernels::KvValues::kInKeys));
}

}  // namespace

// -------- parameters

std::size_t StepParameters::bytes_for(const StepLimits& limits) {
  Cutter counter(nullptr);
  cut(counter, limits);
  return counter.used();
}

StepParameters::StepParameters(CudaContext& context, const StepLimits& limits)
    : pinned_(bytes_for(limits), "parameters of a step"),
      block_(context.pool.allocate(bytes_for(limits), DeviceSegment::kWorkspace, context.steps.stream())),
      host_(cut(pinned_.bytes(), limits)),
      device_(cut(block_.bytes(), limits)) {}

void StepParameters::fill(std::span<const std::int32_t> token_ids, std::span<const kernels::KvSequence> sequences,
                          const SlotRules& rules) {
  n_rows_ = n_sequences_ = n_blocks_ = longest_q_len_ = longest_kv_len_ = 0;
  for (const kernels::KvSequence& sequence : sequences) add(sequence, rules);
  std::ranges::copy(token_ids.first(static_cast<std::size_t>(n_rows_)), host_.token_ids.begin());
}

void StepParameters::add(const kernels::KvSequence& sequence, const SlotRules& rules) {
  const auto index = static_cast<std::size_t>(n_sequences_++);
  const int n_positions = sequence.first_position + sequence.q_len;  // a ring has fewer slots
  host_.sequences[index] = {n_blocks_,          n_positions,
                            sequence.q_len,     sequence.first_position,
                            sequence.first_row, place_of(sequence, rules.tails)};
  host_.last_rows[index] = sequence.first_row + sequence.q_len - 1;
  std::ranges::copy(sequence.blocks, host_.blocks.begin() + n_blocks_);
  n_blocks_ += static_cast<std::int32_t>(sequence.blocks.size());
  for (int i = 0; i < sequence.q_len; ++i) {
    const auto row = static_cast<std::size_t>(sequence.first_row) + static_cast<std::size_t>(i);
    const int position = sequence.first_position + i;
    host_.positions[row] = position;
    host_.position_rows[row] = position + rules.learned_offset;
    const int slot = rules.ring.slot_of(position);
    host_.slots[row] =
        sequence.blocks[static_cast<std::size_t>(slot / rules.block_size)] * rules.block_size + slot % rules.block_size;
  }
  n_rows_ += sequence.q_len;
  longest_q_len_ = std::max(longest_q_len_, sequence.q_len);
  longest_kv_len_ = std::max(longest_kv_len_, n_positions);
}

void StepParameters::upload(CudaContext& context) const {
  const auto* const end = reinterpret_cast<const std::byte*>(host_.blocks.data() + n_blocks_);
  kernels::cuda::copy(block_.bytes().data(), pinned_.bytes().data(),
                      static_cast<std::size_t>(end - pinned_.bytes().data()), context.steps.stream());
}

// -------- memory

RunnerMemory CudaStepMemory::plan(const StepBounds& bounds) {
  std::size_t activations = 0, workspace = 0;
  for (int i = 0; i < kBufferCount; ++i) {
    const auto buffer = static_cast<Buffer>(i);
    (is_workspace(buffer) ? workspace : activations) += buffer_bytes(bounds, buffer);
  }
  workspace += gathered_bytes(bounds) + attention_bytes(bounds) + linear_bytes(bounds) +
               StepParameters::bytes_for(few_limits(bounds)) + StepParameters::bytes_for(many_limits(bounds));
  return {static_cast<double>(activations), static_cast<double>(workspace) + bounds.rope_bytes};
}

CudaStepMemory::CudaStepMemory(CudaContext& context, const StepBounds& bounds)
    : few_(context, few_limits(bounds)), many_(context, many_limits(bounds)) {
  const auto allocate = [&](std::size_t bytes, DeviceSegment segment) {
    DeviceBlock block = context.pool.allocate(bytes, segment, context.steps.stream());
    const auto taken = static_cast<double>(block.bytes().size());
    (segment == DeviceSegment::kActivations ? memory_.activation_bytes : memory_.workspace_bytes) += taken;
    return block;
  };
  for (int i = 0; i < kBufferCount; ++i) {
    const auto buffer = static_cast<Buffer>(i);
    buffers_[static_cast<std::size_t>(i)] = allocate(
        buffer_bytes(bounds, buffer), is_workspace(buffer) ? DeviceSegment::kWorkspace : DeviceSegment::kActivations);
  }
  gathered_ = allocate(gathered_bytes(bounds), DeviceSegment::kWorkspace);
  attention_ = allocate(attention_bytes(bounds), DeviceSegment::kWorkspace);
  linear_ = allocate(linear_bytes(bounds), DeviceSegment::kWorkspace);
  memory_.workspace_bytes += static_cast<double>(StepParameters::bytes_for(few_limits(bounds)) +
                                                 StepParameters::bytes_for(many_limits(bounds)));
}

}  // namespace dachlast
