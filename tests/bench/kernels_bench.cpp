// Rates of every kernel variant on one thread, beside the counted work and traffic: compare them with the roofs that
// `dachlast calibrate` measures. Sizes are those of Llama 3.2 1B and GPT-2. Attention is in attention_bench.cpp.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kernels/elementwise.h"
#include "kernels/linear.h"

namespace dachlast::kernels {
namespace {

/// Operands rotate through at least this much memory, several times a last-level cache, so that each call reads them
/// from DRAM as a model's layers would.
constexpr std::size_t kRotationBytes = std::size_t{256} << 20;

void count(benchmark::State& state, const OpCost& cost) {
  using benchmark::Counter;
  const auto n = static_cast<double>(state.iterations());
  state.counters["FLOP/s"] = Counter(cost.flops.value * n, Counter::kIsRate);
  state.counters["B/s"] = Counter(cost.bytes().value * n, Counter::kIsRate);
}

template <class T>
T element(float value) {
  if constexpr (std::is_same_v<T, float>)
    return value;
  else
    return to_bf16(value);
}

/// Small values of both signs; the same number everywhere would let a CPU clock higher than real data does.
template <class T>
std::vector<T> values(std::size_t n) {
  std::vector<T> result(n);
  std::uint32_t state = 1;
  for (T& value : result) {
    state = state * 1664525u + 1013904223u;
    value = element<T>(static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-32f);
  }
  return result;
}

template <class T>
void linear(benchmark::State& state, const LinearVariant& variant, const LinearShape& s) {
  const std::size_t matrix = std::size_t(s.n) * s.k;
  const std::size_t copies = std::max<std::size_t>(1, kRotationBytes / (matrix * sizeof(T)));
  const std::vector<T> w = values<T>(matrix * copies);
  const std::vector<float> x = values<float>(std::size_t(s.m) * s.k);
  std::vector<float> y(std::size_t(s.m) * s.n);
  std::size_t turn = 0;
  for (auto _ : state) {
    const std::span<const T> weights = std::span(w).subspan(turn++ % copies * matrix, matrix);
    variant.run(s, x, weights, {}, y, {0, s.n});
    benchmark::ClobberMemory();
  }
  count(state, linear_cost(s));
}

void register_linear(const LinearVariant& variant, const LinearShape& s) {
  if (!variant.supported() || !variant.takes(s.weight_dtype)) return;
  const auto name = fmt::format("linear/{}/{}/{}x{}x{}", variant.name, name_of(s.weight_dtype), s.m, s.n, s.k);
  auto* run = s.weight_dtype == DType::kF32 ? linear<float> : linear<BF16>;
  benchmark::RegisterBenchmark(name.c_str(), run, variant, s)->Unit(benchmark::kMicrosecond);
}

void norm(benchmark::State& state, const Variant<Norm>& variant, const NormShape& s) {
  const std::vector<float> x = values<float>(std::size_t(s.n_rows) * s.dim), w = values<float>(s.dim);
  const std::vector<float> bias = s.kind == NormKind::kLayer ? w : std::vector<float>();
  std::vector<float> out(x.size());
  for (auto _ : state) {
    variant.run(s, {1e-5f, 0.0f}, x, s.dim, w, bias, out, s.dim, {0, s.n_rows});
    benchmark::ClobberMemory();
  }
  count(state, norm_cost(s));
}

void register_norm(const Variant<Norm>& variant, const NormShape& s) {
  const auto name =
      fmt::format("norm/{}/{}/{}x{}", variant.name, s.kind == NormKind::kRms ? "rms" : "layer", s.n_rows, s.dim);
  benchmark::RegisterBenchmark(name.c_str(), norm, variant, s)->Unit(benchmark::kMicrosecond);
}

void activate(benchmark::State& state, const Variant<Activate>& variant, Activation activation) {
  const ActivationShape s{64, 8192, Gate::kGated};
  const std::vector<float> in = values<float>(std::size_t(s.n_tokens) * s.d_ff * 2);
  std::vector<float> out(std::size_t(s.n_tokens) * s.d_ff);
  for (auto _ : state) {
    variant.run(s, activation, in, out, {0, s.n_tokens});
    benchmark::ClobberMemory();
  }
  count(state, activation_cost(s));
}

void sample(benchmark::State& state, const Variant<Sample>& variant) {
  const SampleShape s{1, 128256};
  const std::vector<float> logits = values<float>(s.vocab_size);
  std::int32_t id = 0;
  for (auto _ : state) {
    variant.run(s, logits, {&id, 1}, {0, 1});
    benchmark::ClobberMemory();
  }
  count(state, sample_cost(s));
}

void register_cheap_operations() {
  for (const auto& variant : norm_variants())
    for (const int n_rows : {1, 512})
      for (const NormKind kind : {NormKind::kRms, NormKind::kLayer}) register_norm(variant, {n_rows, 2048, kind});
  for (const auto& variant : activate_variants())
    for (const auto& [name, activation] : {std::pair{"silu", Activation::kSilu},
                                           {"gelu_tanh", Activation::kGeluTanh},
                                           {"gelu_erf", Activation::kGeluErf}})
      benchmark::RegisterBenchmark(fmt::format("activate/{}/{}", variant.name, name).c_str(), activate, variant,
                                   activation)
          ->Unit(benchmark::kMicrosecond);
  for (const auto& variant : sample_variants())
    benchmark::RegisterBenchmark(fmt::format("sample/{}", variant.name).c_str(), sample, variant)
        ->Unit(benchmark::kMicrosecond);
}

const bool kRegistered = [] {
  for (const LinearVariant& variant : linear_variants())
    for (const DType weights : {DType::kF32, DType::kBF16})
      for (const int m : {1, 2, 4, 8, 16, 512}) register_linear(variant, {m, 2048, 2048, weights});
  register_cheap_operations();
  return true;
}();

}  // namespace
}  // namespace dachlast::kernels
