// Attention of few query rows, as in decode: K and V are multiplied as they lie, each cached row loaded from memory
// once. Include guard: see simd-inl.h.
#if defined(DACHLAST_KERNELS_ATTENTION_STREAM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DACHLAST_KERNELS_ATTENTION_STREAM_INL_H_
#undef DACHLAST_KERNELS_ATTENTION_STREAM_INL_H_
#else
#define DACHLAST_KERNELS_ATTENTION_STREAM_INL_H_
#endif

#include "kernels/cpu/attention_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

/// Keys and query rows of one step of the score loop, four keys because they share their sums over lanes: 4 · 4 sums of
/// 32 AVX-512 registers, 4 · 2 of 16 AVX2 registers. Rows that are left over go in halves of that.
inline constexpr int kStreamKeys = 4;
inline constexpr int kStreamRows = kLanes >= 16 ? 4 : 2;

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void store_four_sums(const FloatVector (&v)[4], float* out) {
  for (int i = 0; i < 4; ++i) out[i] = hn::GetLane(v[i]);
}
#else
/// Adds the 128-bit blocks of a vector.
template <class D, class V>
HWY_INLINE hn::Vec128<float> sum_of_blocks([[maybe_unused]] D d, V v) {
  if constexpr (hn::MaxLanes(D()) > 4) {
    const hn::Half<D> half;
    return sum_of_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  } else {
    return v;
  }
}

/// out[i] = sum of the lanes of v[i]: two rounds of interleaving do in 6 shuffles what four separate sums do in 16.
HWY_INLINE void store_four_sums(const FloatVector (&v)[4], float* out) {
  const FloatTag d;
  const hn::Repartition<std::uint64_t, FloatTag> pairs;
  const FloatVector v01 = hn::Add(hn::InterleaveLower(d, v[0], v[1]), hn::InterleaveUpper(d, v[0], v[1]));
  const FloatVector v23 = hn::Add(hn::InterleaveLower(d, v[2], v[3]), hn::InterleaveUpper(d, v[2], v[3]));
  const auto p01 = hn::BitCast(pairs, v01), p23 = hn::BitCast(pairs, v23);
  const FloatVector sums = hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, p01, p23)),
                                   hn::BitCast(d, hn::InterleaveUpper(pairs, p01, p23)));
  const hn::FixedTag<float, 4> four;
  hn::StoreU(sum_of_blocks(d, sums), four, out);
}
#endif

/// s[row, key] = q[row] · k[key] for kStreamKeys keys and `ROWS` rows of q [rows, head_dim].
template <int ROWS, class T>
HWY_INLINE void score_four_keys(const float* q, const T* k, int head_dim, float* s, int s_stride) {
  const FloatTag d;
  FloatVector sums[ROWS][kStreamKeys];
  HWY_UNROLL(8)
  for (int r = 0; r < ROWS; ++r) {
    HWY_UNROLL(8)
    for (int j = 0; j < kStreamKeys; ++j) sums[r][j] = hn::Zero(d);
  }
  for (int l = 0; l < head_dim; l += kLanes) {
    const int n = HWY_MIN(kLanes, head_dim - l);
    FloatVector queries[ROWS];
    HWY_UNROLL(8)
    for (int r = 0; r < ROWS; ++r) queries[r] = in_register(load_up_to(d, q + r * head_dim + l, n));
    HWY_UNROLL(8)
    for (int j = 0; j < kStreamKeys; ++j) {
      const FloatVector key = in_register(load_up_to(d, k + j * head_dim + l, n));
      HWY_UNROLL(8)
      for (int r = 0; r < ROWS; ++r) sums[r][j] = hn::MulAdd(queries[r], key, sums[r][j]);
    }
  }
  HWY_UNROLL(8)
  for (int r = 0; r < ROWS; ++r) store_four_sums(sums[r], s + r * s_stride);
}

template <class T>
HWY_INLINE void score_one_key(const float* q, const T* k, int head_dim, float* s) {
  const FloatTag d;
  FloatVector sum = hn::Zero(d);
  for (int l = 0; l < head_dim; l += kLanes) {
    const int n = HWY_MIN(kLanes, head_dim - l);
    sum = hn::MulAdd(load_up_to(d, q + l, n), load_up_to(d, k + l, n), sum);
  }
  *s = sum_of(d, sum);
}

/// Scores of four keys for rows `r` … n_rows − 1, `ROWS` at a time.
template <int ROWS, class T>
HWY_INLINE void score_rows(const float* q, int r, int n_rows, const T* k, int head_dim, float* s, int s_stride) {
  for (; r + ROWS <= n_rows; r += ROWS)
    score_four_keys<ROWS>(q + r * head_dim, k, head_dim, s + r * s_stride, s_stride);
  if constexpr (ROWS > 1) score_rows<ROWS / 2>(q, r, n_rows, k, head_dim, s, s_stride);
}

/// s [n_rows, s_stride] from q [n_rows, head_dim] and k [n_keys, head_dim]; four keys stay in L1 while all rows use
/// them.
template <class T>
HWY_NOINLINE void score_stream(const float* q, int n_rows, const T* k, int n_keys, int head_dim, float* s,
                               int s_stride) {
  int j = 0;
  for (; j + kStreamKeys <= n_keys; j += kStreamKeys)
    score_rows<kStreamRows>(q, 0, n_rows, k + j * head_dim, head_dim, s + j, s_stride);
  for (; j < n_keys; ++j)
    for (int r = 0; r < n_rows; ++r) score_one_key(q + r * head_dim, k + j * head_dim, head_dim, s + r * s_stride + j);
}

/// Online softmax of one row of scores, `n` a multiple of kLanes. Returns what earlier sums of the row shrink by.
HWY_NOINLINE inline float softmax_row(float* s, int n, float& m, float& d) {
  const FloatTag tag;
  FloatVector largest = hn::Set(tag, m);
  for (int j = 0; j < n; j += kLanes) largest = hn::Max(load(tag, s + j), largest);
  const FloatVector m_new = hn::MaxOfLanes(tag, largest);
  FloatVector sum = hn::Zero(tag);
  for (int j = 0; j < n; j += kLanes) {
    const FloatVector weight = exp2_of_negative(hn::Sub(load(tag, s + j), m_new));
    store(tag, weight, s + j);
    sum = hn::Add(sum, weight);
  }
  const float correction = hn::GetLane(exp2_of_negative(hn::Sub(hn::Set(tag, m), m_new)));
  m = hn::GetLane(m_new);
  d = d * correction + sum_of(tag, sum);
  return correction;
}

/// o[row] += Σ_key p[row, key] · v[key] for `ROWS` rows and `VECTORS` vectors, the last one `last` elements wide.
template <int ROWS, int VECTORS>
HWY_INLINE void weigh_columns(const float* p, int p_stride, int n_keys, const float* v, int v_stride, int last,
                              float* o, int o_stride) {
  const FloatTag d;
  FloatVector sums[ROWS][VECTORS];
  HWY_UNROLL(8)
  for (int r = 0; r < ROWS; ++r) {
    HWY_UNROLL(8)
    for (int c = 0; c < VECTORS; ++c) sums[r][c] = load(d, o + r * o_stride + c * kLanes);
  }
  for (int j = 0; j < n_keys; ++j) {
    HWY_UNROLL(8)
    for (int c = 0; c < VECTORS; ++c) {
      const float* element = v + j * v_stride + c * kLanes;
      const FloatVector values = in_register(c + 1 < VECTORS ? load(d, element) : load_up_to(d, element, last));
      HWY_UNROLL(8)
      for (int r = 0; r < ROWS; ++r) sums[r][c] = hn::MulAdd(hn::Set(d, p[r * p_stride + j]), values, sums[r][c]);
    }
  }
  HWY_UNROLL(8)
  for (int r = 0; r < ROWS; ++r) {
    HWY_UNROLL(8)
    for (int c = 0; c < VECTORS; ++c) store(d, sums[r][c], o + r * o_stride + c * kLanes);
  }
}

template <int ROWS>
HWY_INLINE void weigh_few_rows(const float* p, int p_stride, int n_keys, const FloatRows& v, int width, float* o,
                               int o_stride) {
  constexpr int kStrip = 4 * kLanes;
  int c = 0;
  for (; c + kStrip <= width; c += kStrip)
    weigh_columns<ROWS, 4>(p, p_stride, n_keys, v.rows + c, v.stride, kLanes, o + c, o_stride);
  for (; c < width; c += kLanes)
    weigh_columns<ROWS, 1>(p, p_stride, n_keys, v.rows + c, v.stride, HWY_MIN(kLanes, width - c), o + c, o_stride);
}

/// Weighted sums of a few keys for rows `r` … n_rows − 1, `ROWS` at a time.
template <int ROWS>
HWY_INLINE void weigh_all_rows(const float* p, int p_stride, int r, int n_rows, const FloatRows& v, int n_keys,
                               int width, float* o, int o_stride) {
  for (; r + ROWS <= n_rows; r += ROWS)
    weigh_few_rows<ROWS>(p + r * p_stride, p_stride, n_keys, v, width, o + r * o_stride, o_stride);
  if constexpr (ROWS > 1) weigh_all_rows<ROWS / 2>(p, p_stride, r, n_rows, v, n_keys, width, o, o_stride);
}

/// o [n_rows, o_stride] += p [n_rows, p_stride] · v [n_keys, width], 16 keys at a time: 16 rows of 256 floats stay in L1
/// while all query rows use them.
HWY_NOINLINE inline void weigh_stream(const float* p, int p_stride, int n_rows, const FloatRows& v, int n_keys,
                                      int width, float* o, int o_stride) {
  constexpr int kKeys = 16;
  for (int j = 0; j < n_keys; j += kKeys)
    weigh_all_rows<kStreamRows>(p + j, p_stride, 0, n_rows,
                                {v.rows + static_cast<std::ptrdiff_t>(j) * v.stride, v.stride},
                                HWY_MIN(kKeys, n_keys - j), width, o, o_stride);
}

/// q [rows, head_dim], scaled.
HWY_NOINLINE inline void pack_rows(const GroupRows& rows, float* q) {
  const int head_dim = rows.head_dim();
  const float factor = query_factor(rows.rule());
  for (int r = 0; r < rows.size(); ++r)
    for (int l = 0; l < head_dim; ++l) q[r * head_dim + l] = rows.q(r)[l] * factor;
}

/// Applies softcap to the scores of row `r` for the tile, hides what the row must not see, and fills the row up to whole
/// vectors. Returns its new length.
HWY_NOINLINE inline int finish_scores(const GroupRows& rows, int r, const KeyTile& tile, float* s) {
  const int n_keys = tile.size(), padded = round_up(n_keys, kLanes);
  std::fill(s + n_keys, s + padded, 0.0f);
  if (rows.rule().softcap > 0.0f) softcap_scores(s, padded, rows.rule().softcap);
  if (!rows.all_see(tile, r, r))
    for (int j = 0; j < n_keys; ++j)
      if (!rows.sees(r, tile.position(j))) s[j] = kHidden;
  std::fill(s + n_keys, s + padded, kHidden);
  return padded;
}

HWY_INLINE void scale_row(float factor, float* row, int n) {
  const FloatTag d;
  for (int i = 0; i < n; i += kLanes) store(d, hn::Mul(load(d, row + i), hn::Set(d, factor)), row + i);
}

/// One tile of keys for a few rows: scores, online softmax, weighted sum. `s` is [rows, s_stride].
HWY_NOINLINE inline void attend_tile(const GroupRows& rows, const KeyTile& tile, const AttentionScratch& scratch,
                                     int s_stride) {
  const int head_dim = rows.head_dim(), value_dim = rows.value_dim(), o_stride = round_up(value_dim, kPad);
  const FloatRows k = float_rows(key_rows, rows, tile.slots(), head_dim, scratch.k);
  score_stream(scratch.q, rows.size(), k.rows, tile.size(), head_dim, scratch.s, s_stride);
  for (int r = 0; r < rows.size(); ++r) {
    float* s = scratch.s + static_cast<std::size_t>(r) * s_stride;
    const int padded = finish_scores(rows, r, tile, s);
    const float correction = softmax_row(s, padded, scratch.m[r], scratch.d[r]);
    scale_row(correction, scratch.o + r * o_stride, o_stride);
  }
  const FloatRows v = float_rows(value_rows, rows, tile.slots(), value_dim, scratch.v);
  weigh_stream(scratch.s, s_stride, rows.size(), v, tile.size(), value_dim, scratch.o, o_stride);
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggling include guard
