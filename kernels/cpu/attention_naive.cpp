// The teaching baseline: softmax(Q·Kᵀ)·V as it is written, one step after the other, with all scores of a head in
// memory between them. The steps are those of the tiled kernel, so that the two differ in nothing but what they keep.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_naive.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/attention_cpu.h"
#include "kernels/cpu/attention_stream-inl.h"
#include "kernels/cpu/attention_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

/// Scores [blocks, keys, kQueryBlock] of one head, the masked half included.
template <class T>
HWY_NOINLINE void all_scores(const GroupRows<T>& rows, const AttentionScratch& scratch) {
  const int head_dim = rows.shape().head_dim;
  const KeyRange all = rows.visible();
  const std::size_t block_scores = static_cast<std::size_t>(all.end - all.begin) * kQueryBlock;
  for (int t = all.begin; t < all.end; t += kKeyTile) {
    const int n_keys = HWY_MIN(kKeyTile, all.end - t);
    const float* k = as_floats(rows.k(t), n_keys, head_dim, scratch.k);
    for (int first = 0; first < rows.size(); first += kQueryBlock) {
      float* block = scratch.s + first / kQueryBlock * block_scores;
      score_block(scratch.q + first * head_dim, k, n_keys, head_dim, block + (t - all.begin) * kQueryBlock);
    }
  }
}

template <class T>
HWY_NOINLINE void all_weights(const GroupRows<T>& rows, const AttentionScratch& scratch) {
  const KeyRange all = rows.visible();
  const int n_keys = all.end - all.begin;
  for (int first = 0; first < rows.size(); first += kQueryBlock) {
    float* block = scratch.s + static_cast<std::size_t>(first) * n_keys;
    if (rows.rule().softcap > 0.0f) softcap_scores(block, n_keys * kQueryBlock, rows.rule().softcap);
    mask_block(rows.bounds(first), all.begin, n_keys, block);
    softmax_block(block, n_keys, scratch.m + first, scratch.d + first, scratch.correction);
  }
}

template <class T>
HWY_NOINLINE void all_sums(const GroupRows<T>& rows, const AttentionScratch& scratch) {
  const int head_dim = rows.shape().head_dim, o_stride = round_up(head_dim, kPad);
  const KeyRange all = rows.visible();
  const std::size_t block_scores = static_cast<std::size_t>(all.end - all.begin) * kQueryBlock;
  std::fill_n(scratch.correction, kQueryBlock, 1.0f);  // the weights are final: nothing shrinks
  for (int t = all.begin; t < all.end; t += kKeyTile) {
    const int n_keys = HWY_MIN(kKeyTile, all.end - t);
    const ValueTile v = as_vectors(rows.v(t), n_keys, head_dim, scratch.v);
    for (int first = 0; first < rows.size(); first += kQueryBlock)
      weigh_block(scratch.s + first / kQueryBlock * block_scores + (t - all.begin) * kQueryBlock, n_keys, v.rows,
                  v.width, scratch.correction, HWY_MIN(kQueryBlock, rows.size() - first), scratch.o + first * o_stride,
                  o_stride);
  }
}

/// All queries of `unit`, which may be longer than a tile, for one head after the other.
template <class T>
HWY_NOINLINE void many_rows(const AttentionCall<T>& call, const AttentionUnit& unit) {
  for (int member = 0; member < group_size(call.shape); ++member) {
    const GroupRows<T> rows(call, unit, member, 1);
    const AttentionScratch scratch =
        take_attention_scratch(call.shape, rows.size(), naive_scores(call.shape), call.scratch);
    pack_blocks(rows, scratch.q);
    all_scores(rows, scratch);
    all_weights(rows, scratch);
    all_sums(rows, scratch);
    write_rows(rows, scratch.o, scratch.d);
  }
}

template <class T>
HWY_NOINLINE void few_rows(const AttentionCall<T>& call, const AttentionUnit& unit) {
  const GroupRows<T> rows(call, unit);
  const AttentionScratch scratch =
      take_attention_scratch(call.shape, rows.size(), naive_scores(call.shape), call.scratch);
  pack_rows(rows, scratch.q);
  attend_tile(rows, rows.visible(), scratch, round_up(call.shape.kv_len, kPad));
  write_rows(rows, scratch.o, scratch.d);
}

/// Tiles of the same head that follow each other become one unit: that is what makes the scores n × n.
template <class T>
void naive(const AttentionCall<T>& call, Slice units) {
  for (int index = units.begin; index < units.end;) {
    AttentionUnit unit = unit_at(call.shape, index);
    for (++index; index < units.end && unit_at(call.shape, index).first_query > 0; ++index)
      unit.n_queries += unit_at(call.shape, index).n_queries;
    if (call.shape.q_len * group_size(call.shape) <= kFewRows)
      few_rows(call, unit);
    else
      many_rows(call, unit);
  }
}

void naive_f32(const AttentionCall<float>& call, Slice units) {
  naive(call, units);
}
void naive_bf16(const AttentionCall<BF16>& call, Slice units) {
  naive(call, units);
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dachlast::kernels::cpu {

HWY_EXPORT(naive_f32);
HWY_EXPORT(naive_bf16);

namespace {

void dispatch(const AttentionCall<float>& call, Slice units) {
  HWY_DYNAMIC_DISPATCH(naive_f32)(call, units);
}
void dispatch(const AttentionCall<BF16>& call, Slice units) {
  HWY_DYNAMIC_DISPATCH(naive_bf16)(call, units);
}

}  // namespace

std::size_t attention_naive_scratch(const AttentionShape& shape) {
  return attention_scratch_floats(shape, std::max(shape.q_len, kFewRows), naive_scores(shape));
}

void attention_naive(const AttentionShape& shape, const ScoreRule& rule, std::span<const float> q, int q_stride,
                     const KvView& kv, std::span<float> out, std::span<float> scratch, Slice units) {
  with_cache_type(shape, rule, q, q_stride, kv, out, scratch, [&](const auto& call) { dispatch(call, units); });
}

}  // namespace dachlast::kernels::cpu
#endif
