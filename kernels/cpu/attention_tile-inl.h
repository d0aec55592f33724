// Pieces of tiled attention: scores, exponentials and weighted sums of one tile of keys. Include guard: see simd-inl.h.
//
// Two layouts, because two things can be scarce. Many query rows share a tile (prefill): arithmetic is scarce, a block
// of kQueryBlock queries lies across the lanes, so that a score needs no sum over lanes and softmax runs down the
// columns. Few rows (decode): reading K and V is scarce, each cached row is loaded once and multiplied as it lies.
// Scores are in units of log2 e: softmax with powers of two, which are cheaper than powers of e, gives the same
// weights.
#if defined(DACHLAST_KERNELS_ATTENTION_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DACHLAST_KERNELS_ATTENTION_TILE_INL_H_
#undef DACHLAST_KERNELS_ATTENTION_TILE_INL_H_
#else
#define DACHLAST_KERNELS_ATTENTION_TILE_INL_H_
#endif

#include "kernels/cpu/attention_load.h"
#include "kernels/cpu/attention_scratch.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

inline constexpr int kBlockVectors = kQueryBlock / kLanes;

/// Keys whose scores are made together: 8 · 2 sums of 32 AVX-512 registers, 2 · 4 of 16 AVX2 registers.
inline constexpr int kScoreKeys = kLanes >= 16 ? 8 : 2;

/// Rows and vectors of o made together: 4 · 4 sums in AVX-512, 4 · 2 in AVX2.
inline constexpr int kValueRows = 4;
inline constexpr int kValueVectors = kLanes >= 16 ? 4 : 2;

/// 2^x for x <= 0; 0 below −126, where a float loses precision.
/// Numbers  2^n · p(x − n), n the integer nearest to x; p is the Chebyshev interpolant of degree 5 of 2^f over [−½, ½],
///          relative error 1.0e-7. Adding 1.5 · 2^23 leaves n in the low bits of the float.
HWY_INLINE FloatVector exp2_of_negative(FloatVector x) {
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> di;
  const FloatVector magic = hn::Set(d, 12582912.0f);
  const FloatVector shifted = hn::Add(x, magic);
  const FloatVector f = hn::Sub(x, hn::Sub(shifted, magic));
  FloatVector p = hn::MulAdd(hn::Set(d, 0.00133908634f), f, hn::Set(d, 0.00967603192f));
  p = hn::MulAdd(p, f, hn::Set(d, 0.0555035711f));
  p = hn::MulAdd(p, f, hn::Set(d, 0.240221075f));
  p = hn::MulAdd(p, f, hn::Set(d, 0.693147188f));
  p = hn::MulAdd(p, f, hn::Set(d, 1.00000008f));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(di, shifted));
  const FloatVector power = hn::BitCast(d, hn::Add(hn::BitCast(di, p), exponent));
  return hn::IfThenElseZero(hn::Gt(x, hn::Set(d, -126.0f)), power);
}

/// s[key, query] = q[query] · k[key] for `KEYS` keys and one block of queries; q is [head_dim, kQueryBlock].
template <int KEYS>
HWY_INLINE void score_keys(const float* q, const float* k, int head_dim, float* s) {
  const FloatTag d;
  FloatVector sums[KEYS][kBlockVectors];
  HWY_UNROLL(8)
  for (int j = 0; j < KEYS; ++j) {
    HWY_UNROLL(8)
    for (int v = 0; v < kBlockVectors; ++v) sums[j][v] = hn::Zero(d);
  }
  for (int l = 0; l < head_dim; ++l) {
    FloatVector queries[kBlockVectors];
    HWY_UNROLL(8)
    for (int v = 0; v < kBlockVectors; ++v) queries[v] = in_register(load(d, q + l * kQueryBlock + v * kLanes));
    HWY_UNROLL(8)
    for (int j = 0; j < KEYS; ++j) {
      const FloatVector key = hn::Set(d, k[j * head_dim + l]);
      HWY_UNROLL(8)
      for (int v = 0; v < kBlockVectors; ++v) sums[j][v] = hn::MulAdd(key, queries[v], sums[j][v]);
    }
  }
  HWY_UNROLL(8)
  for (int j = 0; j < KEYS; ++j) {
    HWY_UNROLL(8)
    for (int v = 0; v < kBlockVectors; ++v) store(d, sums[j][v], s + j * kQueryBlock + v * kLanes);
  }
}

/// s [n_keys, kQueryBlock] from q [head_dim, kQueryBlock] and k [n_keys, head_dim].
HWY_NOINLINE inline void score_block(const float* q, const float* k, int n_keys, int head_dim, float* s) {
  int j = 0;
  for (; j + kScoreKeys <= n_keys; j += kScoreKeys)
    score_keys<kScoreKeys>(q, k + j * head_dim, head_dim, s + j * kQueryBlock);
  for (; j < n_keys; ++j) score_keys<1>(q, k + j * head_dim, head_dim, s + j * kQueryBlock);
}

/// scores = cap · tanh(scores / cap), then in units of log2 e; `n` is a multiple of kLanes.
HWY_NOINLINE inline void softcap_scores(float* s, int n, float cap) {
  const FloatTag d;
  for (int i = 0; i < n; i += kLanes) store(d, hn::Mul(softcapped(load(d, s + i), cap), hn::Set(d, kLog2E)), s + i);
}

/// What each query row of a block sees; rows beyond the last one see nothing.
struct BlockSight {
  std::int32_t begins[kQueryBlock];
  std::int32_t positions[kQueryBlock];

  BlockSight(const GroupRows& rows, int first) : begins{}, positions{} {
    std::fill_n(positions, kQueryBlock, -1);
    for (int r = 0; r < HWY_MIN(kQueryBlock, rows.size() - first); ++r) {
      const Sight sight = rows.sight(first + r);
      begins[r] = sight.begin;
      positions[r] = sight.position;
    }
  }
};

/// Replaces the scores of keys that a query must not see; s is [keys, kQueryBlock].
HWY_NOINLINE inline void mask_block(const GroupRows& rows, int first, const KeyTile& tile, float* s) {
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> di;
  const BlockSight sight(rows, first);
  for (int v = 0; v < kBlockVectors; ++v) {
    const auto begins = hn::LoadU(di, sight.begins + v * kLanes), ends = hn::LoadU(di, sight.positions + v * kLanes);
    for (int j = 0; j < tile.size(); ++j) {
      float* scores = s + j * kQueryBlock + v * kLanes;
      const int position = tile.position(j);
      const auto begin = rows.is_sink(position) ? hn::Zero(di) : begins;
      const auto key = hn::Set(di, position);
      const auto hidden = hn::Or(hn::Gt(begin, key), hn::Gt(key, ends));
      store(d, hn::IfThenElse(hn::RebindMask(d, hidden), hn::Set(d, kHidden), load(d, scores)), scores);
    }
  }
}

/// Online softmax of one block: s becomes the weights p, m and d move on, `correction` is what earlier sums shrink by.
HWY_NOINLINE inline void softmax_block(float* s, int n_keys, float* m, float* d, float* correction) {
  const FloatTag tag;
  FloatVector largest[kBlockVectors], sums[kBlockVectors];
  for (int v = 0; v < kBlockVectors; ++v) largest[v] = load(tag, m + v * kLanes);
  for (int j = 0; j < n_keys; ++j)
    for (int v = 0; v < kBlockVectors; ++v)
      largest[v] = hn::Max(load(tag, s + j * kQueryBlock + v * kLanes), largest[v]);
  for (int v = 0; v < kBlockVectors; ++v) {
    store(tag, exp2_of_negative(hn::Sub(load(tag, m + v * kLanes), largest[v])), correction + v * kLanes);
    store(tag, largest[v], m + v * kLanes);
    sums[v] = hn::Zero(tag);
  }
  for (int j = 0; j < n_keys; ++j)
    for (int v = 0; v < kBlockVectors; ++v) {
      float* p = s + j * kQueryBlock + v * kLanes;
      const FloatVector weight = exp2_of_negative(hn::Sub(load(tag, p), largest[v]));
      store(tag, weight, p);
      sums[v] = hn::Add(sums[v], weight);
    }
  for (int v = 0; v < kBlockVectors; ++v)
    store(tag, hn::MulAdd(load(tag, d + v * kLanes), load(tag, correction + v * kLanes), sums[v]), d + v * kLanes);
}

/// o[r] = correction[r] · o[r] + Σ_key p[key, r] · v[key] for kValueRows rows and `VECTORS` vectors of their columns.
template <int VECTORS>
HWY_INLINE void weigh_rows(const float* p, int n_keys, const float* v, int v_stride, const float* correction, float* o,
                           int o_stride) {
  const FloatTag d;
  FloatVector sums[kValueRows][VECTORS];
  HWY_UNROLL(8)
  for (int r = 0; r < kValueRows; ++r) {
    HWY_UNROLL(8)
    for (int c = 0; c < VECTORS; ++c)
      sums[r][c] = hn::Mul(hn::Set(d, correction[r]), load(d, o + r * o_stride + c * kLanes));
  }
  for (int j = 0; j < n_keys; ++j) {
    FloatVector values[VECTORS];
    HWY_UNROLL(8)
    for (int c = 0; c < VECTORS; ++c) values[c] = in_register(load(d, v + j * v_stride + c * kLanes));
    HWY_UNROLL(8)
    for (int r = 0; r < kValueRows; ++r) {
      const FloatVector weight = in_register(hn::Set(d, p[j * kQueryBlock + r]));
      HWY_UNROLL(8)
      for (int c = 0; c < VECTORS; ++c) sums[r][c] = hn::MulAdd(weight, values[c], sums[r][c]);
    }
  }
  HWY_UNROLL(8)
  for (int r = 0; r < kValueRows; ++r) {
    HWY_UNROLL(8)
    for (int c = 0; c < VECTORS; ++c) store(d, sums[r][c], o + r * o_stride + c * kLanes);
  }
}

/// o [n_rows, o_stride] from p [n_keys, kQueryBlock] and v [n_keys, v.stride]; width is a multiple of kLanes, and rows
/// up to the next multiple of kValueRows are computed too.
HWY_NOINLINE inline void weigh_block(const float* p, int n_keys, const FloatRows& v, int width, const float* correction,
                                     int n_rows, float* o, int o_stride) {
  constexpr int kStrip = kValueVectors * kLanes;
  for (int r = 0; r < n_rows; r += kValueRows) {
    float* row = o + r * o_stride;
    int c = 0;
    for (; c + kStrip <= width; c += kStrip)
      weigh_rows<kValueVectors>(p + r, n_keys, v.rows + c, v.stride, correction + r, row + c, o_stride);
    for (; c < width; c += kLanes)
      weigh_rows<1>(p + r, n_keys, v.rows + c, v.stride, correction + r, row + c, o_stride);
  }
}

/// q [blocks, head_dim, kQueryBlock], scaled, zeros beyond the last row.
HWY_NOINLINE inline void pack_blocks(const GroupRows& rows, float* q) {
  const int head_dim = rows.head_dim();
  const float factor = query_factor(rows.rule());
  for (int r = 0; r < round_up(rows.size(), kQueryBlock); ++r) {
    float* column = q + r / kQueryBlock * kQueryBlock * head_dim + r % kQueryBlock;
    for (int l = 0; l < head_dim; ++l) column[l * kQueryBlock] = r < rows.size() ? rows.q(r)[l] * factor : 0.0f;
  }
}

/// out = o / d, or the partial result (o, m, d).
HWY_NOINLINE inline void write_rows(const GroupRows& rows, const AttentionScratch& scratch) {
  const int value_dim = rows.value_dim();
  for (int r = 0; r < rows.size(); ++r) {
    const float* sums = scratch.o + r * round_up(value_dim, kPad);
    if (rows.unit().n_splits == 1) {
      const float scale = 1.0f / scratch.d[r];
      for (int l = 0; l < value_dim; ++l) rows.out(r)[l] = sums[l] * scale;
      continue;
    }
    float* state = rows.state(r);
    std::copy_n(sums, value_dim, state);
    state[value_dim] = scratch.m[r];
    state[value_dim + 1] = scratch.d[r];
  }
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggling include guard
