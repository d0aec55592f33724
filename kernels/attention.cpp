#include "kernels/attention.h"

#include <cmath>
#include <cstdint>

#include "kernels/cpu/attention_cpu.h"
#include "kernels/cpu/attention_unit.h"

namespace dachlast::kernels {
namespace {

constexpr AttentionVariant kVariants[] = {
    {{.name = "tiled", .run = cpu::attention_tiled, .supported = always_supported}, cpu::attention_tiled_scratch},
    {{.name = "naive", .run = cpu::attention_naive, .supported = always_supported}, cpu::attention_naive_scratch},
    {{.name = "reference", .run = cpu::attention_reference, .supported = always_supported},
     cpu::attention_reference_scratch},
};

/// Keys one query may see where it does not see all: its window, and the sinks.
double reach(const AttentionShape& s) {
  return static_cast<double>(s.window) + s.n_sink_tokens;
}

/// (query, key) pairs of one sequence and head that causality and window leave. Query i sees past + i + 1 keys, past =
/// kv_len − q_len, at most `reach` of them: a triangle until that is full, a rectangle after it.
double visible_pairs(const AttentionShape& s, const SequenceLengths& of) {
  const double past = of.kv_len - of.q_len;
  const double growing = s.window > 0 ? std::clamp<double>(reach(s) - past, 0.0, of.q_len) : of.q_len;
  return growing * past + growing * (growing + 1.0) / 2.0 + (of.q_len - growing) * reach(s);
}

/// Cache rows that at least one query of the step sees.
double visible_rows(const AttentionShape& s, const SequenceLengths& of) {
  return s.window > 0 ? std::min<double>(of.kv_len, reach(s) + of.q_len - 1.0) : of.kv_len;
}

/// Bytes of a token's keys and values in one layer, its share of the scales included.
double token_bytes(const AttentionShape& s) {
  const int block_size = std::max(1, s.kv.block_size);
  const KvLayout layout{.format = s.kv.format,
                        .key_scales = s.kv.key_scales,
                        .n_kv_heads = s.n_kv_heads,
                        .block_size = block_size,
                        .head_dim = s.head_dim,
                        .value_dim = s.head_dim};
  return static_cast<double>(block_bytes(layout)) / block_size;
}

OpCost sequence_cost(const AttentionShape& s, const SequenceLengths& of) {
  const double table = s.kv.block_size > 0 ? std::ceil(1.0 * of.kv_len / s.kv.block_size) * sizeof(std::int32_t) : 0.0;
  return {.flops = Flops{4.0 * s.n_heads * s.head_dim * visible_pairs(s, of)},
          .activation_bytes = Bytes{2.0 * of.q_len * s.n_heads * s.head_dim * sizeof(float)},
          .kv_read_bytes = Bytes{visible_rows(s, of) * token_bytes(s) + table}};
}

}  // namespace

int attention_units(const AttentionShape& shape) {
  return shape.batch_size * shape.n_kv_heads * cpu::query_tiles(shape);
}

std::span<const AttentionVariant> attention_variants() {
  return kVariants;
}

const AttentionVariant& attention_variant_for(std::string_view forced) {
  for (const AttentionVariant& variant : kVariants)
    if (forced.empty() ? variant.supported() : variant.name == forced) return variant;
  return attention_variants().back();
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

}  // namespace dachlast::kernels
