// Attention with online softmax: a tile of keys at a time, never a row of all scores.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_tiled.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/attention_cpu.h"
#include "kernels/cpu/attention_stream-inl.h"
#include "kernels/cpu/attention_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

/// One tile of keys for one block of rows that starts at row `first`.
template <class T>
HWY_NOINLINE void attend_block(const GroupRows<T>& rows, int first, KeyRange keys, const float* k, const ValueTile& v,
                               const AttentionScratch& scratch) {
  const int head_dim = rows.shape().head_dim, o_stride = round_up(head_dim, kPad), n_keys = keys.end - keys.begin;
  score_block(scratch.q + first * head_dim, k, n_keys, head_dim, scratch.s);
  if (rows.rule().softcap > 0.0f) softcap_scores(scratch.s, n_keys * kQueryBlock, rows.rule().softcap);
  if (!rows.all_see(keys)) mask_block(rows.bounds(first), keys.begin, n_keys, scratch.s);
  softmax_block(scratch.s, n_keys, scratch.m + first, scratch.d + first, scratch.correction);
  weigh_block(scratch.s, n_keys, v.rows, v.width, scratch.correction, HWY_MIN(kQueryBlock, rows.size() - first),
              scratch.o + first * o_stride, o_stride);
}

template <class T>
HWY_NOINLINE void attend_many(const GroupRows<T>& rows, const AttentionScratch& scratch) {
  const int head_dim = rows.shape().head_dim;
  const KeyRange all = rows.visible();
  pack_blocks(rows, scratch.q);
  for (int t = all.begin; t < all.end; t += kKeyTile) {
    const KeyRange keys{t, HWY_MIN(t + kKeyTile, all.end)};
    const float* k = as_floats(rows.k(t), keys.end - t, head_dim, scratch.k);
    const ValueTile v = as_vectors(rows.v(t), keys.end - t, head_dim, scratch.v);
    for (int first = 0; first < rows.size(); first += kQueryBlock) attend_block(rows, first, keys, k, v, scratch);
  }
}

template <class T>
HWY_NOINLINE void attend_few(const GroupRows<T>& rows, const AttentionScratch& scratch) {
  const KeyRange all = rows.visible();
  pack_rows(rows, scratch.q);
  for (int t = all.begin; t < all.end; t += kStreamTile)
    attend_tile(rows, {t, HWY_MIN(t + kStreamTile, all.end)}, scratch, kStreamTile);
}

template <class T>
void tiled(const AttentionCall<T>& call, Slice units) {
  for (int index = units.begin; index < units.end; ++index) {
    const GroupRows<T> rows(call, unit_at(call.shape, index));
    const AttentionScratch scratch = take_attention_scratch(call.shape, rows.size(), kTileScores, call.scratch);
    if (rows.size() <= kFewRows)
      attend_few(rows, scratch);
    else
      attend_many(rows, scratch);
    write_rows(rows, scratch.o, scratch.d);
  }
}

void tiled_f32(const AttentionCall<float>& call, Slice units) {
  tiled(call, units);
}
void tiled_bf16(const AttentionCall<BF16>& call, Slice units) {
  tiled(call, units);
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dachlast::kernels::cpu {

HWY_EXPORT(tiled_f32);
HWY_EXPORT(tiled_bf16);

namespace {

void dispatch(const AttentionCall<float>& call, Slice units) {
  HWY_DYNAMIC_DISPATCH(tiled_f32)(call, units);
}
void dispatch(const AttentionCall<BF16>& call, Slice units) {
  HWY_DYNAMIC_DISPATCH(tiled_bf16)(call, units);
}

}  // namespace

std::size_t attention_tiled_scratch(const AttentionShape& shape) {
  return attention_scratch_floats(shape, std::min(kQueryTile, shape.q_len) * group_size(shape), kTileScores);
}

void attention_tiled(const AttentionShape& shape, const ScoreRule& rule, std::span<const float> q, int q_stride,
                     const KvView& kv, std::span<float> out, std::span<float> scratch, Slice units) {
  with_cache_type(shape, rule, q, q_stride, kv, out, scratch, [&](const auto& call) { dispatch(call, units); });
}

}  // namespace dachlast::kernels::cpu
#endif
