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

/// A tile of the unit's slots from `t` on.
inline KeyTile tile_at(const GroupRows& rows, int t) {
  return rows.tile({t, HWY_MIN(t + kKeyTile, rows.unit().slots.end)});
}

/// Scores [blocks, keys, kQueryBlock] of one head, the masked half included.
HWY_NOINLINE inline void all_scores(const GroupRows& rows, const AttentionScratch& scratch) {
  const int head_dim = rows.head_dim();
  const SlotRange all = rows.unit().slots;
  const std::size_t block_scores = static_cast<std::size_t>(all.end - all.begin) * kQueryBlock;
  for (int t = all.begin; t < all.end; t += kKeyTile) {
    const KeyTile tile = tile_at(rows, t);
    const FloatRows k = float_rows(key_rows, rows, tile.slots(), head_dim, scratch.k);
    for (int first = 0; first < rows.size(); first += kQueryBlock) {
      float* block = scratch.s + first / kQueryBlock * block_scores;
      score_block(scratch.q + first * head_dim, k.rows, tile.size(), head_dim, block + (t - all.begin) * kQueryBlock);
    }
  }
}

HWY_NOINLINE inline void all_weights(const GroupRows& rows, const AttentionScratch& scratch) {
  const SlotRange all = rows.unit().slots;
  const int n_keys = all.end - all.begin;
  for (int first = 0; first < rows.size(); first += kQueryBlock) {
    float* block = scratch.s + static_cast<std::size_t>(first) * n_keys;
    if (rows.rule().softcap > 0.0f) softcap_scores(block, n_keys * kQueryBlock, rows.rule().softcap);
    mask_block(rows, first, rows.tile(all), block);
    softmax_block(block, n_keys, scratch.m + first, scratch.d + first, scratch.correction);
  }
}

HWY_NOINLINE inline void all_sums(const GroupRows& rows, const AttentionScratch& scratch) {
  const int o_stride = round_up(rows.value_dim(), kPad), width = round_up(rows.value_dim(), kLanes);
  const SlotRange all = rows.unit().slots;
  const std::size_t block_scores = static_cast<std::size_t>(all.end - all.begin) * kQueryBlock;
  std::fill_n(scratch.correction, kQueryBlock, 1.0f);  // the weights are final: nothing shrinks
  for (int t = all.begin; t < all.end; t += kKeyTile) {
    const KeyTile tile = tile_at(rows, t);
    const FloatRows v = float_rows(value_rows, rows, tile.slots(), width, scratch.v);
    for (int first = 0; first < rows.size(); first += kQueryBlock)
      weigh_block(scratch.s + first / kQueryBlock * block_scores + (t - all.begin) * kQueryBlock, tile.size(), v, width,
                  scratch.correction, HWY_MIN(kQueryBlock, rows.size() - first), scratch.o + first * o_stride,
                  o_stride);
  }
}

inline AttentionScratch take_scratch(const GroupRows& rows, std::span<float> memory) {
  const SlotRange all = rows.unit().slots;
  return take_attention_scratch(
      {rows.size(), rows.head_dim(), rows.value_dim(), naive_scores(rows.size(), all.end - all.begin)}, memory);
}

/// All queries of `unit`, which may be longer than a tile, for one head after the other.
HWY_NOINLINE inline void many_rows(const AttentionCall& call, const AttentionUnit& unit, std::span<float> memory) {
  for (int member = 0; member < group_size(call); ++member) {
    const GroupRows rows(call, unit, member, 1);
    const AttentionScratch scratch = take_scratch(rows, memory);
    pack_blocks(rows, scratch.q);
    all_scores(rows, scratch);
    all_weights(rows, scratch);
    all_sums(rows, scratch);
    write_rows(rows, scratch);
  }
}

/// A few rows, as in decode: their scores are short, and tiles follow each other as in the tiled kernel.
HWY_NOINLINE inline void few_rows(const AttentionCall& call, const AttentionUnit& unit, std::span<float> memory) {
  const GroupRows rows(call, unit);
  const AttentionScratch scratch = take_scratch(rows, memory);
  const int s_stride = round_up(HWY_MIN(kKeyTile, unit.slots.end - unit.slots.begin), kPad);
  pack_rows(rows, scratch.q);
  for (int t = unit.slots.begin; t < unit.slots.end; t += kKeyTile)
    attend_tile(rows, tile_at(rows, t), scratch, s_stride);
  write_rows(rows, scratch);
}

/// The next unit continues the queries of `unit`.
inline bool continues(const AttentionUnit& unit, const AttentionUnit& next) {
  return next.sequence == unit.sequence && next.kv_head == unit.kv_head && next.first_query == unit.end_query();
}

/// Tiles of the same head that follow each other become one unit: that is what makes the scores n × n.
void naive(const AttentionCall& call, std::span<float> memory, Slice units) {
  UnitWalk walk(call, units);
  while (!walk.done()) {
    AttentionUnit unit = walk.unit();
    for (walk.next(); !walk.done() && continues(unit, walk.unit()); walk.next()) {
      const AttentionUnit next = walk.unit();
      unit.n_queries += next.n_queries;
      unit.slots.end = next.slots.end;
    }
    if (unit.n_queries * group_size(call) <= kFewRows || unit.slots.begin == unit.slots.end)
      few_rows(call, unit, memory);
    else
      many_rows(call, unit, memory);
  }
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dachlast::kernels::cpu {

HWY_EXPORT(naive);

std::size_t attention_naive_scratch(const AttentionSizes& s) {
  const int n_rows = std::max(s.q_len, std::min(s.n_heads / s.n_kv_heads * s.q_len, kFewRows));
  return attention_scratch_floats({n_rows, s.head_dim, s.value_dim, naive_scores(n_rows, s.kv_len)});
}

void attention_naive(const AttentionCall& call, std::span<float> scratch, Slice units) {
  HWY_DYNAMIC_DISPATCH(naive)(call, scratch, units);
}

}  // namespace dachlast::kernels::cpu
#endif
