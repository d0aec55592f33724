// The up projection of latent attention against the double reference of the CPU's, and against its cost.
#include "kernels/cuda/latent.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/half.h"
#include "tests/kernels/cuda/device_memory.h"

namespace dachlast::kernels::cuda {
namespace {

using testing::DeviceArray;
using testing::expect_traffic;

class CudaLatent : public testing::CudaTest {};

// Widths beside whole warps and blocks; the last as a head of DeepSeek V2 Lite.
constexpr LatentHeads kSizes[] = {{3, 10, 6, 7, 19}, {2, 5, 2, 1, 133}, {1, 1, 4, 9, 1}, {1, 128, 64, 128, 512}};

std::size_t count(int a, int b, int c) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c);
}

/// Between −2 and 2, no two neighbours alike.
std::vector<float> numbers(std::size_t n, std::uint32_t seed) {
  std::vector<float> values(n);
  for (float& value : values) {
    seed = seed * 1664525U + 1013904223U;  // Numerical Recipes' generator
    value = static_cast<float>(seed >> 16U) / 16384.0f - 2.0f;
  }
  return values;
}

std::vector<BF16> rounded(const std::vector<float>& values) {
  std::vector<BF16> halves;
  for (const float value : values) halves.push_back(to_bf16(value));
  return halves;
}

/// Sums of n products of factors up to 2, each rounded.
double tolerance(int n) {
  return 0x1p-23 * 4.0 * n * std::sqrt(n);
}

/// Of the kernel at hand and of the reference, which is the last of its list.
template <class Variants, class Queue, class T>
void expect_reference(const Variants& variants, Queue* queue, const LatentHeads& s, int n_tokens, int in_dim,
                      int out_dim, const std::vector<T>& w, const HeadLinearShape& shape) {
  const std::vector<float> in = numbers(count(n_tokens, s.n_heads, in_dim), 3);
  std::vector<float> expected(count(n_tokens, s.n_heads, out_dim));
  variants.back().run(s, n_tokens, in, std::span<const T>(w), expected, {0, s.n_heads});
  const DeviceArray<float> device_in(in);
  const DeviceArray<T> device_w(w);
  DeviceArray<float> out(expected.size());
  // A call uses one half of W, keys or values: that is all the cost counts.
  expect_traffic(head_linear_cost(shape), out.span().size_bytes(),
                 [&] { queue(s, n_tokens, device_in.span(), device_w.span(), out.span(), nullptr); });
  const std::vector<float> found = out.host();
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], tolerance(shape.k)) << n_tokens << " tokens, element " << i;
}

template <class T>
void expect_both(const LatentHeads& s, int n_tokens, const std::vector<T>& w, DType type) {
  expect_reference(absorb_queries_variants(), absorb_queries, s, n_tokens, s.query_dim(), s.row_dim(), w,
                   {n_tokens, s.n_heads, s.latent_dim, s.key_dim, type, s.rotary_dim});
  expect_reference(raise_values_variants(), raise_values, s, n_tokens, s.latent_dim, s.value_dim, w,
                   {n_tokens, s.n_heads, s.value_dim, s.latent_dim, type});
}

TEST_F(CudaLatent, MatchesTheReferenceAndItsCost) {
  for (const LatentHeads& s : kSizes)
    for (const int n_tokens : {1, 8, 11}) {
      const std::vector<float> w = numbers(count(s.n_heads, s.key_dim + s.value_dim, s.latent_dim), 5);
      expect_both(s, n_tokens, w, DType::kF32);
      expect_both(s, n_tokens, rounded(w), DType::kBF16);
    }
}

TEST_F(CudaLatent, NoTokensAreNoWork) {
  const DeviceArray<float> w(numbers(17 * 19, 5));
  absorb_queries({1, 10, 6, 7, 19}, 0, {}, w.span(), {}, nullptr);
  raise_values({1, 10, 6, 7, 19}, 0, {}, w.span(), {}, nullptr);
}

}  // namespace
}  // namespace dachlast::kernels::cuda
