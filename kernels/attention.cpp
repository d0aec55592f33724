#include "kernels/attention.h"

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

/// (query, key) pairs of one sequence and head that causality and window leave. Query i sees past + i + 1 keys, past =
/// kv_len − q_len, at most `window` of them: a triangle until the window is full, a rectangle after it.
double visible_pairs(const AttentionShape& s) {
  const double past = s.kv_len - s.q_len;
  const double growing = s.window > 0 ? std::clamp<double>(s.window - past, 0.0, s.q_len) : s.q_len;
  return growing * past + growing * (growing + 1.0) / 2.0 + (s.q_len - growing) * s.window;
}

/// Cache rows that at least one query of the step sees.
double visible_rows(const AttentionShape& s) {
  return s.window > 0 ? std::min<double>(s.kv_len, static_cast<double>(s.window) + s.q_len - 1.0) : s.kv_len;
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
  const double batch_size = s.batch_size, head_dim = s.head_dim;
  return {.flops = Flops{4.0 * batch_size * s.n_heads * head_dim * visible_pairs(s)},
          .activation_bytes = Bytes{2.0 * batch_size * s.q_len * s.n_heads * head_dim * sizeof(float)},
          .kv_read_bytes = Bytes{2.0 * batch_size * s.n_kv_heads * visible_rows(s) * head_dim * size_of(s.kv_dtype)}};
}

}  // namespace dachlast::kernels
