// Attention of few query rows, as in decode: each K and V row is read once for all heads of the group and multiplied in
// the registers it is loaded into. Scales of int8 and fp8 tokens multiply scores and weights.
#if defined(__x86_64__)

#include <bit>
#include <cmath>

#include "kernels/cpu/attention_bf16.h"
#include "kernels/cpu/bf16_math.h"
#include "kernels/cpu/kv_int4.h"
#include "kernels/cpu/kv_products.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vbmi,avx512vnni,f16c")

namespace dachlast::kernels::cpu {
namespace {

constexpr int kTile = kBf16FewTile;
constexpr int kVectors = kTile / 16;

struct FewScratch : ProductScratch {
  BF16* expanded;  // [kTile, the wider of the strides] rows of a tile
  float* m;        // [kFewRows]
  float* d;        // [kFewRows]

  FewScratch(const GroupRows& g, std::span<float> memory) {
    assert(memory.size() >= bf16_scratch_floats(g.size(), g.head_dim(), g.value_dim()));
    const auto ks = static_cast<std::size_t>(kv_stride(g.head_dim())),
               vs = static_cast<std::size_t>(kv_stride(g.value_dim()));
    ScratchPieces pieces(memory);
    q = reinterpret_cast<BF16*>(pieces.take(kFewRows * ks / 2));
    codes = {reinterpret_cast<std::int8_t*>(pieces.take(kFewRows * ks / 2)), pieces.take(kFewRows),
             reinterpret_cast<std::int32_t*>(pieces.take(kFewRows))};
    expanded = reinterpret_cast<BF16*>(pieces.take(kTile * std::max(ks, vs) / 2));
    s = pieces.take(kFewRows * kBf16Stretch);
    p = reinterpret_cast<Bf16Pair*>(pieces.take(kFewRows * kTile / 2));
    o = pieces.take(kFewRows * vs);
    m = pieces.take(kFewRows);
    d = pieces.take(kFewRows);
    shrink = pieces.take(kFewRows);
    unit = pieces.take(kFewRows);
    std::fill_n(q, kFewRows * ks, BF16{});
    std::fill_n(codes.parts, 2 * kFewRows * ks, std::int8_t{0});
    std::fill_n(codes.unit, kFewRows, 0.0f);
    std::fill_n(codes.offset, kFewRows, 0);
    std::fill_n(o, kFewRows * vs, 0.0f);
    std::fill_n(m, kFewRows, kLeastMaximum);
    std::fill_n(d, kFewRows, 0.0f);
  }
};

/// Softcap, and what row `r` must not see; the tile is filled up with unseen keys.
void finish_scores(const GroupRows& rows, int r, const KeyTile& tile, float* s) {
  const ScoreRule& rule = rows.rule();
  if (rule.softcap > 0.0f) {
    std::fill(s + tile.size(), s + kTile, 0.0f);
    const Softcap softcap{rule.softcap, rule.scale};
    for (int j = 0; j < kTile; j += 16) _mm512_storeu_ps(s + j, softcap(_mm512_loadu_ps(s + j)));
  }
  if (!rows.all_see(tile, r, r))
    for (int j = 0; j < tile.size(); ++j)
      if (!rows.sees(r, tile.position(j))) s[j] = kUnseen;
  std::fill(s + tile.size(), s + kTile, kUnseen);
}

__mmask16 lanes_left(int n) {
  return static_cast<__mmask16>(n >= 16 ? 0xffffu : (1u << n) - 1u);
}

using TileVectors = __m512[kVectors];

HWY_INLINE __m512 sum_of(const TileVectors& v) {
  static_assert(kVectors == 8);
  return _mm512_add_ps(_mm512_add_ps(_mm512_add_ps(v[0], v[1]), _mm512_add_ps(v[2], v[3])),
                       _mm512_add_ps(_mm512_add_ps(v[4], v[5]), _mm512_add_ps(v[6], v[7])));
}
HWY_INLINE float largest_of(const TileVectors& v) {
  static_assert(kVectors == 8);
  return _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(_mm512_max_ps(v[0], v[1]), _mm512_max_ps(v[2], v[3])),
                                            _mm512_max_ps(_mm512_max_ps(v[4], v[5]), _mm512_max_ps(v[6], v[7]))));
}

/// Weights as pairs of bfloat16.
HWY_INLINE void round_weights(const TileVectors& weights, Bf16Pair* p) {
#pragma GCC unroll 4
  for (int i = 0; i < kVectors; i += 2)
    _mm512_storeu_si512(p + 8 * i, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(weights[i + 1], weights[i])));
}

/// Weights as pairs of integers of 15 bits; returns their unit, NaN where one of them is. An integer is off by half a
/// unit, 2^-16 of the tile's largest weight; bfloat16 is by 2^-9 of each.
HWY_INLINE float quantize_weights(const TileVectors& weights, Bf16Pair* p) {
  constexpr float kLeastWeight = 0x1p-100f;  // the inverse of its unit is a float
  const float largest = largest_of(weights);
  const __m512 inverse = _mm512_set1_ps(largest > kLeastWeight ? kWeightCodes / largest : 0.0f);
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; ++i)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8 * i),
                        _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(_mm512_mul_ps(weights[i], inverse))));
  const __m512 sum = sum_of(weights);
  const bool finite = _mm512_cmp_ps_mask(_mm512_sub_ps(sum, sum), sum, _CMP_UNORD_Q) == 0;
  return finite ? largest / kWeightCodes : std::bit_cast<float>(0x7fc00000u);
}

/// Moves on the largest score of row `r` to that of a stretch, and what earlier sums shrink by.
void raise_maximum(const FewScratch& t, int r, int n_scores, float factor) {
  const float* s = t.s + r * kBf16Stretch;
  __m512 largest = _mm512_set1_ps(t.m[r]);
  for (int j = 0; j < n_scores; j += 16) largest = _mm512_max_ps(largest, _mm512_loadu_ps(s + j));
  const float most = _mm512_reduce_max_ps(largest);
  t.shrink[r] = _mm512_cvtss_f32(exp2_for_float(_mm512_set1_ps((t.m[r] - most) * factor)));
  t.d[r] *= t.shrink[r];
  t.m[r] = most;
}

/// Weights of one row from its kTile scores; they take the scales of their values with them.
void make_weights(const FewScratch& t, int r, float* s, float factor, const ReadyTile& v) {
  const __m512 f = _mm512_set1_ps(factor), offset = _mm512_set1_ps(t.m[r] * factor);
  TileVectors weights;
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; ++i)
    weights[i] = exp2_for_bf16(_mm512_fmsub_ps(_mm512_loadu_ps(s + 16 * i), f, offset));
  t.d[r] += _mm512_reduce_add_ps(sum_of(weights));
  if (v.lie == Lie::kInt4) {  // steps differ from group to group: weights take the place of scores
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) _mm512_storeu_ps(s + 16 * i, weights[i]);
    return;
  }
  if (v.scaled)
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) weights[i] = _mm512_mul_ps(weights[i], _mm512_load_ps(v.scales + 16 * i));
  Bf16Pair* p = t.p + r * (kTile / 2);
  t.unit[r] = 1.0f;
  if (v.lie == Lie::kInt8)
    t.unit[r] = quantize_weights(weights, p);
  else
    round_weights(weights, p);
}

/// Scores of the keys of a stretch, and the largest so far.
void score_stretch(const GroupRows& rows, SlotRange slots, FewWalk& walk, const FewScratch& t) {
  const int stride = kv_stride(rows.head_dim());
  for (int begin = slots.begin; begin < slots.end; begin += kTile) {
    const KeyTile tile = rows.tile({begin, std::min(begin + kTile, slots.end)});
    const StoredTile& stored = walk.next();
    if (rows.none_sees(tile)) {
      for (int r = 0; r < rows.size(); ++r) std::fill_n(t.s + r * kBf16Stretch + begin - slots.begin, kTile, kUnseen);
      continue;
    }
    Ahead ahead(walk.following());
    const ReadyTile k(stored, Operand::kKeys, stride, t.expanded);
    if (k.lie == Lie::kInt4)
      score_int4_tile(t, {rows.size(), tile.size(), stride}, k, begin - slots.begin, ahead);
    else
      score_tile(t, {rows.size(), tile.size(), stride}, k, begin - slots.begin, ahead);
    for (int r = 0; r < rows.size(); ++r) finish_scores(rows, r, tile, t.s + r * kBf16Stretch + begin - slots.begin);
    ahead.fetch(ahead.n_lines());
  }
  const int n_scores = round_up(slots.end - slots.begin, kTile);
  for (int r = 0; r < rows.size(); ++r) raise_maximum(t, r, n_scores, score_factor(rows.rule()));
}

/// Sums of the values of a stretch.
void weigh_stretch(const GroupRows& rows, SlotRange slots, FewWalk& walk, const FewScratch& t) {
  const int stride = kv_stride(rows.value_dim());
  for (int begin = slots.begin; begin < slots.end; begin += kTile) {
    const StoredTile& stored = walk.next();
    if (rows.none_sees(rows.tile({begin, std::min(begin + kTile, slots.end)}))) continue;
    Ahead ahead(walk.following());
    const ReadyTile v(stored, Operand::kValues, stride, t.expanded);
    for (int r = 0; r < rows.size(); ++r)
      make_weights(t, r, t.s + r * kBf16Stretch + begin - slots.begin, score_factor(rows.rule()), v);
    if (v.lie == Lie::kInt4)
      weigh_int4_tile(t, t.s + begin - slots.begin, {rows.size(), v.n_rows, stride}, v, ahead);
    else
      weigh_tile(t, {rows.size(), v.n_rows, stride}, v, ahead);
    ahead.fetch(ahead.n_lines());
    std::fill_n(t.shrink, rows.size(), 1.0f);  // the stretch has shrunk earlier sums once
  }
}

/// Unit of row `r` of q as integers, for keys of int8: a power of two, the least for which the largest element is below
/// 2^14. Integers are off by up to 2^-14 of it, where bfloat16 is by 2^-9 of each. NaN where q is not finite.
float query_unit(std::span<const float> q) {
  constexpr int kBits = 13, kLeastExponent = -126;
  __m512 most = _mm512_setzero_ps(), poison = _mm512_setzero_ps();
  const int width = static_cast<int>(q.size());
  for (int c = 0; c < width; c += 16) {
    const __m512 x = _mm512_maskz_loadu_ps(lanes_left(width - c), q.data() + c);
    most = _mm512_max_ps(most, _mm512_abs_ps(x));
    poison = _mm512_fmadd_ps(x, _mm512_setzero_ps(), poison);
  }
  const float largest = _mm512_reduce_max_ps(most), nothing = _mm512_reduce_add_ps(poison);
  const int exponent = nothing == 0.0f && largest > 0.0f ? std::max(std::ilogb(largest) - kBits, kLeastExponent) : 0;
  return std::ldexp(1.0f, exponent) + nothing;
}

/// Row `r` of q as integers; codes of one that is not finite mean nothing beside its unit.
void quantize_query(const GroupRows& rows, int r, const QueryCodes& codes) {
  const int stride = kv_stride(rows.head_dim()), group = r / kQuarters, quarter = r % kQuarters;
  const std::span<const float> q(rows.q(r), static_cast<std::size_t>(rows.head_dim()));
  codes.unit[r] = query_unit(q);
  const __m512 inverse = _mm512_set1_ps(1.0f / codes.unit[r]);
  std::int8_t* parts = codes.parts + group * 2 * kQuarters * stride + quarter * kInt8Piece;
  __m512i sum = _mm512_setzero_si512();
  static_assert(kInt8Piece == 16);
  for (int c = 0; c < rows.head_dim(); c += kInt8Piece, parts += 2 * kQuarters * kInt8Piece) {
    const __mmask16 mask = lanes_left(rows.head_dim() - c);
    const __m512i code = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(mask, q.data() + c), inverse));
    const __m512i high = _mm512_srai_epi32(_mm512_add_epi32(code, _mm512_set1_epi32(128)), 8);
    const __m512i low = _mm512_sub_epi32(code, _mm512_slli_epi32(high, 8));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(parts), _mm512_cvtepi32_epi8(high));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(parts + kQuarters * kInt8Piece), _mm512_cvtepi32_epi8(low));
    sum = _mm512_add_epi32(sum, code);
  }
  codes.offset[r] = 128 * _mm512_reduce_add_epi32(sum);
}

/// Row `r` of q as integers in the order of its elements, and their sums over groups.
void quantize_query_for_int4(const GroupRows& rows, int r, const QueryCodes& codes, float* sums) {
  const int width = rows.head_dim(), stride = kv_stride(width);
  const std::span<const float> q(rows.q(r), static_cast<std::size_t>(width));
  codes.unit[r] = query_unit(q);
  const __m512 inverse = _mm512_set1_ps(1.0f / codes.unit[r]);
  std::int8_t* parts = codes.parts + 2 * r * stride;
  for (int g = 0; g < width / kInt4Group; ++g) {
    __m512i sum = _mm512_setzero_si512();
    for (int c = kInt4Group * g; c < kInt4Group * (g + 1); c += 16) {
      const __m512i code = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(q.data() + c), inverse));
      const __m512i high = _mm512_srai_epi32(_mm512_add_epi32(code, _mm512_set1_epi32(128)), 8);
      const __m512i low = _mm512_sub_epi32(code, _mm512_slli_epi32(high, 8));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(parts + c), _mm512_cvtepi32_epi8(high));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(parts + stride + c), _mm512_cvtepi32_epi8(low));
      sum = _mm512_add_epi32(sum, code);
    }
    sums[r * (stride / kInt4Group) + g] = static_cast<float>(_mm512_reduce_add_epi32(sum));
  }
}

bool keys_are_int4(const KvLayout& layout) {
  return layout.format == KvFormat::kInt4 && !has_channel_scales(layout) && layout.head_dim % kInt4Group == 0 &&
         layout.head_dim <= kMostInt16Terms;
}

/// q as bfloat16, and as what int8 keys are multiplied by; for keys of int4 as integers and their sums alone.
void load_queries(const GroupRows& rows, const FewScratch& t) {
  const int stride = kv_stride(rows.head_dim()), width = rows.head_dim();
  if (keys_are_int4(rows.layout())) {
    for (int r = 0; r < rows.size(); ++r) quantize_query_for_int4(rows, r, t.codes, reinterpret_cast<float*>(t.q));
    return;
  }
  for (int r = 0; r < rows.size(); ++r) {
    BF16* q = t.q + r / kQuarters * kQuarters * stride + r % kQuarters * kBf16Piece;
    for (int c = 0; c < width; c += kBf16Piece, q += kQuarters * kBf16Piece) {
      const __m256 piece = _mm256_maskz_loadu_ps(static_cast<__mmask8>(lanes_left(width - c)), rows.q(r) + c);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(q), reinterpret_cast<__m128i>(_mm256_cvtneps_pbh(piece)));
    }
    if (rows.layout().format == KvFormat::kInt8 && width <= kMostInt16Terms) quantize_query(rows, r, t.codes);
  }
}

/// out = o / d, or the partial result (o, m, d) with m in units of log2 e.
void write_few_rows(const GroupRows& rows, const FewScratch& t) {
  const int value_dim = rows.value_dim();
  for (int r = 0; r < rows.size(); ++r) {
    float* sums = t.o + r * kv_stride(value_dim);
    for (int c = 0; c < value_dim; c += kBf16Lanes) store_in_order(sums + c, sums + c);
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
  load_queries(rows, t);
  if (all.begin < all.end) {
    FewWalk walk(rows);
    for (int begin = all.begin; begin < all.end; begin += kBf16Stretch) {
      const SlotRange slots{begin, std::min(begin + kBf16Stretch, all.end)};
      score_stretch(rows, slots, walk, t);
      weigh_stretch(rows, slots, walk, t);
    }
  }
  write_few_rows(rows, t);
}

}  // namespace dachlast::kernels::cpu

HWY_POP_ATTRIBUTES

#endif  // __x86_64__
