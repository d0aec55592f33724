#include "kernels/cuda/elementwise.h"

#include <fmt/format.h>

#include <cmath>

#include "tests/kernels/cuda/device_memory.h"
#include "tests/kernels/test_data.h"

namespace dachlast::kernels::cuda {
namespace {

using kernels::testing::Guarded;
using kernels::testing::kEpsilon;
using kernels::testing::kNan;
using kernels::testing::skewed;
using testing::DeviceArray;
using testing::expect_traffic;

class CudaElementwise : public testing::CudaTest {};

/// Around a warp and a block, and odd ones.
constexpr int kWidths[] = {1, 2, 5, 31, 32, 33, 100, 257, 1000};
constexpr int kRows = 5;

std::vector<float> values(std::size_t n, std::uint32_t seed) {
  const Guarded<float> all = skewed<float>(n, seed);
  return {all.span().begin(), all.span().end()};
}

// ---- norm

struct NormCase {
  NormKind kind;
  bool bias;
  float weight_offset;
  float mean_shift;
};
constexpr NormCase kNormCases[] = {{NormKind::kRms, false, 0.0f, 0.0f},
                                   {NormKind::kRms, false, 1.0f, 0.0f},
                                   {NormKind::kLayer, true, 0.0f, 0.0f},
                                   {NormKind::kLayer, false, 0.0f, 300.0f}};

std::vector<float> expected_norm(const NormCase& c, const NormShape& shape, const std::vector<float>& x, int stride,
                                 const std::vector<float>& w, const std::vector<float>& bias) {
  std::vector<float> out(static_cast<std::size_t>(shape.n_rows) * shape.dim);
  first_supported(norm_variants(), "reference")
      .run(shape, {1e-3f, c.weight_offset}, x, stride, w, bias, out, shape.dim, {0, shape.n_rows});
  return out;
}

void expect_norm(const NormCase& c, int dim) {
  const NormShape shape{kRows, dim, c.kind};
  const int stride = dim + 3;
  std::vector<float> x(static_cast<std::size_t>(kRows) * stride, kNan);
  const std::vector<float> rows = values(static_cast<std::size_t>(kRows) * dim, 4);
  for (int r = 0; r < kRows; ++r)
    for (int i = 0; i < dim; ++i) x[r * stride + i] = rows[r * dim + i] + c.mean_shift;
  const std::vector<float> w = values(dim, 5), bias = values(c.bias ? dim : 0, 6);
  const DeviceArray<float> device_x(x), device_w(w), device_bias(bias);
  DeviceArray<float> out(static_cast<std::size_t>(kRows) * dim);
  OpCost cost = norm_cost(shape);
  if (c.kind == NormKind::kLayer && !c.bias) cost.weight_bytes = Bytes{1.0 * dim * sizeof(float)};
  expect_traffic(cost, static_cast<std::size_t>(kRows) * dim * sizeof(float), [&] {
    norm(shape, {1e-3f, c.weight_offset}, device_x.span(), stride, device_w.span(), device_bias.span(), out.span(), dim,
         nullptr);
  });
  const std::vector<float> expected = expected_norm(c, shape, x, stride, w, bias), found = out.host();
  for (std::size_t i = 0; i < found.size(); ++i) {
    // As on the CPU: x carries a rounding of its own size, divided by the deviation that the row is scaled by.
    const double tolerance = kEpsilon * (16.0 + 40.0 * c.mean_shift) * (1.0 + std::abs(expected[i]));
    ASSERT_NEAR(found[i], expected[i], tolerance) << "dim " << dim << ", element " << i;
  }
}

TEST_F(CudaElementwise, NormsOfEveryKindAndWidth) {
  for (const NormCase& c : kNormCases)
    for (const int dim : kWidths) expect_norm(c, dim);
  testing::reverse_schedule();
  expect_norm(kNormCases[2], 100);
}

TEST_F(CudaElementwise, AddNormAddsAndNormsInOnePass) {
  for (const int dim : kWidths) {
    const NormShape shape{kRows, dim, NormKind::kRms};
    const std::size_t n = static_cast<std::size_t>(kRows) * dim;
    const std::vector<float> before = values(n, 1), branch = values(n, 2), w = values(dim, 3);
    std::vector<float> sum(n);
    for (std::size_t i = 0; i < n; ++i) sum[i] = branch[i] + before[i];
    DeviceArray<float> residual(before), out(n);
    const DeviceArray<float> device_branch(branch), device_w(w);
    expect_traffic(add_norm_cost(shape), 2 * n * sizeof(float), [&] {
      add_norm(shape, {1e-3f, 0.0f}, residual.span(), device_branch.span(), device_w.span(), {}, out.span(), nullptr);
    });
    EXPECT_EQ(residual.host(), sum);
    const std::vector<float> expected = expected_norm(kNormCases[0], shape, sum, dim, w, {}), found = out.host();
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_NEAR(found[i], expected[i], 16.0 * kEpsilon * (1.0 + std::abs(expected[i]))) << dim;
  }
}

// ---- embed

template <class T>
std::vector<T> table(std::size_t n, std::uint32_t seed) {
  const Guarded<T> all = skewed<T>(n, seed);
  return {all.span().begin(), all.span().end()};
}

struct EmbedInputs {
  std::vector<std::int32_t> ids = {6, 0, 3, 2, 1};  // distinct: each row is read once
  std::vector<std::int32_t> rows = {2, 3, 8, 0, 5};
};

template <class Run>
void expect_embeds(const EmbedShape& shape, const EmbedTables& host, const Run& run) {
  const EmbedInputs in;
  std::vector<float> expected(static_cast<std::size_t>(kRows) * shape.d_model);
  const std::span<const std::int32_t> rows =
      shape.n_tables == 2 ? std::span<const std::int32_t>(in.rows) : std::span<const std::int32_t>{};
  first_supported(embed_variants(), "reference").run(shape, host, in.ids, rows, expected, {0, kRows});
  const DeviceArray<std::int32_t> ids(in.ids), position_rows(rows);
  DeviceArray<float> out(expected.size());
  expect_traffic(embed_cost(shape), expected.size() * sizeof(float),
                 [&] { run(ids.span(), position_rows.span(), out.span()); });
  const std::vector<float> found = out.host();
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], 2.0 * kEpsilon * (1.0 + std::abs(expected[i]))) << shape.d_model << ", " << i;
}

template <class T>
void expect_plain_embeds(DType dtype, int d_model, int n_tables) {
  const std::vector<T> tokens = table<T>(std::size_t(7) * d_model, 1),
                       positions = table<T>(std::size_t(9) * d_model, 2);
  const DeviceArray<T> device_tokens(tokens), device_positions(positions);
  const auto tables = [&](std::span<const T> t, std::span<const T> p) {
    return EmbedTables{t, n_tables == 2 ? p : std::span<const T>{}, 1.5f};
  };
  const EmbedShape shape{kRows, d_model, dtype, n_tables};
  expect_embeds(shape, tables(tokens, positions), [&](auto ids, auto rows, auto out) {
    embed(shape, tables(device_tokens.span(), device_positions.span()), ids, rows, out, nullptr);
  });
}

TEST_F(CudaElementwise, EmbedGathersScalesAndAddsPositions) {
  for (const int d_model : kWidths)
    for (const int n_tables : {1, 2}) {
      expect_plain_embeds<float>(DType::kF32, d_model, n_tables);
      expect_plain_embeds<BF16>(DType::kBF16, d_model, n_tables);
    }
}

TEST_F(CudaElementwise, EmbedReadsPanelsOfEveryType) {
  for (const WeightType type : {WeightType(DType::kBF16), kInt8Rows, kInt8Groups32, kInt4Groups32, kInt4Groups128})
    for (const int d_model : {1, 32, 100, 257}) {
      const std::vector<float> rows = values(std::size_t(7) * d_model, 3);
      std::vector<std::byte> bytes(PanelLayout(type, d_model).panel_bytes());
      pack_panel(type, d_model, rows, bytes);
      const DeviceArray<std::byte> device_bytes(bytes);
      const auto tables = [&](std::span<const std::byte> b) {
        return EmbedTables{PackedMatrix{type, 7, d_model, b}, std::span<const float>{}, 0.5f};
      };
      const EmbedShape shape{kRows, d_model, type, 1};
      const EmbedInputs in;
      std::vector<float> expected(static_cast<std::size_t>(kRows) * d_model);
      first_supported(embed_variants(), "reference").run(shape, tables(bytes), in.ids, {}, expected, {0, kRows});
      const DeviceArray<std::int32_t> ids(in.ids);
      DeviceArray<float> out(expected.size());
      embed(shape, tables(device_bytes.span()), ids.span(), {}, out.span(), nullptr);
      EXPECT_EQ(out.host(), expected) << name_of(type) << ", " << d_model;
    }
}

// ---- rope

TEST_F(CudaElementwise, RopeRotatesInPlaceAndNothingElse) {
  for (const int head_dim : {2, 6, 64, 66})
    for (const int rotary_dim : {2, head_dim}) {
      const RopeShape shape{kRows, 3, head_dim, rotary_dim};
      const int stride = 3 * head_dim + 5;
      const std::vector<float> qkv = values(static_cast<std::size_t>(kRows) * stride, 7);
      const std::vector<float> cos = values(static_cast<std::size_t>(kRows) * rotary_dim / 2, 8);
      const std::vector<float> sin = values(cos.size(), 9);
      std::vector<float> expected = qkv;
      first_supported(rope_variants(), "reference").run(shape, expected, stride, cos, sin, {0, kRows});
      DeviceArray<float> device_qkv(qkv);
      const DeviceArray<float> device_cos(cos), device_sin(sin);
      expect_traffic(rope_cost(shape), std::size_t(kRows) * 3 * rotary_dim * sizeof(float),
                     [&] { rope(shape, device_qkv.span(), stride, device_cos.span(), device_sin.span(), nullptr); });
      const std::vector<float> found = device_qkv.host();
      for (std::size_t i = 0; i < found.size(); ++i)
        ASSERT_NEAR(found[i], expected[i], 4.0 * kEpsilon * 8.0)
            << head_dim << ", " << rotary_dim;  // |x · c| <= 4, twice
    }
}

// ---- activation, residual

TEST_F(CudaElementwise, ActivationsWithAndWithoutGate) {
  for (const Activation activation :
       {Activation::kSilu, Activation::kGeluTanh, Activation::kGeluErf, Activation::kRelu, Activation::kReluSquared})
    for (const Gate gate : {Gate::kNone, Gate::kGated})
      for (const int d_ff : {1, 33, 257}) {
        const ActivationShape shape{kRows, d_ff, gate};
        std::vector<float> in = values(std::size_t(kRows) * d_ff * (gate == Gate::kGated ? 2 : 1), 10);
        for (float& x : in) x *= 6.0f;  // far enough out for every branch
        std::vector<float> expected(static_cast<std::size_t>(kRows) * d_ff);
        first_supported(activate_variants(), "reference").run(shape, activation, in, expected, {0, kRows});
        const DeviceArray<float> device_in(in);
        DeviceArray<float> out(expected.size());
        expect_traffic(activation_cost(shape), expected.size() * sizeof(float),
                       [&] { activate(shape, activation, device_in.span(), out.span(), nullptr); });
        const std::vector<float> found = out.host();
        for (std::size_t i = 0; i < found.size();
             ++i)  // |gate| < 12: tanh and erf near −1 lose digits of x, not of the result
          ASSERT_NEAR(found[i], expected[i], 16.0 * kEpsilon * (12.0 + std::abs(expected[i]))) << d_ff << ", " << i;
      }
}

TEST_F(CudaElementwise, ResidualAdds) {
  for (const int d_model : kWidths) {
    const ResidualShape shape{kRows, d_model};
    const std::vector<float> before = values(std::size_t(kRows) * d_model, 11);
    const std::vector<float> branch = values(before.size(), 12);
    DeviceArray<float> device_residual(before);
    const DeviceArray<float> device_branch(branch);
    expect_traffic(residual_cost(shape), before.size() * sizeof(float),
                   [&] { residual(shape, device_residual.span(), device_branch.span(), nullptr); });
    const std::vector<float> found = device_residual.host();
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], before[i] + branch[i]);
  }
}

TEST_F(CudaElementwise, EmptyOperationsQueueNothing) {
  norm({0, 4, NormKind::kRms}, {}, {}, 4, {}, {}, {}, 4, nullptr);
  embed({0, 4, DType::kF32, 1}, {}, {}, {}, {}, nullptr);
  rope({0, 2, 4, 4}, {}, 8, {}, {}, nullptr);
  activate({0, 4, Gate::kNone}, Activation::kSilu, {}, {}, nullptr);
  residual({0, 4}, {}, {}, nullptr);
  sample({0, 4}, {}, {}, nullptr);
  sample_softmax({0, 4}, 1.0f, {}, {}, {}, nullptr);
}

// ---- sample

std::vector<std::int32_t> sampled(const std::vector<float>& logits, int n_rows) {
  const SampleShape shape{n_rows, static_cast<int>(logits.size()) / n_rows};
  const DeviceArray<float> device_logits(logits);
  DeviceArray<std::int32_t> ids(static_cast<std::size_t>(n_rows));
  expect_traffic(sample_cost(shape), std::size_t(n_rows) * sizeof(std::int32_t),
                 [&] { sample(shape, device_logits.span(), ids.span(), nullptr); });
  return ids.host();
}

TEST_F(CudaElementwise, SampleTakesTheLargestWhereverItStands) {
  for (const int vocab_size : {1, 2, 33, 1025, 3000}) {
    std::vector<float> logits = values(std::size_t(3) * vocab_size, 17);
    const std::vector<std::int32_t> places = {0, vocab_size / 2, vocab_size - 1};
    for (int r = 0; r < 3; ++r) logits[r * vocab_size + places[r]] = 5.0f;  // all others are below 2
    EXPECT_EQ(sampled(logits, 3), places) << vocab_size;
  }
}

TEST_F(CudaElementwise, SampleLowestIndexWinsATieAndNanNever) {
  std::vector<float> logits(2000, -1.0f);
  logits[20] = logits[21] = logits[1044] = logits[1999] = 3.0f;  // 1044 is the same thread's as 20
  logits[0] = logits[19] = logits[1500] = kNan;
  EXPECT_EQ(sampled(logits, 1)[0], 20);
  EXPECT_EQ(sampled(std::vector<float>(50, 0.25f), 1)[0], 0);
  EXPECT_EQ(sampled(std::vector<float>(50, kNan), 1)[0], 0);
}

/// The interval of random numbers that choose `id`, widened by what sums in float may be off by.
void expect_drawn(const float* row, int vocab_size, double temperature, double uniform, std::int32_t id) {
  double largest = -INFINITY, total = 0.0, before = 0.0;
  for (int i = 0; i < vocab_size; ++i) largest = std::fmax(largest, row[i]);
  const auto weight = [&](int i) { return std::isnan(row[i]) ? 0.0 : std::exp((row[i] - largest) / temperature); };
  for (int i = 0; i < vocab_size; ++i) total += weight(i);
  for (int i = 0; i < id; ++i) before += weight(i);
  const double slack = 1e-5;  // of the total: 3000 roundings of 2^-24 would be 1.8e-4 if they all had one sign
  EXPECT_GE(uniform, before / total - slack) << id;
  EXPECT_LE(uniform, (before + weight(id)) / total + slack) << id;
  EXPECT_GT(weight(id), 0.0) << id;
}

TEST_F(CudaElementwise, SoftmaxSampleInvertsTheDistribution) {
  for (const int vocab_size : {1, 2, 40, 1025, 3000})
    for (const float temperature : {0.3f, 1.0f}) {
      const std::vector<float> uniforms = {0.0f, 0.1f, 0.5f, 0.77f, 0x1.fffffep-1f};
      const SampleShape shape{static_cast<int>(uniforms.size()), vocab_size};
      std::vector<float> logits = values(uniforms.size() * vocab_size, 18);
      if (vocab_size > 2) logits[0] = logits[vocab_size + 1] = kNan;
      const DeviceArray<float> device_logits(logits), device_uniforms(uniforms);
      DeviceArray<std::int32_t> ids(uniforms.size());
      expect_traffic(sample_softmax_cost(shape), uniforms.size() * sizeof(std::int32_t), [&] {
        sample_softmax(shape, temperature, device_logits.span(), device_uniforms.span(), ids.span(), nullptr);
      });
      const std::vector<std::int32_t> found = ids.host();
      for (std::size_t r = 0; r < found.size(); ++r)
        expect_drawn(&logits[r * vocab_size], vocab_size, temperature, uniforms[r], found[r]);
    }
}

std::int32_t drawn(const std::vector<float>& logits, float temperature, float uniform) {
  const DeviceArray<float> device_logits(logits), uniforms(std::vector<float>{uniform});
  DeviceArray<std::int32_t> ids(1);
  sample_softmax({1, static_cast<int>(logits.size())}, temperature, device_logits.span(), uniforms.span(), ids.span(),
                 nullptr);
  return ids.host()[0];
}

TEST_F(CudaElementwise, SoftmaxSampleOfExtremesIsTheLargest) {
  std::vector<float> logits(2000, -1.0f);
  logits[1500] = 4.0f;
  EXPECT_EQ(drawn(logits, 0.0f, 0.9f), 1500);  // no temperature: no choice
  logits[700] = INFINITY;
  EXPECT_EQ(drawn(logits, 1.0f, 0.9f), 700);
}

TEST_F(CudaElementwise, SoftmaxSampleOfNothingIsZero) {
  const DeviceArray<float> logits(std::vector<float>(70, kNan)), uniforms(std::vector<float>{0.5f});
  DeviceArray<std::int32_t> ids(1);
  sample_softmax({1, 70}, 1.0f, logits.span(), uniforms.span(), ids.span(), nullptr);
  EXPECT_EQ(ids.host()[0], 0);
}

}  // namespace
}  // namespace dachlast::kernels::cuda
