#include "kernels/cpu/bf16_pack.h"

#if defined(__x86_64__)

#include <hwy/base.h>
#include <immintrin.h>

#include <algorithm>
#include <bit>

#include "kernels/cpu/kv_codes.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,f16c")

namespace dachlast::kernels::cpu {
namespace {

using Vectors16 = __m512i[16];

__mmask16 first_lanes(int n) {
  return static_cast<__mmask16>(n >= 16 ? 0xffffu : (1u << std::max(n, 0)) - 1u);
}

/// Rows and columns of 16 × 16 words change places.
HWY_INLINE void transpose(Vectors16& v) {
  Vectors16 w;
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    w[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
    w[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    v[i] = _mm512_unpacklo_epi64(w[i], w[i + 2]);
    v[i + 1] = _mm512_unpackhi_epi64(w[i], w[i + 2]);
    v[i + 2] = _mm512_unpacklo_epi64(w[i + 1], w[i + 3]);
    v[i + 3] = _mm512_unpackhi_epi64(w[i + 1], w[i + 3]);
  }
  // v[4 b + c] holds, in 128-bit lane l, column 4 l + c of rows 4 b … 4 b + 3.
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    w[c] = _mm512_shuffle_i32x4(v[c], v[c + 4], 0x88);
    w[c + 4] = _mm512_shuffle_i32x4(v[c], v[c + 4], 0xdd);
    w[c + 8] = _mm512_shuffle_i32x4(v[c + 8], v[c + 12], 0x88);
    w[c + 12] = _mm512_shuffle_i32x4(v[c + 8], v[c + 12], 0xdd);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    v[c] = _mm512_shuffle_i32x4(w[c], w[c + 8], 0x88);
    v[c + 8] = _mm512_shuffle_i32x4(w[c], w[c + 8], 0xdd);
    v[c + 4] = _mm512_shuffle_i32x4(w[c + 4], w[c + 12], 0x88);
    v[c + 12] = _mm512_shuffle_i32x4(w[c + 4], w[c + 12], 0xdd);
  }
}

HWY_INLINE __m512i to_bf16_lanes(__m512 low, __m512 high) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
}

// Sixteen stored elements as floats, those beyond `mask` zero.

struct LoadF32 {
  const std::byte* row;
  HWY_INLINE __m512 operator()(int i, __mmask16 mask) const { return _mm512_maskz_loadu_ps(mask, row + 4 * i); }
};

struct LoadF16 {
  const std::byte* row;
  HWY_INLINE __m512 operator()(int i, __mmask16 mask) const {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, row + 2 * i));
  }
};

/// Scale of a token, or of each channel.
struct Scales {
  const ScaleWord* words;
  ScaleAxis axis;
  HWY_INLINE __m512 operator()(int i, __mmask16 mask) const {
    if (axis == ScaleAxis::kToken) return _mm512_set1_ps(std::bit_cast<float>(*words));
    return _mm512_maskz_loadu_ps(mask, words + i);
  }
};

struct LoadInt8 {
  const std::byte* row;
  Scales scales;
  HWY_INLINE __m512 operator()(int i, __mmask16 mask) const {
    const __m512i codes = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask, row + i));
    return _mm512_mul_ps(_mm512_cvtepi32_ps(codes), scales(i, mask));
  }
};

/// Exponent and mantissa land in their places of a float whose exponent is 120 too small; a code of NaN stands beside a
/// scale that is one.
struct LoadFp8 {
  const std::byte* row;
  Scales scales;
  HWY_INLINE __m512 operator()(int i, __mmask16 mask) const {
    const __m512i code = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask, row + i));
    const __m512i magnitude = _mm512_slli_epi32(_mm512_and_si512(code, _mm512_set1_epi32(0x7f)), 20);
    const __m512i sign = _mm512_and_si512(code, _mm512_set1_epi32(static_cast<int>(0x80000000u)));
    const __m512 small = _mm512_castsi512_ps(_mm512_or_si512(magnitude, sign));
    return _mm512_mul_ps(_mm512_mul_ps(small, _mm512_set1_ps(0x1p120f)), scales(i, mask));
  }
};

/// Half a group: element i is a multiple of 16.
struct LoadInt4 {
  const std::byte* row;
  Scales scales;
  HWY_INLINE __m512 operator()(int i, __mmask16 mask) const {
    const __m512i bytes =
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + i / kInt4Group * 16)));
    const __m512i codes = _mm512_and_si512(_mm512_srl_epi32(bytes, _mm_cvtsi32_si128(i % kInt4Group < 16 ? 0 : 4)),
                                           _mm512_set1_epi32(0xf));
    const __m512i words = scales.axis == ScaleAxis::kToken
                              ? _mm512_set1_epi32(static_cast<int>(scales.words[i / kInt4Group]))
                              : _mm512_maskz_loadu_epi32(mask, scales.words + i);
    const __m512 step = _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
    const __m512 low = _mm512_castsi512_ps(_mm512_and_si512(words, _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
    return _mm512_maskz_fmadd_ps(mask, _mm512_cvtepi32_ps(codes), step, low);
  }
};

/// One row through floats; whole vectors first, for which the compiler drops the masks.
template <class Load>
HWY_INLINE void expand_row(const Load& load, int width, BF16* out, int stride) {
  constexpr __mmask16 kAll = 0xffff;
  int i = 0;
  for (; i + kBf16Lanes <= width; i += kBf16Lanes)
    _mm512_storeu_si512(out + i, to_bf16_lanes(load(i, kAll), load(i + 16, kAll)));
  for (; i < stride; i += kBf16Lanes) {
    const __m512 low = load(i, first_lanes(width - i));
    const __m512 high = i + 16 < width ? load(i + 16, first_lanes(width - i - 16)) : _mm512_setzero_ps();
    _mm512_storeu_si512(out + i, to_bf16_lanes(low, high));
  }
}

void copy_row(const std::byte* row, int width, BF16* out, int stride) {
  for (int i = 0; i < stride; i += kBf16Lanes) {
    const int n = std::min(width - i, kBf16Lanes);
    const __mmask32 mask = n == kBf16Lanes ? ~0u : (1u << n) - 1u;
    _mm512_storeu_si512(out + i, _mm512_maskz_loadu_epi16(mask, row + 2 * i));
  }
}

/// Key rows as operand b: 16 keys × 16 pairs at a time.
HWY_INLINE void pack_key_square(const BF16* rows, int stride, int inner_pairs, Bf16Pair* b) {
  Vectors16 v;
#pragma GCC unroll 16
  for (int r = 0; r < 16; ++r) v[r] = _mm512_loadu_si512(rows + r * stride);
  transpose(v);
#pragma GCC unroll 16
  for (int p = 0; p < 16; ++p) {
    Bf16Pair* lower = b + p * kBlockColumns;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lower), _mm512_castsi512_si256(v[p]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lower + inner_pairs * kBlockColumns),
                        _mm512_extracti64x4_epi64(v[p], 1));
  }
}

/// Pairs of rows j and j + 1, 32 columns.
HWY_INLINE void pack_value_pair(const BF16* rows, int stride, int group_stride, Bf16Pair* b) {
  alignas(64) static constexpr std::uint16_t kLower[32] = {0,  32, 1,  33, 2,  34, 3,  35, 4,  36, 5,
                                                           37, 6,  38, 7,  39, 8,  40, 9,  41, 10, 42,
                                                           11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
  const __m512i lower = _mm512_load_si512(kLower), upper = _mm512_add_epi16(lower, _mm512_set1_epi16(16));
  const __m512i even = _mm512_loadu_si512(rows), odd = _mm512_loadu_si512(rows + stride);
  const __m512i first = _mm512_permutex2var_epi16(even, lower, odd),
                second = _mm512_permutex2var_epi16(even, upper, odd);
  const auto put = [&](int group, __m256i pairs) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(b + group * group_stride), pairs);
  };
  put(0, _mm512_castsi512_si256(first));
  put(1, _mm512_extracti64x4_epi64(first, 1));
  put(2, _mm512_castsi512_si256(second));
  put(3, _mm512_extracti64x4_epi64(second, 1));
}

}  // namespace

void expand_bf16(const KvRows& rows, BF16* out, int stride) {
  for (int r = 0; r < rows.n_rows; ++r, out += stride) {
    const std::byte* row = rows.rows + static_cast<std::size_t>(r) * rows.stride_bytes;
    const auto per_row = static_cast<int>(rows.format == KvFormat::kInt4 ? rows.stride_bytes / (kInt4Group / 2) : 1);
    const Scales scales{rows.axis == ScaleAxis::kToken ? rows.scales + r * per_row : rows.scales, rows.axis};
    switch (rows.format) {
      case KvFormat::kF32: expand_row(LoadF32{row}, rows.width, out, stride); break;
      case KvFormat::kBF16: copy_row(row, rows.width, out, stride); break;
      case KvFormat::kF16: expand_row(LoadF16{row}, rows.width, out, stride); break;
      case KvFormat::kInt8: expand_row(LoadInt8{row, scales}, rows.width, out, stride); break;
      case KvFormat::kInt4: expand_row(LoadInt4{row, scales}, rows.width, out, stride); break;
      case KvFormat::kFp8: expand_row(LoadFp8{row, scales}, rows.width, out, stride); break;
    }
  }
}

void pack_keys(const BF16* rows, int n_keys, int stride, Bf16Pair* b) {
  const int inner_pairs = stride / 2;
  for (int j = 0; j < n_keys; j += 16)
    for (int p = 0; p < inner_pairs; p += 16)
      pack_key_square(rows + j * stride + 2 * p, stride, inner_pairs, b + j * inner_pairs + p * kBlockColumns);
}

void pack_values(const BF16* rows, int n_keys, int stride, int inner_pairs, Bf16Pair* b) {
  const int group_stride = inner_pairs * kBlockColumns;
  for (int j = 0; j < n_keys; j += 2)
    for (int c = 0; c < stride; c += kBf16Lanes)
      pack_value_pair(rows + j * stride + c, stride, group_stride,
                      b + c / kBlockColumns * group_stride + j / 2 * kBlockColumns);
}

void pack_queries(const float* const* rows, int n_rows, int width, Bf16Pair* a) {
  for (int first = 0; first < kBlockRows; first += 16)
    for (int c = 0; c < width; c += kBf16Lanes) {
      Vectors16 v;
      for (int r = 0; r < 16; ++r) {
        if (first + r >= n_rows) {  // no masked load of nothing: where there is no page it takes hundreds of cycles
          v[r] = _mm512_setzero_si512();
          continue;
        }
        const float* row = rows[first + r] + c;
        const int n = width - c;
        v[r] = to_bf16_lanes(_mm512_maskz_loadu_ps(first_lanes(n), row),
                             n > 16 ? _mm512_maskz_loadu_ps(first_lanes(n - 16), row + 16) : _mm512_setzero_ps());
      }
      transpose(v);
      for (int p = 0; p < 16; ++p) _mm512_storeu_si512(a + (c / 2 + p) * kBlockRows + first, v[p]);
    }
}

void write_columns(const float* sums, const float* factors, int n_rows, int width, float* const* out) {
  for (int first = 0; first < n_rows; first += 16)
    for (int c = 0; c < width; c += 16) {
      Vectors16 v;
      const __m512 factor = _mm512_loadu_ps(factors + first);
      for (int i = 0; i < 16; ++i) {
        const float* column = sums + (c + i) * kBlockRows + first;
        v[i] = c + i < width ? _mm512_castps_si512(_mm512_mul_ps(_mm512_loadu_ps(column), factor))
                             : _mm512_setzero_si512();
      }
      transpose(v);
      for (int r = 0; r < std::min(16, n_rows - first); ++r)
        _mm512_mask_storeu_epi32(out[first + r] + c, first_lanes(width - c), v[r]);
    }
}

}  // namespace dachlast::kernels::cpu

HWY_POP_ATTRIBUTES

#endif  // __x86_64__
