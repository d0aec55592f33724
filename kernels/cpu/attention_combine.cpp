// Merges the partial results of decode: what each stretch of the cache has summed, weighted by its share of softmax.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_combine.cpp"
#include <hwy/foreach_target.h>

#include <algorithm>
#include <cmath>

#include "kernels/cpu/attention_schedule.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

void add_scaled(const float* x, float factor, int n, float* sum) {
  const FloatTag d;
  transform(
      n, [&](FloatVector a, FloatVector b) { return hn::MulAdd(a, hn::Set(d, factor), b); }, sum, x, sum);
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dachlast::kernels {
namespace cpu {

HWY_EXPORT(add_scaled);

namespace {

/// One row; `state` is its part of the first stretch, `apart` floats before that of the next.
void merge(const float* state, std::size_t apart, int n_splits, int value_dim, float* out) {
  const float* end = state + apart * static_cast<std::size_t>(n_splits);
  float m = state[value_dim], d = 0.0f;
  for (const float* part = state; part != end; part += apart) m = std::max(m, part[value_dim]);
  for (const float* part = state; part != end; part += apart) d += std::exp2(part[value_dim] - m) * part[value_dim + 1];
  std::fill_n(out, value_dim, 0.0f);
  for (const float* part = state; part != end; part += apart)
    HWY_DYNAMIC_DISPATCH(add_scaled)(part, std::exp2(part[value_dim] - m) / d, value_dim, out);
}

}  // namespace
}  // namespace cpu

void combine_attention(const AttentionCall& call, Slice rows) {
  const int value_dim = call.kv.pool.layout.value_dim;
  const std::size_t width = cpu::state_width(value_dim);
  const float* states = call.states.data();
  int first = 0;
  for (const KvSequence& sequence : call.kv.sequences) {
    const int n_rows = cpu::merged_rows(call, sequence);
    if (n_rows == 0) continue;
    const int n_splits = cpu::cut_of(call, sequence).n_splits;
    const std::size_t apart = static_cast<std::size_t>(n_rows) * width;
    float* out = call.out.data() + static_cast<std::size_t>(sequence.first_row) * call.n_heads * value_dim;
    for (int row = std::max(rows.begin - first, 0); row < std::min(rows.end - first, n_rows); ++row)
      cpu::merge(states + static_cast<std::size_t>(row) * width, apart, n_splits, value_dim,
                 out + static_cast<std::size_t>(row) * value_dim);
    first += n_rows;
    states += apart * static_cast<std::size_t>(n_splits);
  }
}

}  // namespace dachlast::kernels
#endif
