#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/cpu/attention_cpu.h"
#include "kernels/cpu/attention_schedule.h"

namespace dachlast::kernels {
namespace {

bool suits_any(KvFormat) {
  return true;
}

/// A cache of floats asks for sums in float.
bool suits_narrow(KvFormat format) {
  return format != KvFormat::kF32;
}

constexpr AttentionVariant kVariants[] = {
    {{"bf16", cpu::attention_bf16, cpu::attention_bf16_supported, DType::kBF16},
     cpu::attention_bf16_scratch,
     suits_narrow},
    {{"tiled", cpu::attention_tiled, always_supported}, cpu::attention_tiled_scratch, suits_any},
    {{"naive", cpu::attention_naive, always_supported}, cpu::attention_naive_scratch, suits_any},
    {{"reference", cpu::attention_reference, always_supported}, cpu::attention_reference_scratch, suits_any},
};

/// Keys one query may see where it does not see all: its window, and the sinks.
double reach(const MaskRule& mask) {
  return static_cast<double>(mask.window) + mask.n_sinks;
}

/// (query, key) pairs of one sequence and head that causality and window leave. Query i sees past + i + 1 keys, past =
/// kv_len − q_len, at most `reach` of them: a triangle until that is full, a rectangle after it.
double visible_pairs(const MaskRule& mask, double q_len, double past) {
  const double growing = mask.window > 0 ? std::clamp(reach(mask) - past, 0.0, q_len) : q_len;
  return growing * past + growing * (growing + 1.0) / 2.0 + (q_len - growing) * reach(mask);
}

/// Cache rows that at least one query of the step sees.
double visible_rows(const MaskRule& mask, double q_len, double past) {
  return mask.window > 0 ? std::min(past + q_len, reach(mask) + q_len - 1.0) : past + q_len;
}

/// Bytes of a token of one layer in the cache, all KV heads, scales included.
double token_bytes(const KvLayout& layout) {
  return static_cast<double>(block_bytes(layout)) / layout.block_size;
}

KvLayout layout_of(const AttentionShape& s) {
  return {.format = s.kv.format,
          .key_scales = s.kv.key_scales,
          .n_kv_heads = s.n_kv_heads,
          .block_size = std::max(1, s.kv.block_size),
          .head_dim = s.head_dim,
          .value_dim = s.head_dim};
}

OpCost sequence_cost(const AttentionShape& s, const SequenceLengths& of) {
  const MaskRule mask{.window = s.window, .n_sinks = s.n_sink_tokens};
  const double past = of.kv_len - of.q_len;
  const double table = s.kv.block_size > 0 ? std::ceil(1.0 * of.kv_len / s.kv.block_size) * sizeof(std::int32_t) : 0.0;
  return {.flops = Flops{4.0 * s.n_heads * s.head_dim * visible_pairs(mask, of.q_len, past)},
          .activation_bytes = Bytes{2.0 * of.q_len * s.n_heads * s.head_dim * sizeof(float)},
          .kv_read_bytes = Bytes{visible_rows(mask, of.q_len, past) * token_bytes(layout_of(s)) + table}};
}

}  // namespace

std::span<const AttentionVariant> attention_variants() {
  return kVariants;
}

const AttentionVariant& attention_variant_for(KvFormat format, std::string_view forced) {
  for (const AttentionVariant& variant : kVariants)
    if (forced.empty() ? variant.supported() && variant.suits(format) : variant.name == forced) return variant;
  return attention_variants().back();
}

std::size_t planned_scratch_floats(KvFormat format, const AttentionSizes& sizes, std::string_view forced) {
  if (!forced.empty()) return attention_variant_for(format, forced).scratch_floats(sizes);
  std::size_t most = 0;
  for (const AttentionVariant& variant : kVariants) {
    if (variant.suits(format)) most = std::max(most, variant.scratch_floats(sizes));
    if (variant.supported == always_supported) break;  // nobody chooses one behind it
  }
  return most;
}

OpCost attention_cost(const AttentionShape& s) {
  OpCost sum;
  for (const SequenceLengths& of : s.sequences) sum += sequence_cost(s, of);
  if (!s.sequences.empty()) return sum;
  const OpCost one = sequence_cost(s, {s.q_len, s.kv_len});
  const double batch_size = s.batch_size;
  return {.flops = one.flops * batch_size,
          .activation_bytes = one.activation_bytes * batch_size,
          .kv_read_bytes = one.kv_read_bytes * batch_size};
}

OpCost attention_cost(const AttentionCall& call) {
  const KvLayout& layout = call.kv.pool.layout;
  const double width = static_cast<double>(layout.head_dim) + layout.value_dim;
  OpCost cost;
  for (const KvSequence& sequence : call.kv.sequences) {
    const double q_len = sequence.q_len, past = sequence.first_position;
    const double tables = static_cast<double>(sequence.blocks.size_bytes() + sequence.positions.size_bytes());
    cost += {.flops = Flops{2.0 * call.n_heads * width * visible_pairs(call.mask, q_len, past)},
             .activation_bytes = Bytes{q_len * call.n_heads * width * sizeof(float)},
             .kv_read_bytes = Bytes{visible_rows(call.mask, q_len, past) * token_bytes(layout) + tables}};
  }
  return cost;
}

}  // namespace dachlast::kernels
