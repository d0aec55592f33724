#pragma once

#if defined(__x86_64__)

#include "kernels/cpu/kv_products.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vbmi,avx512vnni,f16c")

// The two products of attention over rows of int4 with scales per token, in whole groups. Codes are 0 … 15: 8-bit operands as they
// are for scores, bfloat16 without rounding for values. Value = code · step + low, step and low of a group of a row:
//   score    = Σ_groups step · Σ q · code + low · Σ q
//   weighted = Σ_rows (p · step) · code + p · low
namespace dachlast::kernels::cpu {

inline constexpr int kInt4Piece = kInt4Group / 2;  // bytes of a group
inline constexpr int kInt4Keys = 16;               // keys across the lanes

/// Four times sixteen bytes, one piece a quarter.
HWY_INLINE __m512i four_pieces(const std::byte* a, const std::byte* b, const std::byte* c, const std::byte* d) {
  const auto piece = [](const std::byte* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); };
  __m512i v = _mm512_castsi128_si512(piece(a));
  v = _mm512_inserti32x4(v, piece(b), 1);
  v = _mm512_inserti32x4(v, piece(c), 2);
  return _mm512_inserti32x4(v, piece(d), 3);
}

/// A group of sixteen keys: lane j of out[i] has bytes 4 i … 4 i + 3 of key j, elements 4 i … in their low halves and those
/// 16 on in their high ones.
HWY_INLINE void load_codes(const std::byte* const* keys, int byte, __m512i (&out)[4]) {
  __m512i z[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i)
    z[i] = four_pieces(keys[i] + byte, keys[4 + i] + byte, keys[8 + i] + byte, keys[12 + i] + byte);
  const __m512i low01 = _mm512_unpacklo_epi32(z[0], z[1]), high01 = _mm512_unpackhi_epi32(z[0], z[1]);
  const __m512i low23 = _mm512_unpacklo_epi32(z[2], z[3]), high23 = _mm512_unpackhi_epi32(z[2], z[3]);
  out[0] = _mm512_unpacklo_epi64(low01, low23);
  out[1] = _mm512_unpackhi_epi64(low01, low23);
  out[2] = _mm512_unpacklo_epi64(high01, high23);
  out[3] = _mm512_unpackhi_epi64(high01, high23);
}

/// Queries that meet codes of int4: q = unit · (256 · high + low), parts of 8 bits with their sign, row after row in the
/// order of the elements.
struct Int4Queries {
  const std::int8_t* parts;  // [n, {high, low}, stride]
  const float* unit;         // [n]
  const float* sums;         // [n, n_groups] of 256 · high + low over the elements of a group
  int stride;
  int n_groups;

  HWY_INLINE __m512i four(int row, int part, int element) const {
    std::int32_t bytes = 0;
    std::memcpy(&bytes, parts + (2 * row + part) * stride + element, sizeof bytes);
    return _mm512_set1_epi32(bytes);
  }
};

HWY_INLINE void add_unsigned_products(__m512i& sum, __m512i codes, __m512i queries) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(codes), "v"(queries));
}

/// Adds what group `g` gives to raw scores of `ROWS` rows against 16 · `BLOCKS` keys from `first` on. Two blocks share what is
/// loaded of the queries: two loads a cycle and two products, and a product needs four bytes of a query.
template <int ROWS, int BLOCKS>
HWY_INLINE void score_int4_keys(const Int4Queries& q, int row, int g, const ReadyTile& k, int first, float* s) {
  __m512i bytes[BLOCKS][4], high[ROWS][BLOCKS], low[ROWS][BLOCKS];
#pragma GCC unroll 2
  for (int b = 0; b < BLOCKS; ++b) load_codes(k.rows + first + kInt4Keys * b, kInt4Piece * g, bytes[b]);
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 2
    for (int b = 0; b < BLOCKS; ++b) high[r][b] = low[r][b] = _mm512_setzero_si512();
  const __m512i nibble = _mm512_set1_epi8(0xf);
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    __m512i codes[BLOCKS];
#pragma GCC unroll 2
    for (int b = 0; b < BLOCKS; ++b)
      codes[b] = _mm512_and_si512(i < 4 ? bytes[b][i] : _mm512_srli_epi16(bytes[b][i - 4], 4), nibble);
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; ++r) {
      const __m512i of_high = q.four(row + r, 0, kInt4Group * g + 4 * i);
      const __m512i of_low = q.four(row + r, 1, kInt4Group * g + 4 * i);
#pragma GCC unroll 2
      for (int b = 0; b < BLOCKS; ++b) {
        add_unsigned_products(high[r][b], codes[b], of_high);
        add_unsigned_products(low[r][b], codes[b], of_low);
      }
    }
  }
#pragma GCC unroll 2
  for (int b = 0; b < BLOCKS; ++b) {
    const int at = first + kInt4Keys * b;
    const __m512 step = _mm512_loadu_ps(k.steps + kBf16FewTile * g + at);
    const __m512 lowest = _mm512_loadu_ps(k.lows + kBf16FewTile * g + at);
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; ++r) {
      float* scores = s + (row + r) * kBf16Stretch + at;
      const __m512 sum = _mm512_cvtepi32_ps(_mm512_add_epi32(low[r][b], _mm512_slli_epi32(high[r][b], 8)));
      const __m512 unit = _mm512_set1_ps(q.unit[row + r]);
      const __m512 offset = _mm512_mul_ps(lowest, _mm512_set1_ps(q.sums[(row + r) * q.n_groups + g]));
      const __m512 of_group = _mm512_fmadd_ps(sum, step, offset);
      const __m512 before = g == 0 ? _mm512_setzero_ps() : _mm512_loadu_ps(scores);
      _mm512_storeu_ps(scores, _mm512_fmadd_ps(of_group, unit, before));
    }
  }
}

template <int ROWS>
HWY_INLINE void score_int4_rows(const Int4Queries& q, int row, const ProductShape& shape, const ReadyTile& k, float* s,
                                Ahead& ahead, int lines) {
  for (; row + ROWS <= shape.n_rows; row += ROWS)
    for (int j = 0; j < shape.n_keys; j += 2 * kInt4Keys) {
      ahead.fetch(lines);
      for (int g = 0; g < q.n_groups; ++g) score_int4_keys<ROWS, 2>(q, row, g, k, j, s);
    }
  if constexpr (ROWS > 1) score_int4_rows<ROWS / 2>(q, row, shape, k, s, ahead, lines);
}

/// Raw scores of a tile whose first key is `first` of the stretch; meanwhile the lines of `ahead` are fetched.
inline void score_int4_tile(const ProductScratch& t, const ProductShape& shape, const ReadyTile& k, int first,
                            Ahead& ahead) {
  const Int4Queries q{t.codes.parts, t.codes.unit, reinterpret_cast<const float*>(t.q), shape.stride,
                      shape.stride / kInt4Group};
  const int lines = ahead.n_lines() * 2 * kInt4Keys / (shape.n_keys * ((shape.n_rows + 3) / 4)) + 1;
  score_int4_rows<4>(q, 0, shape, k, t.s + first, ahead, lines);
}

/// Codes of two rows as pairs of bfloat16, sixteen columns from the low halves of bytes and sixteen from the high ones.
struct Int4Pairs {
  __m512i columns[2];

  /// Row i of the two has its bytes in quarter `quarter` + i.
  HWY_INLINE Int4Pairs(__m512i pieces, __m512i lanes) {
    constexpr __mmask64 kEven = 0x5555555555555555u;
    const __m512i bytes = _mm512_maskz_permutexvar_epi8(kEven, lanes, pieces);
    columns[0] = as_bf16(_mm512_and_si512(bytes, _mm512_set1_epi16(0xf)));
    columns[1] = as_bf16(_mm512_srli_epi16(bytes, 4));
  }

  /// Places of the bytes of rows in quarters `quarter` and `quarter` + 1: words c of both side by side.
  static HWY_INLINE __m512i lanes_of(int quarter) {
    const __m512i column = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i first = _mm512_add_epi32(column, _mm512_set1_epi32(16 * quarter));
    return _mm512_or_si512(first, _mm512_slli_epi32(_mm512_add_epi32(first, _mm512_set1_epi32(16)), 16));
  }

 private:
  static HWY_INLINE __m512i as_bf16(__m512i codes) {
    // 0 … 15 as bfloat16.
    const __m512i table =
        _mm512_set_epi16(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x4170, 0x4160, 0x4150, 0x4140, 0x4130, 0x4120,
                         0x4110, 0x4100, 0x40e0, 0x40c0, 0x40a0, 0x4080, 0x4040, 0x4000, 0x3f80, 0x0000);
    return _mm512_permutexvar_epi16(codes, table);
  }
};

/// Weights of a group: p · step as pairs of bfloat16 in the order of the rows, and Σ p · low.
template <int ROWS>
struct Int4Weights {
  alignas(64) Bf16Pair pairs[ROWS][kBf16FewTile / 2];
  float low_sums[ROWS];

  HWY_INLINE Int4Weights(const float* p, const float* steps, const float* lows, int n_keys) {
    for (int r = 0; r < ROWS; ++r, p += kBf16Stretch) {
      __m512 sum = _mm512_setzero_ps();
      for (int j = 0; j < n_keys; j += 32) {
        const __m512 first = _mm512_loadu_ps(p + j), second = _mm512_loadu_ps(p + j + 16);
        sum = _mm512_fmadd_ps(first, _mm512_loadu_ps(lows + j), sum);
        sum = _mm512_fmadd_ps(second, _mm512_loadu_ps(lows + j + 16), sum);
        const __m512 a = _mm512_mul_ps(first, _mm512_loadu_ps(steps + j));
        const __m512 b = _mm512_mul_ps(second, _mm512_loadu_ps(steps + j + 16));
        _mm512_storeu_si512(pairs[r] + j / 2, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a)));
      }
      low_sums[r] = _mm512_reduce_add_ps(sum);
    }
  }
};

/// o[row, group] = o · shrink + Σ weights · codes + Σ p · low for `ROWS` rows, in the order of `Paired`.
template <int ROWS>
HWY_INLINE void weigh_int4_group(const ProductScratch& t, int row, int g, const float* p, const ProductShape& shape,
                                 const ReadyTile& v, Ahead& ahead, int lines) {
  const Int4Weights<ROWS> weights(p + row * kBf16Stretch, v.steps + kBf16FewTile * g, v.lows + kBf16FewTile * g,
                                  shape.n_keys);
  const __m512i lanes[2] = {Int4Pairs::lanes_of(0), Int4Pairs::lanes_of(2)};
  __m512i sums[ROWS][4];  // of either pair of rows: a product waits for the one before
#pragma GCC unroll 4
  for (auto& of_row : sums)
#pragma GCC unroll 4
    for (__m512i& sum : of_row) sum = _mm512_setzero_si512();
  const int byte = kInt4Piece * g;
  for (int j = 0; j < shape.n_keys; j += 4) {
    if (j % kInt4Keys == 0) ahead.fetch(lines);
    const __m512i pieces =
        four_pieces(v.rows[j] + byte, v.rows[j + 1] + byte, v.rows[j + 2] + byte, v.rows[j + 3] + byte);
#pragma GCC unroll 2
    for (int two = 0; two < 2; ++two) {
      const Int4Pairs values(pieces, lanes[two]);
#pragma GCC unroll 4
      for (int r = 0; r < ROWS; ++r) {
        const __m512i weight = _mm512_set1_epi32(static_cast<int>(weights.pairs[r][j / 2 + two]));
        sums[r][2 * two] = Bf16Products::dot(sums[r][2 * two], values.columns[0], weight);
        sums[r][2 * two + 1] = Bf16Products::dot(sums[r][2 * two + 1], values.columns[1], weight);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; ++r) {
    float* o = t.o + (row + r) * shape.stride + kInt4Group * g;
    const __m512 shrink = _mm512_set1_ps(t.shrink[row + r]), low = _mm512_set1_ps(weights.low_sums[r]);
    const __m512 first = _mm512_add_ps(Bf16Products::floats(Bf16Products::add(sums[r][0], sums[r][2])), low),
                 second = _mm512_add_ps(Bf16Products::floats(Bf16Products::add(sums[r][1], sums[r][3])), low);
    _mm512_storeu_ps(o, _mm512_fmadd_ps(_mm512_loadu_ps(o), shrink, _mm512_shuffle_f32x4(first, second, 0x88)));
    _mm512_storeu_ps(o + 16,
                     _mm512_fmadd_ps(_mm512_loadu_ps(o + 16), shrink, _mm512_shuffle_f32x4(first, second, 0xdd)));
  }
}

template <int ROWS>
HWY_INLINE void weigh_int4_rows(const ProductScratch& t, int row, const float* p, const ProductShape& shape,
                                const ReadyTile& v, Ahead& ahead, int lines) {
  for (; row + ROWS <= shape.n_rows; row += ROWS)
    for (int g = 0; g < shape.stride / kInt4Group; ++g) weigh_int4_group<ROWS>(t, row, g, p, shape, v, ahead, lines);
  if constexpr (ROWS > 1) weigh_int4_rows<ROWS / 2>(t, row, p, shape, v, ahead, lines);
}

/// Adds a tile's weighted values to the sums; p [row, kBf16Stretch] weights in float.
inline void weigh_int4_tile(const ProductScratch& t, const float* p, const ProductShape& shape, const ReadyTile& v,
                            Ahead& ahead) {
  const int n_passes = ((shape.n_rows + 3) / 4) * (shape.stride / kInt4Group);
  const int whole = round_up(shape.n_keys, 2 * kInt4Keys);
  weigh_int4_rows<4>(t, 0, p, {shape.n_rows, whole, shape.stride}, v, ahead,
                     ahead.n_lines() * kInt4Keys / (whole * n_passes) + 1);
}

}  // namespace dachlast::kernels::cpu

HWY_POP_ATTRIBUTES

#endif  // __x86_64__
