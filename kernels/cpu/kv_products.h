#pragma once

#if defined(__x86_64__)

#include "kernels/cpu/kv_lanes.h"
#include "kernels/cpu/kv_tile.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vbmi,avx512vnni,f16c")

// The two products of attention over one tile of keys: scores, and weighted sums of values.
namespace dachlast::kernels::cpu {

/// Weights of int8 values are integers up to this; 128 of them times 127 fit 32 bits.
inline constexpr float kWeightCodes = 32767.0f;
static_assert(kBf16FewTile * 127.0 * kWeightCodes < 0x1p31);

/// Query rows whose scores are made together, one in each quarter of a register.
inline constexpr int kQuarters = 4;

/// Columns of a key that one product of all quarters takes: 16 bytes.
inline constexpr int kBf16Piece = 8;
inline constexpr int kInt8Piece = 16;

/// Queries that meet codes of int8: q = unit · (256 · high + low), parts of 8 bits with their sign. Codes are made
/// unsigned by adding 128, which `offset` = 128 · Σ (256 · high + low) takes out again.
struct QueryCodes {
  std::int8_t* parts;    // [n / kQuarters, pieces, {high, low}, kQuarters, kInt8Piece]
  float* unit;           // [n]
  std::int32_t* offset;  // [n]
};

/// What the products of all tiles of a unit work on; n = kFewRows.
struct ProductScratch {
  BF16* q;           // [n / kQuarters, pieces, kQuarters, kBf16Piece]
  QueryCodes codes;  // for keys of int8
  float* s;          // [n, kBf16Stretch] raw scores
  Bf16Pair* p;       // [n, kBf16FewTile / 2] weights: pairs of bfloat16, for values of int8 of integers
  float* unit;       // [n] of the weights
  float* shrink;     // [n] what earlier sums shrink by
  float* o;          // [n, stride] sums, within 32 columns in the order of `Paired`
};

struct ProductShape {
  int n_rows;
  int n_keys;
  int stride;
};

/// Keys of bfloat16 against one group of queries. Neighbouring keys take turns at a piece: the same piece of rows 64 bytes
/// apart lies in the same bank of L1, from which one load a cycle comes instead of two.
struct Bf16Score {
  using Products = Bf16Products;
  static constexpr int kPiece = kBf16Piece;
  const BF16* q;

  HWY_INLINE void multiply(const std::byte* const* keys, int n_pieces, __m512i (&sums)[kScoredTogether]) const {
    __m512i others[kScoredTogether];
#pragma GCC unroll 8
    for (__m512i& sum : others) sum = _mm512_setzero_si512();
    for (int i = 0; i < n_pieces; i += 2) {
      const BF16* queries = q + i * kQuarters * kPiece;
      const __m512i two[2] = {_mm512_loadu_si512(queries), _mm512_loadu_si512(queries + kQuarters * kPiece)};
#pragma GCC unroll 2
      for (int turn = 0; turn < 2; ++turn)
#pragma GCC unroll 8
        for (int j = 0; j < kScoredTogether; ++j) {
          const int which = (turn + j) % 2;
          __m512i& sum = which == 0 ? sums[j] : others[j];
          sum = Products::dot(sum, piece(keys[j] + 16 * (i + which)), two[which]);
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < kScoredTogether; ++j) sums[j] = Products::add(sums[j], others[j]);
  }
  HWY_INLINE __m512 floats(__m512i sums) const {
    return Products::floats(sums);
  }

  static HWY_INLINE __m512i piece(const std::byte* key) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(key)));
  }
};

/// Keys of int8 likewise.
struct Int8Score {
  using Products = Int16Products;
  static constexpr int kPiece = kInt8Piece;
  const std::int8_t* q;
  __m512i offsets;
  __m512 units;

  Int8Score(const QueryCodes& codes, int group, int stride)
      : q(codes.parts + group * 2 * kQuarters * stride),
        offsets(quarters(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes.offset + group * kQuarters)))),
        units(_mm512_castsi512_ps(
            quarters(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes.unit + group * kQuarters))))) {}

  HWY_INLINE void multiply(const std::byte* const* keys, int n_pieces, __m512i (&sums)[kScoredTogether]) const {
    __m512i high_sums[kScoredTogether];
#pragma GCC unroll 8
    for (__m512i& sum : high_sums) sum = _mm512_setzero_si512();
    for (int i = 0; i < n_pieces; i += 2) {
      const std::int8_t* parts = q + 128 * i;
      const __m512i high[2] = {_mm512_loadu_si512(parts), _mm512_loadu_si512(parts + 128)},
                    low[2] = {_mm512_loadu_si512(parts + 64), _mm512_loadu_si512(parts + 192)};
#pragma GCC unroll 2
      for (int turn = 0; turn < 2; ++turn)
#pragma GCC unroll 8
        for (int j = 0; j < kScoredTogether; ++j) {
          const int which = (turn + j) % 2;
          const __m512i codes = _mm512_xor_si512(Bf16Score::piece(keys[j] + 16 * (i + which)), _mm512_set1_epi8(-128));
          add_products(high_sums[j], codes, high[which]);
          add_products(sums[j], codes, low[which]);
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < kScoredTogether; ++j) sums[j] = _mm512_add_epi32(sums[j], _mm512_slli_epi32(high_sums[j], 8));
  }
  /// Whatever has wrapped around on the way comes back here: the difference fits (kMostInt16Terms).
  HWY_INLINE __m512 floats(__m512i sums) const {
    return _mm512_mul_ps(Products::floats(_mm512_sub_epi32(sums, offsets)), units);
  }

 private:
  static HWY_INLINE void add_products(__m512i& sum, __m512i codes, __m512i queries) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(codes), "v"(queries));
  }
  /// Lane i in all lanes of quarter i.
  static HWY_INLINE __m512i quarters(__m128i lanes) {
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
                                    _mm512_castsi128_si512(lanes));
  }
};

/// s[row, 0 … 3] of a group of rows.
HWY_INLINE void store_quarters(__m512 scores, float* s) {
  _mm_storeu_ps(s, _mm512_castps512_ps128(scores));
  _mm_storeu_ps(s + kBf16Stretch, _mm512_extractf32x4_ps(scores, 1));
  _mm_storeu_ps(s + 2 * kBf16Stretch, _mm512_extractf32x4_ps(scores, 2));
  _mm_storeu_ps(s + 3 * kBf16Stretch, _mm512_extractf32x4_ps(scores, 3));
}

/// s[row, 0 … 7] of a group of rows against the keys from `first` on.
template <class Score>
HWY_INLINE void score_keys(const Score& score, const ReadyTile& k, int first, int n_pieces, float* s) {
  __m512i sums[kScoredTogether];
#pragma GCC unroll 8
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  score.multiply(k.rows + first, n_pieces, sums);
#pragma GCC unroll 2
  for (int j = 0; j < kScoredTogether; j += 4) {
    __m512 scores = score.floats(sum_quarters<typename Score::Products>(sums + j));
    if (k.scaled) scores = _mm512_mul_ps(scores, _mm512_broadcast_f32x4(_mm_load_ps(k.scales + first + j)));
    store_quarters(scores, s + first + j);
  }
}

/// Raw scores of a group of rows, scales of the keys included; `lines` are fetched every `kScoredTogether` keys.
template <class Score>
void score_group(const Score& score, const ProductShape& shape, const ReadyTile& k, float* s, Ahead& ahead, int lines) {
  for (int j = 0; j < shape.n_keys; j += kScoredTogether) {
    ahead.fetch(lines);
    score_keys(score, k, j, shape.stride / Score::kPiece, s);
  }
}

/// Raw scores of a tile whose first key is `first` of the stretch; meanwhile the lines of `ahead` are fetched.
inline void score_tile(const ProductScratch& t, const ProductShape& shape, const ReadyTile& k, int first,
                       Ahead& ahead) {
  const int n_groups = (shape.n_rows + kQuarters - 1) / kQuarters;
  const int lines = ahead.n_lines() * kScoredTogether / (shape.n_keys * n_groups) + 1;
  for (int group = 0; group < n_groups; ++group) {
    float* s = t.s + group * kQuarters * kBf16Stretch + first;
    if (k.lie == Lie::kInt8)
      score_group(Int8Score(t.codes, group, shape.stride), shape, k, s, ahead, lines);
    else
      score_group(Bf16Score{t.q + group * kQuarters * shape.stride}, shape, k, s, ahead, lines);
  }
}

/// sums[row] += Σ over rows j and j + 1 of p · v, for the columns of `STRIPS` · 32 from `c` on.
template <class Stored, int ROWS, int STRIPS>
HWY_INLINE void add_two_rows(const Bf16Pair* p, const ReadyTile& v, int j, int c, __m512i (&sums)[ROWS][2 * STRIPS]) {
  using Products = typename Stored::Products;
#pragma GCC unroll 2
  for (int strip = 0; strip < STRIPS; strip += Stored::kVectors) {
    __m512i even[Stored::kVectors], odd[Stored::kVectors];
    Stored::load(v.rows[j], c + kBf16Lanes * strip, even);
    Stored::load(v.rows[j + 1], c + kBf16Lanes * strip, odd);
#pragma GCC unroll 2
    for (int i = 0; i < Stored::kVectors; ++i) {
      const Paired values = pair_rows(even[i], odd[i]);
#pragma GCC unroll 4
      for (int r = 0; r < ROWS; ++r) {
        const __m512i weights = _mm512_set1_epi32(static_cast<int>(p[r * (kBf16FewTile / 2) + j / 2]));
        __m512i* of_row = sums[r] + 2 * (strip + i);
        of_row[0] = Products::dot(of_row[0], values.first, weights);
        of_row[1] = Products::dot(of_row[1], values.second, weights);
      }
    }
  }
}

/// o[row, columns] = o · shrink + unit · Σ p · v for `ROWS` rows and 32 · `STRIPS` columns from `c` on.
template <class Stored, int ROWS, int STRIPS>
HWY_INLINE void weigh_columns(const ProductScratch& t, int row, int c, const ProductShape& shape, const ReadyTile& v,
                              Ahead& ahead, int lines) {
  __m512i sums[ROWS][2 * STRIPS];
#pragma GCC unroll 4
  for (auto& of_row : sums)
#pragma GCC unroll 4
    for (__m512i& sum : of_row) sum = _mm512_setzero_si512();
  for (int j = 0; j < shape.n_keys; j += 2) {
    ahead.fetch(lines);
    add_two_rows<Stored, ROWS, STRIPS>(t.p + row * (kBf16FewTile / 2), v, j, c, sums);
  }
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; ++r) {
    float* o = t.o + (row + r) * shape.stride + c;
    const __m512 shrink = _mm512_set1_ps(t.shrink[row + r]), unit = _mm512_set1_ps(t.unit[row + r]);
#pragma GCC unroll 4
    for (int i = 0; i < 2 * STRIPS; ++i) {
      const __m512 added = _mm512_mul_ps(Stored::Products::floats(sums[r][i]), unit);
      _mm512_storeu_ps(o + 16 * i, _mm512_fmadd_ps(_mm512_loadu_ps(o + 16 * i), shrink, added));
    }
  }
}

template <class Stored, int ROWS>
HWY_INLINE void weigh_rows(const ProductScratch& t, int r, const ProductShape& shape, const ReadyTile& v, Ahead& ahead,
                           int lines) {
  for (; r + ROWS <= shape.n_rows; r += ROWS) {
    int c = 0;
    for (; c + 2 * kBf16Lanes <= shape.stride; c += 2 * kBf16Lanes)
      weigh_columns<Stored, ROWS, 2>(t, r, c, shape, v, ahead, lines);
    if constexpr (Stored::kVectors == 1)
      if (c < shape.stride) weigh_columns<Stored, ROWS, 1>(t, r, c, shape, v, ahead, lines);
  }
  if constexpr (ROWS > 1) weigh_rows<Stored, ROWS / 2>(t, r, shape, v, ahead, lines);
}

template <class Stored>
void weigh_as(const ProductScratch& t, const ProductShape& shape, const ReadyTile& v, Ahead& ahead) {
  const int n_passes = ((shape.n_rows + 3) / 4) * ((shape.stride + 63) / 64);
  weigh_rows<Stored, 4>(t, 0, shape, v, ahead, 2 * ahead.n_lines() / (shape.n_keys * n_passes) + 1);
}

/// Adds a tile's weighted values to the sums; meanwhile the lines of `ahead` are fetched.
inline void weigh_tile(const ProductScratch& t, const ProductShape& shape, const ReadyTile& v, Ahead& ahead) {
  switch (v.lie) {
    case Lie::kBf16: return weigh_as<Bf16Rows>(t, shape, v, ahead);
    case Lie::kF16: return weigh_as<F16Rows>(t, shape, v, ahead);
    case Lie::kInt8: return weigh_as<Int8Rows>(t, shape, v, ahead);
    case Lie::kFp8: return weigh_as<Fp8Rows>(t, shape, v, ahead);
    case Lie::kInt4:           // see kv_int4.h
    case Lie::kExpand: break;  // tiles that are ready have been expanded
  }
}

}  // namespace dachlast::kernels::cpu

HWY_POP_ATTRIBUTES

#endif  // __x86_64__
