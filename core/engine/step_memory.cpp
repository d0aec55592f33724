#include "core/engine/step_memory.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "core/engine/latent_form.h"
#include "kernels/attention.h"
#include "kernels/cost.h"
#include "kernels/packed_linear.h"

namespace dachlast {
namespace {

constexpr double kFloatBytes = sizeof(float);

/// What belongs to the head and not to the layers counts as workspace.
bool is_workspace(Buffer buffer) {
  return buffer == Buffer::kLogits || buffer == Buffer::kNextIds;
}

double padded_float_bytes(std::size_t floats) {
  return AlignedBuffer::padded_bytes(static_cast<double>(floats) * kFloatBytes);
}

std::optional<kernels::AttentionSizes> attention_sizes(const Op& op) {
  if (const auto* plain = std::get_if<AttentionShape>(&op.shape)) return kernels::sizes_of(*plain);
  if (const auto* wide = std::get_if<WideAttentionShape>(&op.shape)) return kernels::sizes_of(*wide);
  return std::nullopt;
}

/// A line more for either of K and V, which begin on one.
void take_rebuilt(const WideAttentionShape& shape, KvFormat cache, StepSizes& sizes) {
  const double bytes = kernels::rebuilt_elements(shape) * kernels::rebuilt_element_bytes(cache);
  if (bytes > 0.0) sizes.rebuilt_bytes = std::max(sizes.rebuilt_bytes, AlignedBuffer::padded_bytes(bytes + 64.0));
}

void take_attention(const std::vector<Op>& ops, const EngineOptions& options, StepSizes& sizes) {
  const KvFormat format = options.precision.kv.format;
  for (const Op& op : ops) {
    const auto sizes_of_op = attention_sizes(op);
    if (!sizes_of_op) continue;
    const kernels::AttentionSizes& most = *sizes_of_op;
    if (const auto* wide = std::get_if<WideAttentionShape>(&op.shape)) take_rebuilt(*wide, format, sizes);
    for (const KvFormat read : {format, format == KvFormat::kF32 ? format : KvFormat::kBF16})
      sizes.scratch_bytes_per_thread =
          std::max(sizes.scratch_bytes_per_thread,
                   padded_float_bytes(kernels::planned_scratch_floats(read, most, options.attention_variant)));
    sizes.state_bytes = std::max(sizes.state_bytes, padded_float_bytes(kernels::attention_state_floats(most)));
  }
}

double packed_bytes(const std::vector<Op>& ops, const EngineOptions& options) {
  double bytes = 0.0;
  if (options.weight_storage().layout == WeightLayout::kRows) return bytes;
  for (const Op& op : ops)
    if (const auto* shape = std::get_if<LinearShape>(&op.shape); shape != nullptr && op.weight != WeightRole::kKvUp)
      bytes = std::max(bytes, static_cast<double>(kernels::RowTiles(*shape).bytes()));
  return AlignedBuffer::padded_bytes(bytes);
}

/// Rows of the cache of one sequence after the other lie where the latents of the step did.
void take_latents_read(const Op& op, StepSizes& sizes) {
  const auto* shape = std::get_if<WideAttentionShape>(&op.shape);
  if (shape == nullptr || kernels::rebuilt_elements(*shape) == 0.0) return;
  double& bytes = sizes.buffer_bytes[static_cast<std::size_t>(Buffer::kLatent)];
  bytes = std::max(bytes, AlignedBuffer::padded_bytes(1.0 * shape->kv_len * shape->row_elements * kFloatBytes));
}

/// Keys and values are raised from the latents of one sequence after the other.
double raised_at_once(const Op& op, int batch_size) {
  const bool by_sequence = op.weight == WeightRole::kKvUp && std::holds_alternative<LinearShape>(op.shape);
  return kernels::output_elements(op.shape) / (by_sequence ? batch_size : 1);
}

void take_largest(const std::vector<Op>& ops, int batch_size, StepSizes& sizes) {
  double beside = 0.0;  // parts that lie before this one in its buffer
  for (const Op& op : ops) {
    double& bytes = sizes.buffer_bytes[static_cast<std::size_t>(op.out)];
    const double elements = raised_at_once(op, batch_size) + beside;
    bytes = std::max(bytes, AlignedBuffer::padded_bytes(elements * kFloatBytes));
    beside = adds_a_part(op.kind) ? elements : 0.0;
    take_latents_read(op, sizes);
  }
}

}  // namespace

double StepSizes::activation_bytes() const {
  double bytes = 0.0;
  for (int i = 0; i < kBufferCount; ++i)
    if (!is_workspace(static_cast<Buffer>(i))) bytes += buffer_bytes[static_cast<std::size_t>(i)];
  return bytes;
}

double StepSizes::workspace_bytes() const {
  double bytes =
      n_threads * scratch_bytes_per_thread + state_bytes + position_bytes + gather_bytes + packed_bytes + rebuilt_bytes;
  for (int i = 0; i < kBufferCount; ++i)
    if (is_workspace(static_cast<Buffer>(i))) bytes += buffer_bytes[static_cast<std::size_t>(i)];
  return bytes;
}

int largest_step_tokens(const EngineOptions& options) {
  const int wanted = options.max_step_tokens == 0 ? options.capacity_tokens : options.max_step_tokens;
  return std::min(longest_step(options.kv, wanted), options.capacity_tokens);
}

StepSizes step_sizes(const ModelSpec& model, const EngineOptions& options) {
  StepSizes sizes;
  sizes.n_threads = options.n_threads;
  const int q_len = largest_step_tokens(options);
  Step prefill{Phase::kPrefill, options.batch_size, q_len, options.capacity_tokens, options.logits};
  Step decode{Phase::kDecode, options.batch_size, 1, options.capacity_tokens};
  prefill.latent = decode.latent = LatentForm::kAbsorbed;
  Step absorbed = prefill;
  absorbed.q_len = absorbed_room(model, options);
  if (may_rebuild(model, options)) prefill.latent = LatentForm::kRebuilt;
  // Attention may need more scratch for one query over the whole cache than for a tile of them.
  for (const Step& step : {prefill, absorbed, decode}) {
    const std::vector<Op> ops = build_op_list(model, step, options.precision);
    take_largest(ops, options.batch_size, sizes);
    take_attention(ops, options, sizes);
    sizes.packed_bytes = std::max(sizes.packed_bytes, packed_bytes(ops, options));
  }
  const double n_tokens = 1.0 * options.batch_size * q_len;
  const double id_bytes = AlignedBuffer::padded_bytes(n_tokens * sizeof(std::int32_t));
  sizes.buffer_bytes[static_cast<std::size_t>(Buffer::kTokenIds)] = id_bytes;
  if (model.n_learned_positions > 0) sizes.position_bytes = id_bytes;
  if (!model.final_norm)
    sizes.gather_bytes = AlignedBuffer::padded_bytes(1.0 * options.batch_size * model.d_model * kFloatBytes);
  return sizes;
}

StepMemory::StepMemory(const StepSizes& sizes)
    : scratch_(sizes.n_threads * sizes.scratch_bytes_per_thread, "attention scratch"),
      scratch_floats_per_thread_(static_cast<std::size_t>(sizes.scratch_bytes_per_thread) / sizeof(float)),
      states_(sizes.state_bytes, "partial results of attention"),
      positions_(sizes.position_bytes, "position table rows"),
      gathered_(sizes.gather_bytes, "last rows"),
      packed_(sizes.packed_bytes, "activations of the largest projection"),
      rebuilt_(sizes.rebuilt_bytes, "rebuilt keys and values") {
  for (std::size_t i = 0; i < buffers_.size(); ++i)
    buffers_[i] = AlignedBuffer(sizes.buffer_bytes[i],
                                is_workspace(static_cast<Buffer>(i)) ? "logits" : "activations of the largest step");
}

std::span<float> StepMemory::scratch(int thread) const {
  return scratch_.as<float>().subspan(static_cast<std::size_t>(thread) * scratch_floats_per_thread_,
                                      scratch_floats_per_thread_);
}

double StepMemory::activation_bytes() const {
  double bytes = 0.0;
  for (int i = 0; i < kBufferCount; ++i)
    if (!is_workspace(static_cast<Buffer>(i))) bytes += static_cast<double>(at(static_cast<Buffer>(i)).size_bytes());
  return bytes;
}

double StepMemory::workspace_bytes() const {
  double bytes = static_cast<double>(scratch_.size_bytes() + states_.size_bytes() + positions_.size_bytes() +
                                     gathered_.size_bytes() + packed_.size_bytes() + rebuilt_.size_bytes());
  for (int i = 0; i < kBufferCount; ++i)
    if (is_workspace(static_cast<Buffer>(i))) bytes += static_cast<double>(at(static_cast<Buffer>(i)).size_bytes());
  return bytes;
}

}  // namespace dachlast
