#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/elementwise_simd.cpp"
#include <hwy/foreach_target.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/convert.h"
#include "kernels/cpu/elementwise_cpu.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

struct Scale {
  float factor;
  HWY_INLINE FloatVector operator()(FloatVector x) const { return hn::Mul(x, hn::Set(FloatTag(), factor)); }
};

struct Sum {
  HWY_INLINE FloatVector operator()(FloatVector a, FloatVector b) const { return hn::Add(a, b); }
};

void scale_f32(int n, float factor, const float* in, float* out) {
  transform(n, Scale{factor}, out, in);
}
void scale_bf16(int n, float factor, const BF16* in, float* out) {
  transform(n, Scale{factor}, out, in);
}
void add_f32(int n, float* target, const float* addend) {
  transform(n, Sum(), target, target, addend);
}
void add_bf16(int n, float* target, const BF16* addend) {
  transform(n, Sum(), target, target, addend);
}

/// Σ (x − center)², four sums in flight so that the adder's latency does not set the pace.
HWY_INLINE float sum_of_squares(const float* x, int n, float center) {
  const FloatTag d;
  const FloatVector centers = hn::Set(d, center);
  FloatVector sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  int i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    HWY_UNROLL(4)
    for (int u = 0; u < 4; ++u) {
      const FloatVector v = hn::Sub(load(d, x + i + u * kLanes), centers);
      sums[u] = hn::MulAdd(v, v, sums[u]);
    }
  }
  for (; i < n; i += kLanes) {
    const int rest = HWY_MIN(kLanes, n - i);
    const FloatVector v = hn::Sub(load_up_to(d, x + i, rest), centers);
    const FloatVector counted = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(rest)), v);
    sums[0] = hn::MulAdd(counted, counted, sums[0]);
  }
  return sum_of(d, hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3])));
}

HWY_INLINE float mean_of(const float* x, int n) {
  const FloatTag d;
  FloatVector sum = hn::Zero(d);
  for (int i = 0; i < n; i += kLanes) sum = hn::Add(sum, load_up_to(d, x + i, HWY_MIN(kLanes, n - i)));
  return sum_of(d, sum) / static_cast<float>(n);
}

struct RmsScale {
  float scale;
  float weight_offset;
  HWY_INLINE FloatVector operator()(FloatVector x, FloatVector w) const {
    const FloatTag d;
    return hn::Mul(hn::Mul(x, hn::Set(d, scale)), hn::Add(w, hn::Set(d, weight_offset)));
  }
};

struct LayerScale {
  float mean;
  RmsScale rms;
  HWY_INLINE FloatVector operator()(FloatVector x, FloatVector w) const {
    return rms(hn::Sub(x, hn::Set(FloatTag(), mean)), w);
  }
  HWY_INLINE FloatVector operator()(FloatVector x, FloatVector w, FloatVector bias) const {
    return hn::Add((*this)(x, w), bias);
  }
};

/// Two passes over a row that stays in L1: squares of differences from the mean lose no digits where the mean is large.
void norm_row(const NormShape& shape, const NormRule& rule, const float* x, const float* w, const float* bias,
              float* out) {
  const int n = shape.dim;
  const float mean = shape.kind == NormKind::kLayer ? mean_of(x, n) : 0.0f;
  const float variance = sum_of_squares(x, n, mean) / static_cast<float>(n);
  const RmsScale rms{1.0f / std::sqrt(variance + rule.eps), rule.weight_offset};
  if (shape.kind == NormKind::kRms && !bias)
    transform(n, rms, out, x, w);
  else if (!bias)
    transform(n, LayerScale{mean, rms}, out, x, w);
  else
    transform(n, LayerScale{mean, rms}, out, x, w, bias);
}

/// Rotates the pairs (head[i], head[i + half]) in place, a vector of pairs at a time.
void rope_head(float* head, int half, const float* cos, const float* sin) {
  const FloatTag d;
  for (int i = 0; i < half; i += kLanes) {
    const int n = HWY_MIN(kLanes, half - i);
    const FloatVector first = load_up_to(d, head + i, n), second = load_up_to(d, head + half + i, n);
    const FloatVector c = load_up_to(d, cos + i, n), s = load_up_to(d, sin + i, n);
    store_up_to(d, hn::NegMulAdd(second, s, hn::Mul(first, c)), head + i, n);
    store_up_to(d, hn::MulAdd(second, c, hn::Mul(first, s)), head + half + i, n);
  }
}

/// The same for the pairs (head[2i], head[2i + 1]).
void rope_head_neighbours(float* head, int half, const float* cos, const float* sin) {
  const FloatTag d;
  int i = 0;
  for (; i + kLanes <= half; i += kLanes) {
    FloatVector first, second;
    hn::LoadInterleaved2(d, head + 2 * i, first, second);
    const FloatVector c = load(d, cos + i), s = load(d, sin + i);
    hn::StoreInterleaved2(hn::NegMulAdd(second, s, hn::Mul(first, c)), hn::MulAdd(second, c, hn::Mul(first, s)), d,
                          head + 2 * i);
  }
  for (; i < half; ++i) {
    const float first = head[2 * i], second = head[2 * i + 1];
    head[2 * i] = first * cos[i] - second * sin[i];
    head[2 * i + 1] = second * cos[i] + first * sin[i];
  }
}

/// Largest value and its lowest index in each lane, then over the lanes. Comparisons with NaN are false.
int index_of_largest(const float* x, int n) {
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> di;
  FloatVector best = hn::Set(d, -std::numeric_limits<float>::infinity());
  auto best_index = hn::Zero(di);
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const FloatVector v = load(d, x + i);
    const auto greater = hn::Gt(v, best);
    best = hn::IfThenElse(greater, v, best);
    best_index = hn::IfThenElse(hn::RebindMask(di, greater), hn::Iota(di, i), best_index);
  }
  alignas(64) float values[kLanes];
  alignas(64) std::int32_t indices[kLanes];
  hn::Store(best, d, values);
  hn::Store(best_index, di, indices);
  float value = values[0];
  int index = indices[0];
  for (int lane = 1; lane < kLanes; ++lane)
    if (values[lane] > value || (values[lane] == value && indices[lane] < index)) {
      value = values[lane];
      index = indices[lane];
    }
  for (; i < n; ++i)
    if (x[i] > value) {
      value = x[i];
      index = i;
    }
  return index;
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cassert>

#include "core/base/overloaded.h"

namespace dachlast::kernels::cpu {

HWY_EXPORT(scale_f32);
HWY_EXPORT(scale_bf16);
HWY_EXPORT(add_f32);
HWY_EXPORT(add_bf16);
HWY_EXPORT(norm_row);
HWY_EXPORT(rope_head);
HWY_EXPORT(rope_head_neighbours);
HWY_EXPORT(index_of_largest);

namespace {

void scale(float factor, std::span<const float> in, float* out) {
  HWY_DYNAMIC_DISPATCH(scale_f32)(static_cast<int>(in.size()), factor, in.data(), out);
}
void scale(float factor, std::span<const BF16> in, float* out) {
  HWY_DYNAMIC_DISPATCH(scale_bf16)(static_cast<int>(in.size()), factor, in.data(), out);
}
void add(float* target, std::span<const float> addend) {
  HWY_DYNAMIC_DISPATCH(add_f32)(static_cast<int>(addend.size()), target, addend.data());
}
void add(float* target, std::span<const BF16> addend) {
  HWY_DYNAMIC_DISPATCH(add_bf16)(static_cast<int>(addend.size()), target, addend.data());
}

}  // namespace

void embed_simd(const EmbedShape& shape, const EmbedTables& tables, std::span<const std::int32_t> ids,
                std::span<const std::int32_t> position_rows, std::span<float> out, Slice tokens) {
  const std::size_t d_model = static_cast<std::size_t>(shape.d_model);
  for (int t = tokens.begin; t < tokens.end; ++t) {
    float* target = out.data() + t * d_model;
    const auto scale_row = [&](auto table) { scale(tables.scale, table.subspan(ids[t] * d_model, d_model), target); };
    const auto add_row = [&](auto table) {
      if (!table.empty()) add(target, table.subspan(position_rows[t] * d_model, d_model));
    };
    std::visit(Overloaded{scale_row,
                          [&](const PackedMatrix& table) {
                            const std::span<float> row(target, d_model);
                            unpack_row(table, ids[t], row);
                            scale(tables.scale, std::span<const float>(row), target);
                          }},
               tables.tokens);
    std::visit(Overloaded{add_row, [](const PackedMatrix&) { assert(!"position tables lie in rows"); }},
               tables.positions);
  }
}

void norm_simd(const NormShape& shape, const NormRule& rule, std::span<const float> x, int x_stride,
               std::span<const float> w, std::span<const float> bias, std::span<float> out, int out_stride,
               Slice rows) {
  for (int r = rows.begin; r < rows.end; ++r) HWY_DYNAMIC_DISPATCH(norm_row)
  (shape, rule, x.data() + std::size_t(r) * x_stride, w.data(), bias.empty() ? nullptr : bias.data(),
   out.data() + std::size_t(r) * out_stride);
}

void rope_simd(const RopeShape& shape, std::span<float> qkv, int stride, std::span<const float> cos,
               std::span<const float> sin, Slice tokens) {
  const int half = shape.rotary_dim / 2;
  for (int t = tokens.begin; t < tokens.end; ++t)
    for (int h = 0; h < shape.n_heads; ++h) {
      float* head = qkv.data() + std::size_t(t) * stride + std::size_t(h) * shape.head_dim;
      const float* c = cos.data() + std::size_t(t) * half;
      const float* s = sin.data() + std::size_t(t) * half;
      if (shape.pairs == RopePairs::kHalves)
        HWY_DYNAMIC_DISPATCH(rope_head)(head, half, c, s);
      else
        HWY_DYNAMIC_DISPATCH(rope_head_neighbours)(head, half, c, s);
    }
}

void residual_simd(const ResidualShape& shape, std::span<float> residual, std::span<const float> branch, Slice tokens) {
  const std::size_t d_model = static_cast<std::size_t>(shape.d_model);
  for (int t = tokens.begin; t < tokens.end; ++t)
    add(residual.data() + t * d_model, branch.subspan(t * d_model, d_model));
}

void sample_simd(const SampleShape& shape, std::span<const float> logits, std::span<std::int32_t> next_ids,
                 Slice rows) {
  for (int r = rows.begin; r < rows.end; ++r)
    next_ids[r] =
        HWY_DYNAMIC_DISPATCH(index_of_largest)(logits.data() + std::size_t(r) * shape.vocab_size, shape.vocab_size);
}

}  // namespace dachlast::kernels::cpu
#endif
