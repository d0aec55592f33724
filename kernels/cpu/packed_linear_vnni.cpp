// Integer weights with AVX-512 VNNI: unsigned weights meet signed activations, so one correction per row and group of
// activations takes the weights' offset out again and nothing has to be done per weight.
#include "core/base/cpu_features.h"
#include "kernels/cpu/packed_linear_cpu.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>

#define DACHLAST_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define DACHLAST_VNNI_INLINE \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"), always_inline)) inline

namespace dachlast::kernels::cpu {
namespace {

constexpr int kLanes = 16;
constexpr float kMost = 127.0F;

/// The two registers of one step, and the scales of one group, as floats.
struct Pair {
  __m512i low;
  __m512i high;
};
struct ScalePair {
  __m512 low;
  __m512 high;
};

DACHLAST_VNNI_INLINE ScalePair group_scales(const std::byte* scales) {
  const __m512i both = _mm512_load_si512(scales);
  const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(both));
  const __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(both, 1));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(low, 16)), _mm512_castsi512_ps(_mm512_slli_epi32(high, 16))};
}

struct Int8Rows {
  static constexpr int kStepBytes = 128;
  static constexpr int kScaleBytes = 128;
  static DACHLAST_VNNI_INLINE Pair load(const std::byte* w) {
    return {_mm512_load_si512(w), _mm512_load_si512(w + 64)};
  }
  static DACHLAST_VNNI_INLINE ScalePair scales(const std::byte* w) {
    return {_mm512_load_ps(w), _mm512_load_ps(w + 64)};
  }
};

struct Int8Groups {
  static constexpr int kStepBytes = 128;
  static constexpr int kScaleBytes = 64;
  static DACHLAST_VNNI_INLINE Pair load(const std::byte* w) { return Int8Rows::load(w); }
  static DACHLAST_VNNI_INLINE ScalePair scales(const std::byte* w) { return group_scales(w); }
};

struct Int4Groups {
  static constexpr int kStepBytes = 64;
  static constexpr int kScaleBytes = 64;
  static DACHLAST_VNNI_INLINE Pair load(const std::byte* w) {
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i both = _mm512_load_si512(w);
    return {_mm512_and_si512(both, nibble), _mm512_and_si512(_mm512_srli_epi16(both, 4), nibble)};
  }
  static DACHLAST_VNNI_INLINE ScalePair scales(const std::byte* w) { return group_scales(w); }
};

DACHLAST_VNNI_INLINE __m512i four_bytes(const std::byte* x) {
  std::int32_t bytes = 0;
  std::memcpy(&bytes, x, sizeof(bytes));
  return _mm512_set1_epi32(bytes);
}

/// _mm512_dpbusd_epi32, as text: g++ 12 copies what the intrinsic returns and then spills half of the sums, which halves
/// the speed.
DACHLAST_VNNI_INLINE void add_dot_products(__m512i& sum, __m512i weights, __m512i activations) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(activations));
}

/// y = total · scale of the row + bias, for the columns of one register.
DACHLAST_VNNI_INLINE void store_columns(const PanelProduct& p, int row, int half, __m512 total) {
  const int n = p.n_columns - half * kLanes;
  if (n <= 0) return;
  const __mmask16 mask = n >= kLanes ? __mmask16{0xffff} : static_cast<__mmask16>((1U << n) - 1U);
  __m512 y = _mm512_mul_ps(total, _mm512_set1_ps(p.x_scales[row]));
  if (p.bias != nullptr) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, p.bias + half * kLanes));
  _mm512_mask_storeu_ps(p.y + static_cast<std::size_t>(row) * p.y_stride + half * kLanes, mask, y);
}

/// What the next step reads.
struct Cursor {
  const std::byte* w;
  const std::byte* x;
  const std::byte* ahead;
  const std::int32_t* corrections;
};

template <class Weights, int M>
DACHLAST_VNNI_INLINE void add_step(const PanelProduct& p, Cursor& at, Pair (&sums)[M]) {
  const Pair weights = Weights::load(at.w);
  _mm_prefetch(reinterpret_cast<const char*>(at.ahead), _MM_HINT_T1);
  if constexpr (Weights::kStepBytes > 64)
    _mm_prefetch(reinterpret_cast<const char*>(at.ahead + p.ahead_step / 2), _MM_HINT_T1);
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i) {
    const __m512i activations = four_bytes(at.x + 4 * i);
    add_dot_products(sums[i].low, weights.low, activations);
    add_dot_products(sums[i].high, weights.high, activations);
  }
  at.w += Weights::kStepBytes;
  at.x += 4 * M;
  at.ahead += p.ahead_step;
}

/// Chains of sums along a row: an instruction waits 4 or 5 cycles for the sum it adds to, and 2 can start in each.
constexpr int chains(int m) {
  return m == 1 ? 4 : m <= 3 ? 2 : 1;
}

/// Adds the products of `n_steps` steps to `sums`, which starts as the corrections, and moves w and x behind them.
template <class Weights, int M>
DACHLAST_VNNI_INLINE void add_group(const PanelProduct& p, int n_steps, Cursor& at, Pair (&sums)[M]) {
  constexpr int kChains = chains(M);
  Pair of_chain[kChains][M];
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i) {
    of_chain[0][i].low = of_chain[0][i].high = _mm512_set1_epi32(at.corrections[i]);
#pragma GCC unroll 4
    for (int c = 1; c < kChains; ++c) of_chain[c][i].low = of_chain[c][i].high = _mm512_setzero_si512();
  }
  int step = 0;
  for (; step + kChains <= n_steps; step += kChains) {
#pragma GCC unroll 4
    for (int c = 0; c < kChains; ++c) add_step<Weights, M>(p, at, of_chain[c]);
  }
  if constexpr (kChains > 1)
    for (; step < n_steps; ++step) add_step<Weights, M>(p, at, of_chain[0]);
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i) {
    sums[i] = of_chain[0][i];
#pragma GCC unroll 4
    for (int c = 1; c < kChains; ++c) {
      sums[i].low = _mm512_add_epi32(sums[i].low, of_chain[c][i].low);
      sums[i].high = _mm512_add_epi32(sums[i].high, of_chain[c][i].high);
    }
  }
  at.corrections += M;
}

template <class Weights, int M>
DACHLAST_VNNI void multiply(const PanelProduct& p) {
  ScalePair totals[M];
  for (ScalePair& total : totals) total = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  Cursor at{p.w, p.x, p.ahead, p.corrections};
  for (int left = p.n_steps; left > 0; left -= p.group_steps) {
    const ScalePair scale = Weights::scales(at.w);
    at.w += Weights::kScaleBytes;
    Pair sums[M];
    add_group<Weights, M>(p, left < p.group_steps ? left : p.group_steps, at, sums);
#pragma GCC unroll 12
    for (int i = 0; i < M; ++i) {
      totals[i].low = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[i].low), scale.low, totals[i].low);
      totals[i].high = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[i].high), scale.high, totals[i].high);
    }
  }
  for (int i = 0; i < M; ++i) {
    store_columns(p, i, 0, totals[i].low);
    store_columns(p, i, 1, totals[i].high);
  }
}

template <class Weights, std::size_t... I>
constexpr std::array<PanelKernel*, kMostTileRows> by_rows(std::index_sequence<I...>) {
  return {multiply<Weights, static_cast<int>(I) + 1>...};
}

template <class Weights>
constexpr std::array<PanelKernel*, kMostTileRows> kByRows = by_rows<Weights>(std::make_index_sequence<kMostTileRows>());

std::span<PanelKernel* const, kMostTileRows> kernels_for(WeightType weights) {
  if (weights.bits() == 4) return kByRows<Int4Groups>;
  if (weights.group() != 0) return kByRows<Int8Groups>;
  return kByRows<Int8Rows>;
}

/// max |x| as bits: NaN and infinity are larger than any number, so they survive.
DACHLAST_VNNI float largest_magnitude(std::span<const float> x) {
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  __m512i most = _mm512_setzero_si512();
  std::size_t l = 0;
  for (; l + kLanes <= x.size(); l += kLanes)
    most = _mm512_max_epu32(most, _mm512_and_si512(_mm512_loadu_si512(x.data() + l), magnitude));
  const auto rest = static_cast<__mmask16>((1U << (x.size() - l)) - 1U);
  most = _mm512_max_epu32(most, _mm512_and_si512(_mm512_maskz_loadu_epi32(rest, x.data() + l), magnitude));
  return std::bit_cast<float>(_mm512_reduce_max_epu32(most));
}

/// Where one row of a tile goes.
struct RowTarget {
  std::byte* steps;           // of this row; the next step lies `tile_rows` · 4 bytes further on
  std::int32_t* corrections;  // likewise `tile_rows` further on
  int tile_rows;
  int group_steps;
  std::int32_t offset;
};

/// Writes up to 4 steps, 16 columns, and returns the sums of their integers by step.
DACHLAST_VNNI_INLINE __m128i pack_sixteen(__m512 x, __m512 inverse, const RowTarget& to, int step, int n_steps) {
  const __m128i q = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(x, inverse)));
  alignas(16) std::int32_t quads[4];
  _mm_store_si128(reinterpret_cast<__m128i*>(quads), q);
  for (int i = 0; i < n_steps; ++i)
    std::memcpy(to.steps + static_cast<std::size_t>(step + i) * to.tile_rows * 4, &quads[i], 4);
  return _mm_dpbusd_epi32(_mm_setzero_si128(), _mm_set1_epi8(1), q);
}

DACHLAST_VNNI void pack_row(std::span<const float> x, float most, const RowTarget& to) {
  const __m512 inverse = _mm512_set1_ps(most < kLeastMagnitude ? 0.0F : kMost / most);
  const int k = static_cast<int>(x.size());
  const int n_steps = (k + 3) / 4;
  __m128i sums = _mm_setzero_si128();
  for (int step = 0; step < n_steps; step += 4) {
    const int columns = k - 4 * step;
    const auto mask =
        columns >= kLanes ? __mmask16{0xffff} : static_cast<__mmask16>((1U << (columns & (kLanes - 1))) - 1U);
    const __m512 values = _mm512_maskz_loadu_ps(mask, x.data() + 4 * step);
    const int n = n_steps - step < 4 ? n_steps - step : 4;
    sums = _mm_add_epi32(sums, pack_sixteen(values, inverse, to, step, n));
    if ((step + n) % to.group_steps != 0 && step + n < n_steps) continue;  // groups end on multiples of 4 steps
    alignas(16) std::int32_t parts[4];
    _mm_store_si128(reinterpret_cast<__m128i*>(parts), sums);
    to.corrections[static_cast<std::size_t>((step + n - 1) / to.group_steps) * to.tile_rows] =
        -to.offset * (parts[0] + parts[1] + parts[2] + parts[3]);
    sums = _mm_setzero_si128();
  }
}

}  // namespace

bool vnni_supported() {
  return cpu_features().avx512 && cpu_features().avx512_vnni;
}

void packed_linear_vnni(const LinearShape& shape, std::span<const std::byte> packed_x, const PackedMatrix& w,
                        std::span<const float> bias, std::span<float> y, Slice panels) {
  multiply_panels(shape, packed_x, w, bias, y, panels, kernels_for(w.type));
}

void pack_rows_vnni(const LinearShape& shape, std::span<const float> x, std::span<std::byte> packed, Slice tiles) {
  const RowTiles rows_of(shape);
  const PanelLayout layout(shape.weight_dtype, shape.k);
  assert(packed.size() >= rows_of.bytes());
  for (int tile = tiles.begin; tile < tiles.end; ++tile)
    for (int row = 0; row < rows_of.rows(tile); ++row) {
      const auto first = static_cast<std::size_t>(rows_of.first_row(tile) + row) * shape.k;
      const auto values = x.subspan(first, static_cast<std::size_t>(shape.k));
      const float most = largest_magnitude(values);
      const float scale = most / kMost;
      std::memcpy(packed.data() + rows_of.start(tile) + static_cast<std::size_t>(row) * sizeof(float), &scale,
                  sizeof(float));
      pack_row(values, most,
               {.steps = packed.data() + rows_of.steps(tile) + static_cast<std::size_t>(row) * 4,
                .corrections = reinterpret_cast<std::int32_t*>(packed.data() + rows_of.corrections(tile)) + row,
                .tile_rows = rows_of.rows(tile),
                .group_steps = layout.group_steps,
                .offset = shape.weight_dtype.bits() == 4 ? 8 : 128});
    }
}

}  // namespace dachlast::kernels::cpu

#else

namespace dachlast::kernels::cpu {

bool vnni_supported() {
  return false;
}
void packed_linear_vnni(const LinearShape& shape, std::span<const std::byte> packed_x, const PackedMatrix& w,
                        std::span<const float> bias, std::span<float> y, Slice panels) {
  packed_linear_reference(shape, packed_x, w, bias, y, panels);
}
void pack_rows_vnni(const LinearShape& shape, std::span<const float> x, std::span<std::byte> packed, Slice tiles) {
  pack_rows_reference(shape, x, packed, tiles);
}

}  // namespace dachlast::kernels::cpu

#endif  // __x86_64__
