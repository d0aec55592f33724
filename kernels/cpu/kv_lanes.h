#pragma once

#if defined(__x86_64__)

#include <hwy/base.h>
#include <immintrin.h>

#include "kernels/cpu/bf16_math.h"
#include "kernels/cpu/kv_codes.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vbmi,avx512vnni,f16c")

// Stored elements as operands of dot products, in registers: 32 columns of a row a vector, in their order. A product
// multiplies pairs of 16-bit elements and adds them to 32-bit sums.
namespace dachlast::kernels::cpu {

// The instructions are text: g++ 12 copies what their intrinsics return, and spills sums for that.

/// Sums are float.
struct Bf16Products {
  static HWY_INLINE __m512i dot(__m512i sum, __m512i a, __m512i b) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
  }
  static HWY_INLINE __m512i add(__m512i a, __m512i b) {
    return _mm512_castps_si512(_mm512_add_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b)));
  }
  static HWY_INLINE __m512 floats(__m512i sum) { return _mm512_castsi512_ps(sum); }
};

/// Sums are 32-bit integers.
struct Int16Products {
  static HWY_INLINE __m512i dot(__m512i sum, __m512i a, __m512i b) {
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
  }
  static HWY_INLINE __m512i add(__m512i a, __m512i b) { return _mm512_add_epi32(a, b); }
  static HWY_INLINE __m512 floats(__m512i sum) { return _mm512_cvtepi32_ps(sum); }
};

struct Bf16Rows {
  using Products = Bf16Products;
  static constexpr int kVectors = 1;
  static HWY_INLINE void load(const std::byte* row, int column, __m512i (&out)[1]) {
    out[0] = _mm512_loadu_si512(row + 2 * column);
  }
};

/// Rounded to nearest even.
struct F16Rows {
  using Products = Bf16Products;
  static constexpr int kVectors = 1;
  static HWY_INLINE void load(const std::byte* row, int column, __m512i (&out)[1]) {
    const auto* halves = reinterpret_cast<const __m256i*>(row + 2 * column);
    const __m512 low = _mm512_cvtph_ps(_mm256_loadu_si256(halves)),
                 high = _mm512_cvtph_ps(_mm256_loadu_si256(halves + 1));
    out[0] = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
  }
};

/// Codes, exact.
struct Int8Rows {
  using Products = Int16Products;
  static constexpr int kVectors = 1;
  static HWY_INLINE void load(const std::byte* row, int column, __m512i (&out)[1]) {
    out[0] = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + column)));
  }
};

/// Both bytes of the bfloat16 of every magnitude of fp8.
struct Fp8Table {
  alignas(64) std::uint8_t low[128] = {};
  alignas(64) std::uint8_t high[128] = {};

  constexpr Fp8Table() {
    for (int i = 0; i < 128; ++i) {
      const std::uint16_t bits = to_bf16(fp8_to_float(static_cast<std::uint8_t>(i))).bits;
      low[i] = static_cast<std::uint8_t>(bits);
      high[i] = static_cast<std::uint8_t>(bits >> 8);
    }
  }
};
inline constexpr Fp8Table kFp8Table;

/// Codes, exact. The quarters of the codes are interleaved first, so that unpacking bytes leaves elements in their order.
struct Fp8Rows {
  using Products = Bf16Products;
  static constexpr int kVectors = 2;
  static HWY_INLINE void load(const std::byte* row, int column, __m512i (&out)[2]) {
    const __m512i quarters = _mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0);
    const __m512i codes = _mm512_permutexvar_epi64(quarters, _mm512_loadu_si512(row + column));
    const __m512i low = _mm512_permutex2var_epi8(_mm512_load_si512(kFp8Table.low), codes,  // the index wraps at 128
                                                 _mm512_load_si512(kFp8Table.low + 64));
    const __m512i magnitude =
        _mm512_permutex2var_epi8(_mm512_load_si512(kFp8Table.high), codes, _mm512_load_si512(kFp8Table.high + 64));
    constexpr int kOrAnd = 0xf8;  // a | (b & c)
    const __m512i high = _mm512_ternarylogic_epi32(magnitude, codes, _mm512_set1_epi8(static_cast<char>(0x80)), kOrAnd);
    out[0] = _mm512_unpacklo_epi8(low, high);
    out[1] = _mm512_unpackhi_epi8(low, high);
  }
};

/// Rows j and j + 1 as pairs. Within every 8 columns the first vector has the first four, the second the others;
/// `in_order` undoes that in the sums.
struct Paired {
  __m512i first;
  __m512i second;
};
HWY_INLINE Paired pair_rows(__m512i even, __m512i odd) {
  return {_mm512_unpacklo_epi16(even, odd), _mm512_unpackhi_epi16(even, odd)};
}

/// Sums over 32 columns of `Paired` values in the order of the columns.
HWY_INLINE void store_in_order(const float* paired, float* out) {
  const __m512i lower = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
  const __m512 first = _mm512_loadu_ps(paired), second = _mm512_loadu_ps(paired + 16);
  const __m512i upper = _mm512_add_epi32(lower, _mm512_set1_epi32(8));
  _mm512_storeu_ps(out, _mm512_permutex2var_ps(first, lower, second));
  _mm512_storeu_ps(out + 16, _mm512_permutex2var_ps(first, upper, second));
}

/// Sums over the four lanes of each quarter of four vectors: quarter i of the result has those of v[0] … v[3].
template <class Products>
HWY_INLINE __m512i sum_quarters(const __m512i* v) {
  const __m512i v01 = Products::add(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
  const __m512i v23 = Products::add(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
  return Products::add(_mm512_unpacklo_epi64(v01, v23), _mm512_unpackhi_epi64(v01, v23));
}

}  // namespace dachlast::kernels::cpu

HWY_POP_ATTRIBUTES

#endif  // __x86_64__
