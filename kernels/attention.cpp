#include "kernels/attention.h"

#include <algorithm>

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

/// (query, key) pairs of one sequence and head that causality and window leave. Query i sees past + i + 1 keys, past =
/// kv_len − q_len, at most `window` of them: a triangle until the window is full, a rectangle after it.
double visible_pairs(double q_len, double past, int window) {
  const double growing = window > 0 ? std::clamp<double>(window - past, 0.0, q_len) : q_len;
  return growing * past + growing * (growing + 1.0) / 2.0 + (q_len - growing) * window;
}

/// Cache rows that at least one query of the step sees.
double visible_rows(double q_len, double past, int window) {
  const double kv_len = past + q_len;
  return window > 0 ? std::min(kv_len, window + q_len - 1.0) : kv_len;
}

/// Of one sequence; sinks in front of a window add to both.
struct Visible {
  double pairs;
  double rows;

  Visible(const KvSequence& s, const MaskRule& mask)
      : pairs(visible_pairs(s.q_len, s.first_position, mask.window)),
        rows(visible_rows(s.q_len, s.first_position, mask.window)) {
    if (mask.window == 0) return;
    // Query i looks over `hidden` = position + 1 − window keys, the first of which are sinks.
    for (int i = 0; i < s.q_len; ++i) pairs += std::clamp(s.first_position + i + 1 - mask.window, 0, mask.n_sinks);
    rows += std::clamp(s.first_position + 1 - mask.window, 0, mask.n_sinks);
  }
};

/// Bytes of a token of one layer in the cache, all KV heads, scales included.
double token_bytes(const KvLayout& layout) {
  return static_cast<double>(block_bytes(layout)) / layout.block_size;
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
  const double batch_size = s.batch_size, head_dim = s.head_dim, past = s.kv_len - s.q_len;
  return {.flops = Flops{4.0 * batch_size * s.n_heads * head_dim * visible_pairs(s.q_len, past, s.window)},
          .activation_bytes = Bytes{2.0 * batch_size * s.q_len * s.n_heads * head_dim * sizeof(float)},
          .kv_read_bytes = Bytes{2.0 * batch_size * s.n_kv_heads * visible_rows(s.q_len, past, s.window) * head_dim *
                                 size_of(s.kv_dtype)}};
}

OpCost attention_cost(const AttentionCall& call) {
  const KvLayout& layout = call.kv.pool.layout;
  const double width = static_cast<double>(layout.head_dim) + layout.value_dim;
  OpCost cost;
  for (const KvSequence& sequence : call.kv.sequences) {
    const Visible visible(sequence, call.mask);
    const double tables = static_cast<double>(sequence.blocks.size_bytes() + sequence.positions.size_bytes());
    cost += {.flops = Flops{2.0 * call.n_heads * width * visible.pairs},
             .activation_bytes = Bytes{1.0 * sequence.q_len * call.n_heads * width * sizeof(float)},
             .kv_read_bytes = Bytes{visible.rows * token_bytes(layout) + tables}};
  }
  return cost;
}

}  // namespace dachlast::kernels
