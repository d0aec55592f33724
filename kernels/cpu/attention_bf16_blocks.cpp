// Attention of many query rows: Q·Kᵀ and P·V as products of packed bfloat16 blocks, 48 query rows across the lanes, so
// that softmax runs down the columns and no sum over lanes is needed.
#if defined(__x86_64__)

#include "kernels/cpu/attention_bf16.h"
#include "kernels/cpu/bf16_math.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")

namespace dachlast::kernels::cpu {
namespace {

constexpr int kVectors = kBlockRows / 16;

/// Sums of one product: [column, row vector].
using BlockSums = __m512[kBlockColumns][kVectors];

struct BlockScratch {
  Bf16Pair* q;        // [blocks, pairs of head_dim, kBlockRows]
  BF16* rows;         // [kBf16Tile, the wider of the strides]
  Bf16Pair* k;        // packed keys
  Bf16Pair* v;        // packed values
  float* s;           // [kBf16Tile, kBlockRows]
  Bf16Pair* p;        // [kBf16Tile / 2, kBlockRows]
  float* o;           // [blocks, kv_stride(value_dim), kBlockRows]
  float* m;           // [blocks, kBlockRows] largest raw score
  float* d;           // [blocks, kBlockRows]
  float* correction;  // [kBlockRows]
  float* largest;     // [kBlockRows] of the tile

  BlockScratch(const GroupRows& g, std::span<float> memory) {
    assert(memory.size() >= bf16_scratch_floats(g.size(), g.head_dim(), g.value_dim()));
    const auto ks = static_cast<std::size_t>(kv_stride(g.head_dim())),
               vs = static_cast<std::size_t>(kv_stride(g.value_dim()));
    const auto n_rows = static_cast<std::size_t>(round_up(g.size(), kBlockRows));
    ScratchPieces pieces(memory);
    q = reinterpret_cast<Bf16Pair*>(pieces.take(n_rows * ks / 2));
    rows = reinterpret_cast<BF16*>(pieces.take(kBf16Tile * std::max(ks, vs) / 2));
    k = reinterpret_cast<Bf16Pair*>(pieces.take(kBf16Tile * ks / 2));
    v = reinterpret_cast<Bf16Pair*>(pieces.take(kBf16Tile * vs / 2));
    s = pieces.take(kBf16Tile * kBlockRows);
    p = reinterpret_cast<Bf16Pair*>(pieces.take(kBf16Tile * kBlockRows / 2));
    o = pieces.take(n_rows * vs);
    m = pieces.take(n_rows);
    d = pieces.take(n_rows);
    correction = pieces.take(kBlockRows);
    largest = pieces.take(kBlockRows);
    std::fill_n(o, n_rows * vs, 0.0f);
    std::fill_n(m, n_rows, kLeastMaximum);
    std::fill_n(d, n_rows, 0.0f);
  }
};

/// sums[c][r] += Σ over inner pairs of a[pair, r] · b[pair, c].
HWY_INLINE void multiply_blocks(const Bf16Pair* a, const Bf16Pair* b, int inner_pairs, BlockSums& sums) {
  for (int i = 0; i < inner_pairs; ++i, a += kBlockRows, b += kBlockColumns) {
    __m512i rows[kVectors];
#pragma GCC unroll 3
    for (int r = 0; r < kVectors; ++r) rows[r] = _mm512_loadu_si512(a + 16 * r);
#pragma GCC unroll 8
    for (int c = 0; c < kBlockColumns; ++c) {
      const __m512i column = _mm512_set1_epi32(static_cast<int>(b[c]));
#pragma GCC unroll 3
      for (int r = 0; r < kVectors; ++r) sums[c][r] = dot(sums[c][r], rows[r], column);
    }
  }
}

/// Raw scores of a block: s [n_keys, kBlockRows], n_keys a multiple of kBlockColumns, and the largest of each row.
void score_block(const Bf16Pair* q, const Bf16Pair* k, int n_keys, int head_dim, float* s, float* largest) {
  const int k_stride = kv_stride(head_dim) / 2 * kBlockColumns, inner_pairs = (head_dim + 1) / 2;
  __m512 most[kVectors];
  for (__m512& m : most) m = _mm512_set1_ps(kUnseen);
  for (int j = 0; j < n_keys; j += kBlockColumns, k += k_stride, s += kBlockColumns * kBlockRows) {
    BlockSums sums;
#pragma GCC unroll 8
    for (auto& column : sums)
#pragma GCC unroll 3
      for (__m512& sum : column) sum = _mm512_setzero_ps();
    multiply_blocks(q, k, inner_pairs, sums);
#pragma GCC unroll 8
    for (int c = 0; c < kBlockColumns; ++c)
#pragma GCC unroll 3
      for (int r = 0; r < kVectors; ++r) {
        most[r] = _mm512_max_ps(most[r], sums[c][r]);
        _mm512_storeu_ps(s + c * kBlockRows + 16 * r, sums[c][r]);
      }
  }
  for (int r = 0; r < kVectors; ++r) _mm512_storeu_ps(largest + 16 * r, most[r]);
}

void bend_scores(const ScoreRule& rule, int n_keys, float* s) {
  const Softcap softcap{rule.softcap, rule.scale};
  for (int i = 0; i < n_keys * kBlockRows; i += 16) _mm512_storeu_ps(s + i, softcap(_mm512_loadu_ps(s + i)));
}

/// Hides the keys that a row of the block must not see, and those that fill the tile up.
void hide_scores(const GroupRows& rows, int first, const KeyTile& tile, int n_keys, float* s) {
  alignas(64) std::int32_t begins[kBlockRows] = {}, ends[kBlockRows];
  std::fill_n(ends, kBlockRows, -1);
  for (int r = 0; r < std::min(kBlockRows, rows.size() - first); ++r) {
    const Sight sight = rows.sight(first + r);
    begins[r] = sight.begin;
    ends[r] = sight.position;
  }
  for (int j = 0; j < n_keys; ++j) {
    const int position = j < tile.size() ? tile.position(j) : -1;
    const __m512i key = _mm512_set1_epi32(position);
    for (int r = 0; r < kBlockRows; r += 16) {
      const __m512i begin = rows.is_sink(position) ? _mm512_setzero_si512() : _mm512_load_si512(begins + r);
      const __mmask16 hidden =
          _mm512_cmplt_epi32_mask(key, begin) | _mm512_cmplt_epi32_mask(_mm512_load_si512(ends + r), key);
      _mm512_mask_storeu_ps(s + j * kBlockRows + r, hidden, _mm512_set1_ps(kUnseen));
    }
  }
}

void find_largest(const float* s, int n_keys, float* largest) {
  for (int r = 0; r < kBlockRows; r += 16) {
    __m512 most = _mm512_set1_ps(kUnseen);
    for (int j = 0; j < n_keys; ++j) most = _mm512_max_ps(most, _mm512_loadu_ps(s + j * kBlockRows + r));
    _mm512_storeu_ps(largest + r, most);
  }
}

/// Online softmax of a block: weights as pairs of keys, m and d moved on, what earlier sums shrink by. `factor` brings
/// raw scores to units of log2 e.
void softmax_block(const BlockScratch& t, int block, int n_keys, float factor) {
  alignas(64) static constexpr std::uint16_t kInterleave[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                                21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                                11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i interleave = _mm512_load_si512(kInterleave);
  const __m512 f = _mm512_set1_ps(factor);
  float *m = t.m + block * kBlockRows, *d = t.d + block * kBlockRows;
  for (int r = 0; r < kBlockRows; r += 16) {
    const __m512 old = _mm512_loadu_ps(m + r), most = _mm512_max_ps(old, _mm512_loadu_ps(t.largest + r));
    const __m512 correction = exp2_for_float(_mm512_mul_ps(_mm512_sub_ps(old, most), f));
    const __m512 offset = _mm512_mul_ps(most, f);
    __m512 sum = _mm512_mul_ps(_mm512_loadu_ps(d + r), correction);
    for (int j = 0; j < n_keys; j += 2) {
      const float* pair = t.s + j * kBlockRows + r;
      const __m512 even = exp2_for_bf16(_mm512_fmsub_ps(_mm512_loadu_ps(pair), f, offset));
      const __m512 odd = exp2_for_bf16(_mm512_fmsub_ps(_mm512_loadu_ps(pair + kBlockRows), f, offset));
      sum = _mm512_add_ps(sum, _mm512_add_ps(even, odd));
      const auto halves = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(odd, even));
      _mm512_storeu_si512(t.p + j / 2 * kBlockRows + r, _mm512_permutexvar_epi16(interleave, halves));
    }
    _mm512_storeu_ps(m + r, most);
    _mm512_storeu_ps(d + r, sum);
    _mm512_storeu_ps(t.correction + r, correction);
  }
}

/// o [value columns, kBlockRows] = o · correction + V · P.
void weigh_block(const Bf16Pair* p, const Bf16Pair* v, int n_keys, int value_dim, const float* correction, float* o) {
  for (int c = 0; c < value_dim; c += kBlockColumns) {
    BlockSums sums;
    float* columns = o + c * kBlockRows;
#pragma GCC unroll 8
    for (int i = 0; i < kBlockColumns; ++i)
#pragma GCC unroll 3
      for (int r = 0; r < kVectors; ++r)
        sums[i][r] =
            _mm512_mul_ps(_mm512_loadu_ps(columns + i * kBlockRows + 16 * r), _mm512_loadu_ps(correction + 16 * r));
    multiply_blocks(p, v + c * (kBf16Tile / 2), n_keys / 2, sums);
#pragma GCC unroll 8
    for (int i = 0; i < kBlockColumns; ++i)
#pragma GCC unroll 3
      for (int r = 0; r < kVectors; ++r) _mm512_storeu_ps(columns + i * kBlockRows + 16 * r, sums[i][r]);
  }
}

/// Rows of a tile as bfloat16, zeros up to a multiple of 16 keys. Returns that many.
template <class Read>
int load_tile(const Read& read, const GroupRows& rows, const KeyTile& tile, int stride, BF16* out) {
  const AttentionUnit& unit = rows.unit();
  const SlotRange slots = tile.slots();
  for (int slot = slots.begin; slot < slots.end;) {
    const KvRows part = read(rows.call().kv.pool, *unit.sequence, unit.kv_head, slot, slots.end);
    expand_bf16(part, out + (slot - slots.begin) * stride, stride);
    slot += part.n_rows;
  }
  const int n_keys = round_up(tile.size(), 16);
  std::fill(out + tile.size() * stride, out + n_keys * stride, BF16{});
  return n_keys;
}

void pack_tile(const GroupRows& rows, const KeyTile& tile, const BlockScratch& t) {
  const int k_stride = kv_stride(rows.head_dim()), v_stride = kv_stride(rows.value_dim());
  pack_keys(t.rows, load_tile(key_rows, rows, tile, k_stride, t.rows), k_stride, t.k);
  pack_values(t.rows, load_tile(value_rows, rows, tile, v_stride, t.rows), v_stride, kBf16Tile / 2, t.v);
}

void pack_all_queries(const GroupRows& rows, const BlockScratch& t) {
  for (int first = 0; first < rows.size(); first += kBlockRows) {
    const float* block[kBlockRows];
    const int n = std::min(kBlockRows, rows.size() - first);
    for (int r = 0; r < n; ++r) block[r] = rows.q(first + r);
    pack_queries(block, n, rows.head_dim(), t.q + first * kv_stride(rows.head_dim()) / 2);
  }
}

/// Keys of the tile that a block must look at, of a tile in order only those up to its last row's own.
int keys_in_sight(const GroupRows& rows, const KeyTile& tile, int last) {
  if (!rows.unit().sequence->positions.empty()) return tile.size();
  return std::min(tile.size(), rows.sight(last).position + 1 - tile.slots().begin);
}

/// One tile of keys for the block of rows that starts at row `first`.
void attend_block(const GroupRows& rows, int first, const KeyTile& tile, const BlockScratch& t) {
  const int last = std::min(first + kBlockRows, rows.size()) - 1, block = first / kBlockRows;
  if (rows.none_sees(tile, first, last)) return;
  const int seen = keys_in_sight(rows, tile, last), n_keys = round_up(seen, kBlockColumns);
  score_block(t.q + first * kv_stride(rows.head_dim()) / 2, t.k, n_keys, rows.head_dim(), t.s, t.largest);
  const bool bend = rows.rule().softcap > 0.0f;
  const bool hide = n_keys > tile.size() || !rows.all_see(tile, first, last);
  if (bend) bend_scores(rows.rule(), n_keys, t.s);
  if (hide) hide_scores(rows, first, tile, n_keys, t.s);
  if (bend || hide) find_largest(t.s, n_keys, t.largest);
  softmax_block(t, block, n_keys, score_factor(rows.rule()));
  weigh_block(t.p, t.v, n_keys, rows.value_dim(), t.correction, t.o + first * kv_stride(rows.value_dim()));
}

/// out = o / d, or the partial result (o, m, d) with m in units of log2 e.
void write_block(const GroupRows& rows, int first, const BlockScratch& t) {
  const int n = std::min(kBlockRows, rows.size() - first);
  const bool partial = rows.unit().n_splits > 1;
  alignas(64) float factors[kBlockRows];
  float* out[kBlockRows];
  for (int r = 0; r < kBlockRows; ++r) factors[r] = partial ? 1.0f : 1.0f / t.d[first + r];
  for (int r = 0; r < n; ++r) out[r] = partial ? rows.state(first + r) : rows.out(first + r);
  write_columns(t.o + first * kv_stride(rows.value_dim()), factors, n, rows.value_dim(), out);
  if (!partial) return;
  for (int r = 0; r < n; ++r) {
    out[r][rows.value_dim()] = t.m[first + r] * score_factor(rows.rule());
    out[r][rows.value_dim() + 1] = t.d[first + r];
  }
}

}  // namespace

void attend_blocks(const GroupRows& rows, std::span<float> scratch) {
  const BlockScratch t(rows, scratch);
  const SlotRange all = rows.unit().slots;
  pack_all_queries(rows, t);
  for (int begin = all.begin; begin < all.end; begin += kBf16Tile) {
    const KeyTile tile = rows.tile({begin, std::min(begin + kBf16Tile, all.end)});
    if (rows.none_sees(tile)) continue;
    pack_tile(rows, tile, t);
    for (int first = 0; first < rows.size(); first += kBlockRows) attend_block(rows, first, tile, t);
  }
  for (int first = 0; first < rows.size(); first += kBlockRows) write_block(rows, first, t);
}

}  // namespace dachlast::kernels::cpu

HWY_POP_ATTRIBUTES

#endif  // __x86_64__
