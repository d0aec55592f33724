#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/activate_simd.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/elementwise_cpu.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

struct Silu {
  HWY_INLINE FloatVector operator()(FloatVector x) const { return hn::Mul(x, sigmoid(x)); }
};

/// 0.5 · x · (1 + tanh(u)) = x · sigmoid(2 · u), u = sqrt(2 / π) · (x + 0.044715 · x³).
struct GeluTanh {
  HWY_INLINE FloatVector operator()(FloatVector x) const {
    const FloatTag d;
    const FloatVector inner = hn::MulAdd(hn::Mul(hn::Mul(x, x), x), hn::Set(d, 0.044715f), x);
    return hn::Mul(x, sigmoid(hn::Mul(inner, hn::Set(d, 1.5957691216f))));
  }
};

/// x · Φ(x) = max(x, 0) − |x| · Φ(−|x|).
struct GeluErf {
  HWY_INLINE FloatVector operator()(FloatVector x) const {
    const FloatTag d;
    const FloatVector positive = hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), x);
    return hn::NegMulAdd(hn::Abs(x), normal_tail(hn::Abs(x)), positive);
  }
};

struct Relu {
  HWY_INLINE FloatVector operator()(FloatVector x) const {
    return hn::IfThenElseZero(hn::Gt(x, hn::Zero(FloatTag())), x);
  }
};

/// Primer, arXiv:2109.08668, section 4.1; Nemotron.
struct ReluSquared {
  HWY_INLINE FloatVector operator()(FloatVector x) const {
    const FloatVector positive = Relu()(x);
    return hn::Mul(positive, positive);
  }
};

template <class Function>
struct TimesUp {
  HWY_INLINE FloatVector operator()(FloatVector gate, FloatVector up) const { return hn::Mul(Function()(gate), up); }
};

template <class Function>
void activate_rows(const ActivationShape& shape, const float* in, float* out, Slice tokens) {
  const std::size_t d_ff = static_cast<std::size_t>(shape.d_ff);
  for (int t = tokens.begin; t < tokens.end; ++t) {
    if (shape.gate == Gate::kGated) {
      const float* gate = in + 2 * d_ff * t;
      transform(shape.d_ff, TimesUp<Function>(), out + d_ff * t, gate, gate + d_ff);
    } else {
      transform(shape.d_ff, Function(), out + d_ff * t, in + d_ff * t);
    }
  }
}

void activate(const ActivationShape& shape, Activation activation, const float* in, float* out, Slice tokens) {
  switch (activation) {
    case Activation::kSilu: return activate_rows<Silu>(shape, in, out, tokens);
    case Activation::kGeluTanh: return activate_rows<GeluTanh>(shape, in, out, tokens);
    case Activation::kGeluErf: return activate_rows<GeluErf>(shape, in, out, tokens);
    case Activation::kRelu: return activate_rows<Relu>(shape, in, out, tokens);
    case Activation::kReluSquared: return activate_rows<ReluSquared>(shape, in, out, tokens);
  }
}

struct Softcap {
  float cap;
  HWY_INLINE FloatVector operator()(FloatVector x) const { return softcapped(x, cap); }
};

void softcap_values(float* logits, int n, float cap) {
  transform(n, Softcap{cap}, logits, logits);
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dachlast::kernels::cpu {

HWY_EXPORT(activate);
HWY_EXPORT(softcap_values);

void activate_simd(const ActivationShape& shape, Activation activation, std::span<const float> in, std::span<float> out,
                   Slice tokens) {
  HWY_DYNAMIC_DISPATCH(activate)(shape, activation, in.data(), out.data(), tokens);
}

void softcap_simd(std::span<float> logits, float cap) {
  HWY_DYNAMIC_DISPATCH(softcap_values)(logits.data(), static_cast<int>(logits.size()), cap);
}

}  // namespace dachlast::kernels::cpu
#endif
