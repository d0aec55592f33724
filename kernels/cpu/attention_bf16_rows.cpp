// Attention of few query rows, as in decode: keys and values are multiplied as they lie, each row read once for all heads
// of the group. What is not bfloat16 is expanded a tile at a time into a buffer in L1: int8 and fp8 codes as they are,
// their scales multiply scores and weights.
#if defined(__x86_64__)

#include "kernels/cpu/attention_bf16.h"
#include "kernels/cpu/bf16_math.h"
#include "kernels/cpu/bf16_tile.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")

namespace dachlast::kernels::cpu {
namespace {

constexpr int kKeys = kScoredTogether;
constexpr int kTile = kBf16FewTile;

struct FewScratch {
  BF16* q;        // [kFewRows, kv_stride(head_dim)]
  BF16* k;        // [kTile, kv_stride(head_dim)], where keys are not bfloat16 in whole vectors
  BF16* v;        // [kTile, kv_stride(value_dim)]
  float* s;       // [kFewRows, kTile] raw scores
  Bf16Pair* p;    // [kFewRows, kTile / 2] weights
  float* o;       // [kFewRows, kv_stride(value_dim)]
  float* m;       // [kFewRows]
  float* d;       // [kFewRows]
  float* shrink;  // [kFewRows] what earlier sums shrink by

  FewScratch(const GroupRows& g, std::span<float> memory) {
    assert(memory.size() >= bf16_scratch_floats(g.size(), g.head_dim(), g.value_dim()));
    const auto ks = static_cast<std::size_t>(kv_stride(g.head_dim())),
               vs = static_cast<std::size_t>(kv_stride(g.value_dim()));
    ScratchPieces pieces(memory);
    q = reinterpret_cast<BF16*>(pieces.take(kFewRows * ks / 2));
    k = reinterpret_cast<BF16*>(pieces.take(kTile * ks / 2));
    v = reinterpret_cast<BF16*>(pieces.take(kTile * vs / 2));
    s = pieces.take(kFewRows * kTile);
    p = reinterpret_cast<Bf16Pair*>(pieces.take(kFewRows * kTile / 2));
    o = pieces.take(kFewRows * vs);
    m = pieces.take(kFewRows);
    d = pieces.take(kFewRows);
    shrink = pieces.take(kFewRows);
    std::fill_n(o, kFewRows * vs, 0.0f);
    std::fill_n(m, kFewRows, kLeastMaximum);
    std::fill_n(d, kFewRows, 0.0f);
  }
};

/// Sums over the lanes of four vectors, in two rounds of interleaving.
HWY_INLINE __m128 sums_of_four(const __m512 (&v)[kKeys]) {
  const __m512 v01 = _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
  const __m512 v23 = _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
  const __m512d a = _mm512_castps_pd(v01), b = _mm512_castps_pd(v23);
  const __m512 all =
      _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)), _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

/// s[row, 0 … 3] for `ROWS` rows of q and four keys.
template <int ROWS>
HWY_INLINE void score_keys(const BF16* q, const BF16* const* keys, int stride, float* s) {
  __m512 sums[ROWS][kKeys];
#pragma GCC unroll 4
  for (auto& row : sums)
#pragma GCC unroll 4
    for (__m512& sum : row) sum = _mm512_setzero_ps();
  for (int l = 0; l < stride; l += kBf16Lanes) {
    __m512i queries[ROWS];
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; ++r) queries[r] = _mm512_loadu_si512(q + r * stride + l);
#pragma GCC unroll 4
    for (int j = 0; j < kKeys; ++j) {
      const __m512i key = _mm512_loadu_si512(keys[j] + l);
#pragma GCC unroll 4
      for (int r = 0; r < ROWS; ++r) sums[r][j] = dot(sums[r][j], queries[r], key);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; ++r) _mm_storeu_ps(s + r * kTile, sums_of_four(sums[r]));
}

template <int ROWS>
HWY_INLINE void score_rows(const BF16* q, int r, int n_rows, const BF16* const* keys, int stride, float* s) {
  for (; r + ROWS <= n_rows; r += ROWS) score_keys<ROWS>(q + r * stride, keys, stride, s + r * kTile);
  if constexpr (ROWS > 1) score_rows<ROWS / 2>(q, r, n_rows, keys, stride, s);
}

/// Raw scores of a tile. Meanwhile its values are fetched.
void score_tile(const FewScratch& t, int n_rows, const ReadyTile& k, int stride, const StoredTile& values) {
  for (int j = 0; j < values.n_rows(); j += kKeys) {
    for (int i = 0; i < kKeys; ++i) values.prefetch(j + i);
    score_rows<4>(t.q, 0, n_rows, k.rows + j, stride, t.s + j);
  }
  if (k.lie != Lie::kCodes) return;
  for (int r = 0; r < n_rows; ++r)
    for (int j = 0; j < kTile; j += 16)
      _mm512_storeu_ps(t.s + r * kTile + j,
                       _mm512_mul_ps(_mm512_loadu_ps(t.s + r * kTile + j), _mm512_load_ps(k.scales + j)));
}

/// Softcap, and what row `r` must not see; the tile is filled up with unseen keys.
void finish_scores(const GroupRows& rows, int r, const KeyTile& tile, float* s) {
  const ScoreRule& rule = rows.rule();
  if (rule.softcap > 0.0f) {
    std::fill(s + round_up(tile.size(), kKeys), s + kTile, 0.0f);
    const Softcap softcap{rule.softcap, rule.scale};
    for (int j = 0; j < kTile; j += 16) _mm512_storeu_ps(s + j, softcap(_mm512_loadu_ps(s + j)));
  }
  if (!rows.all_see(tile, r, r))
    for (int j = 0; j < tile.size(); ++j)
      if (!rows.sees(r, tile.position(j))) s[j] = kUnseen;
  std::fill(s + tile.size(), s + kTile, kUnseen);
}

/// Online softmax of one row of kTile scores; weights take the scales of their values with them.
void softmax_row(const FewScratch& t, int r, float factor, const ReadyTile& v) {
  constexpr int kVectors = kTile / 16;
  const float* s = t.s + r * kTile;
  __m512 scores[kVectors];
  for (int i = 0; i < kVectors; ++i) scores[i] = _mm512_loadu_ps(s + 16 * i);
  const float tile_most =
      _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(scores[0], scores[1]), _mm512_max_ps(scores[2], scores[3])));
  const float most = std::max(t.m[r], tile_most);
  const __m512 f = _mm512_set1_ps(factor), offset = _mm512_set1_ps(most * factor);
  for (__m512& score : scores) score = exp2_for_bf16(_mm512_fmsub_ps(score, f, offset));
  const __m512 sum = _mm512_add_ps(_mm512_add_ps(scores[0], scores[1]), _mm512_add_ps(scores[2], scores[3]));
  if (v.lie == Lie::kCodes)
    for (int i = 0; i < kVectors; ++i) scores[i] = _mm512_mul_ps(scores[i], _mm512_load_ps(v.scales + 16 * i));
  for (int i = 0; i < kVectors; i += 2)
    _mm512_storeu_si512(t.p + (r * kTile + 16 * i) / 2,
                        reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(scores[i + 1], scores[i])));
  const __m512 shrink = exp2_for_float(_mm512_set1_ps((t.m[r] - most) * factor));
  t.shrink[r] = _mm512_cvtss_f32(shrink);
  t.d[r] = t.d[r] * t.shrink[r] + _mm512_reduce_add_ps(sum);
  t.m[r] = most;
}

/// Rows j and j + 1 as pairs: columns c … c + 15 and c + 16 … c + 31.
struct ValuePairs {
  __m512i first;
  __m512i second;
};

HWY_INLINE ValuePairs value_pairs(const BF16* even_row, const BF16* odd_row, __m512i lower, __m512i upper) {
  const __m512i even = _mm512_loadu_si512(even_row), odd = _mm512_loadu_si512(odd_row);
  return {_mm512_permutex2var_epi16(even, lower, odd), _mm512_permutex2var_epi16(even, upper, odd)};
}

/// What `weigh_columns` reads, and the tile of keys it fetches meanwhile.
struct ValueWork {
  const ReadyTile& v;
  int n_keys;
  int stride;
  const StoredTile& next_keys;
};

/// o[row, columns] = o · shrink + Σ p · v for `ROWS` rows and 32 · `STRIPS` columns from `c` on.
template <int ROWS, int STRIPS>
HWY_INLINE void weigh_columns(const FewScratch& t, int row, const ValueWork& work, int c) {
  alignas(64) static constexpr std::uint16_t kLower[32] = {0,  32, 1,  33, 2,  34, 3,  35, 4,  36, 5,
                                                           37, 6,  38, 7,  39, 8,  40, 9,  41, 10, 42,
                                                           11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
  const __m512i lower = _mm512_load_si512(kLower), upper = _mm512_add_epi16(lower, _mm512_set1_epi16(16));
  float* o = t.o + row * work.stride + c;
  __m512 sums[ROWS][2 * STRIPS];
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 4
    for (int i = 0; i < 2 * STRIPS; ++i)
      sums[r][i] = _mm512_mul_ps(_mm512_loadu_ps(o + r * work.stride + 16 * i), _mm512_set1_ps(t.shrink[row + r]));
  const Bf16Pair* p = t.p + row * (kTile / 2);
  const int n_fetched = row == 0 && c == 0 ? work.next_keys.n_rows() : 0;
  for (int j = 0; j < work.n_keys; j += 2) {
    if (j < n_fetched) {
      work.next_keys.prefetch(j);
      work.next_keys.prefetch(j + 1);
    }
#pragma GCC unroll 2
    for (int i = 0; i < STRIPS; ++i) {
      const ValuePairs values = value_pairs(work.v.rows[j] + c + 32 * i, work.v.rows[j + 1] + c + 32 * i, lower, upper);
#pragma GCC unroll 4
      for (int r = 0; r < ROWS; ++r) {
        const __m512i weights = _mm512_set1_epi32(static_cast<int>(p[r * (kTile / 2) + j / 2]));
        sums[r][2 * i] = dot(sums[r][2 * i], weights, values.first);
        sums[r][2 * i + 1] = dot(sums[r][2 * i + 1], weights, values.second);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 4
    for (int i = 0; i < 2 * STRIPS; ++i) _mm512_storeu_ps(o + r * work.stride + 16 * i, sums[r][i]);
}

template <int ROWS>
HWY_INLINE void weigh_rows(const FewScratch& t, int r, int n_rows, const ValueWork& work) {
  for (; r + ROWS <= n_rows; r += ROWS) {
    int c = 0;
    for (; c + 2 * kBf16Lanes <= work.stride; c += 2 * kBf16Lanes) weigh_columns<ROWS, 2>(t, r, work, c);
    if (c < work.stride) weigh_columns<ROWS, 1>(t, r, work, c);
  }
  if constexpr (ROWS > 1) weigh_rows<ROWS / 2>(t, r, n_rows, work);
}

void attend_few_tile(const GroupRows& rows, const KeyTile& tile, const StoredTile& keys, const StoredTile& next_keys,
                     const FewScratch& t) {
  const int k_stride = kv_stride(rows.head_dim()), v_stride = kv_stride(rows.value_dim());
  StoredTile values;
  values.locate(value_rows, rows, tile.slots());
  const ReadyTile k(keys, k_stride, t.k);
  score_tile(t, rows.size(), k, k_stride, values);
  const ReadyTile v(values, v_stride, t.v);
  for (int r = 0; r < rows.size(); ++r) {
    finish_scores(rows, r, tile, t.s + r * kTile);
    softmax_row(t, r, score_factor(rows.rule()), v);
  }
  weigh_rows<4>(t, 0, rows.size(), {v, tile.size(), v_stride, next_keys});
}

/// q [rows, kv_stride(head_dim)] as bfloat16.
void load_queries(const GroupRows& rows, const FewScratch& t) {
  const auto width = static_cast<std::size_t>(rows.head_dim());
  const int stride = kv_stride(rows.head_dim());
  for (int r = 0; r < rows.size(); ++r)
    expand_bf16({std::as_bytes(std::span(rows.q(r), width)).data(), nullptr, 1, rows.head_dim(), 0, KvFormat::kF32,
                 ScaleAxis::kNone},
                t.q + r * stride, stride);
}

/// out = o / d, or the partial result (o, m, d) with m in units of log2 e.
void write_few_rows(const GroupRows& rows, const FewScratch& t) {
  const int value_dim = rows.value_dim();
  for (int r = 0; r < rows.size(); ++r) {
    const float* sums = t.o + r * kv_stride(value_dim);
    const bool partial = rows.unit().n_splits > 1;
    float* out = partial ? rows.state(r) : rows.out(r);
    const float factor = partial ? 1.0f : 1.0f / t.d[r];
    for (int l = 0; l < value_dim; ++l) out[l] = sums[l] * factor;
    if (!partial) continue;
    out[value_dim] = t.m[r] * score_factor(rows.rule());
    out[value_dim + 1] = t.d[r];
  }
}

}  // namespace

void attend_few_rows(const GroupRows& rows, std::span<float> scratch) {
  const FewScratch t(rows, scratch);
  const SlotRange all = rows.unit().slots;
  const auto slots_from = [&](int begin) { return SlotRange{begin, std::min(begin + kTile, all.end)}; };
  load_queries(rows, t);
  StoredTile keys[2];  // of this tile and the next
  if (all.begin < all.end) keys[0].locate(key_rows, rows, slots_from(all.begin));
  for (int begin = all.begin, turn = 0; begin < all.end; begin += kTile, turn ^= 1) {
    StoredTile& next = keys[turn ^ 1];
    next.locate(key_rows, rows, slots_from(begin + kTile));
    const KeyTile tile = rows.tile(slots_from(begin));
    if (!rows.none_sees(tile)) attend_few_tile(rows, tile, keys[turn], next, t);
  }
  write_few_rows(rows, t);
}

}  // namespace dachlast::kernels::cpu

HWY_POP_ATTRIBUTES

#endif  // __x86_64__
