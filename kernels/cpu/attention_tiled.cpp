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
HWY_NOINLINE inline void attend_block(const GroupRows& rows, int first, const KeyTile& tile, const float* k,
                                      const FloatRows& v, const AttentionScratch& scratch) {
  const int o_stride = round_up(rows.value_dim(), kPad), n_keys = tile.size();
  const int last = HWY_MIN(first + kQueryBlock, rows.size()) - 1;
  if (rows.none_sees(tile, first, last)) return;
  score_block(scratch.q + first * rows.head_dim(), k, n_keys, rows.head_dim(), scratch.s);
  if (rows.rule().softcap > 0.0f) softcap_scores(scratch.s, n_keys * kQueryBlock, rows.rule().softcap);
  if (!rows.all_see(tile, first, last)) mask_block(rows, first, tile, scratch.s);
  softmax_block(scratch.s, n_keys, scratch.m + first, scratch.d + first, scratch.correction);
  weigh_block(scratch.s, n_keys, v, round_up(rows.value_dim(), kLanes), scratch.correction, last - first + 1,
              scratch.o + first * o_stride, o_stride);
}

HWY_NOINLINE inline void attend_many(const GroupRows& rows, const AttentionScratch& scratch) {
  const SlotRange all = rows.unit().slots;
  pack_blocks(rows, scratch.q);
  for (int t = all.begin; t < all.end; t += kKeyTile) {
    const KeyTile tile = rows.tile({t, HWY_MIN(t + kKeyTile, all.end)});
    if (rows.none_sees(tile)) continue;
    const FloatRows k = float_rows(key_rows, rows, tile.slots(), rows.head_dim(), scratch.k);
    const FloatRows v = float_rows(value_rows, rows, tile.slots(), round_up(rows.value_dim(), kLanes), scratch.v);
    for (int first = 0; first < rows.size(); first += kQueryBlock) attend_block(rows, first, tile, k.rows, v, scratch);
  }
}

/// End of the tile that starts at slot `t`: long where floats lie together, as long as the buffer where not.
inline int stream_end(const GroupRows& rows, int t, int end) {
  const AttentionUnit& unit = rows.unit();
  if (rows.layout().format != KvFormat::kF32) return HWY_MIN(t + kKeyTile, end);
  const int together = key_rows(rows.call().kv.pool, *unit.sequence, unit.kv_head, t, end).n_rows;
  return t + (together > kKeyTile ? HWY_MIN(together, kStreamTile) : HWY_MIN(kKeyTile, end - t));
}

HWY_NOINLINE inline void attend_few(const GroupRows& rows, const AttentionScratch& scratch) {
  const SlotRange all = rows.unit().slots;
  pack_rows(rows, scratch.q);
  for (int t = all.begin; t < all.end;) {
    const int end = stream_end(rows, t, all.end);
    const KeyTile tile = rows.tile({t, end});
    if (!rows.none_sees(tile)) attend_tile(rows, tile, scratch, kStreamTile);
    t = end;
  }
}

void tiled(const AttentionCall& call, std::span<float> memory, Slice units) {
  for (UnitWalk walk(call, units); !walk.done(); walk.next()) {
    const AttentionUnit unit = walk.unit();
    const GroupRows rows(call, unit);
    const AttentionScratch scratch =
        take_attention_scratch({rows.size(), rows.head_dim(), rows.value_dim(), kTileScores}, memory);
    if (rows.size() <= kFewRows)
      attend_few(rows, scratch);
    else
      attend_many(rows, scratch);
    write_rows(rows, scratch);
  }
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dachlast::kernels::cpu {

HWY_EXPORT(tiled);

std::size_t attention_tiled_scratch(const AttentionSizes& s) {
  const int group = s.n_heads / s.n_kv_heads;
  return attention_scratch_floats(
      {std::min(tile_queries(group), s.q_len) * group, s.head_dim, s.value_dim, kTileScores});
}

void attention_tiled(const AttentionCall& call, std::span<float> scratch, Slice units) {
  HWY_DYNAMIC_DISPATCH(tiled)(call, scratch, units);
}

}  // namespace dachlast::kernels::cpu
#endif
