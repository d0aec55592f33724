#include "kernels/cuda/step_ops.h"

#include <cmath>

#include "kernels/cuda/elementwise.h"
#include "tests/kernels/cuda/device_memory.h"
#include "tests/kernels/test_data.h"

namespace dachlast::kernels::cuda {
namespace {

using kernels::testing::kEpsilon;
using kernels::testing::kNan;
using kernels::testing::skewed;
using testing::DeviceArray;

class CudaStepOps : public testing::CudaTest {};

std::vector<float> values(std::size_t n, std::uint32_t seed) {
  const auto all = skewed<float>(n, seed);
  return {all.span().begin(), all.span().end()};
}

/// What an operation may read and write, to the byte.
template <class Run>
void expect_moves(std::size_t read_bytes, std::size_t written_bytes, const Run& run) {
  testing::start_counting();
  run();
  const auto moved = testing::counted();
  if (!moved) return;
  EXPECT_EQ(moved->read, read_bytes);
  EXPECT_EQ(moved->written, written_bytes);
}

TEST_F(CudaStepOps, GathersRowsInTheOrderNamed) {
  for (const int width : {1, 31, 257, 1000}) {
    const std::vector<std::int32_t> rows{4, 0, 2};
    const std::vector<float> in = values(static_cast<std::size_t>(5 * width), 1);
    const DeviceArray<std::int32_t> device_rows(rows);
    const DeviceArray<float> device_in(in);
    const std::size_t n = rows.size() * static_cast<std::size_t>(width);
    DeviceArray<float> out(n);
    expect_moves(4 * n + 4 * rows.size(), 4 * n,
                 [&] { gather_rows(device_rows.span(), width, device_in.span(), out.span(), nullptr); });
    const std::vector<float> found = out.host();
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_EQ(found[i], in[static_cast<std::size_t>(rows[i / width] * width) + i % width]);
  }
}

TEST_F(CudaStepOps, AddsABiasToEveryRow) {
  constexpr int kRows = 3;
  for (const int width : {1, 33, 700}) {
    const std::vector<float> bias = values(static_cast<std::size_t>(width), 2), y = values(kRows * bias.size(), 3);
    const DeviceArray<float> device_bias(bias);
    DeviceArray<float> device_y(y);
    expect_moves(4 * (y.size() + bias.size()), 4 * y.size(),
                 [&] { add_bias(kRows, device_bias.span(), device_y.span(), nullptr); });
    const std::vector<float> found = device_y.host();
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(found[i], y[i] + bias[i % bias.size()]);
  }
}

TEST_F(CudaStepOps, CapsLogits) {
  const std::vector<float> x = values(1000, 4);
  DeviceArray<float> logits(x);
  expect_moves(4 * x.size(), 4 * x.size(), [&] { softcap(logits.span(), 2.5f, nullptr); });
  const std::vector<float> found = logits.host();
  for (std::size_t i = 0; i < x.size(); ++i)
    ASSERT_NEAR(found[i], 2.5 * std::tanh(x[i] / 2.5), 8.0 * kEpsilon * 2.5) << i;
}

TEST_F(CudaStepOps, RoundsToNearestEven) {
  std::vector<float> x = values(500, 5);
  x.insert(x.end(), {kNan, INFINITY, -0.0f, 1.00390625f, 1.01171875f});  // the last two lie halfway
  const DeviceArray<float> in(x);
  DeviceArray<BF16> out(x.size());
  expect_moves(4 * x.size(), 2 * x.size(), [&] { round_to_bf16(in.span(), out.span(), nullptr); });
  const std::vector<BF16> found = out.host();
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(found[i].bits, to_bf16(x[i]).bits) << i;
}

TEST_F(CudaStepOps, UnpacksPanelsOfEveryType) {
  for (const WeightType type : {WeightType(DType::kBF16), kInt8Rows, weight_type_from_name("int8:32").value(),
                                weight_type_from_name("int4:32").value(), weight_type_from_name("int4:128").value()})
    for (const int columns : {7, 64, 300}) {
      constexpr int kPanels = 3, kRows = kPanels * kPanelRows - 5;
      const std::size_t panel_bytes = PanelLayout(type, columns).panel_bytes();
      const std::vector<float> rows = values(static_cast<std::size_t>(kRows * columns), 6);
      std::vector<std::byte> bytes(kPanels * panel_bytes);
      for (int p = 0; p < kPanels; ++p) {
        const auto first = static_cast<std::size_t>(p * kPanelRows * columns);
        const std::size_t n = std::min<std::size_t>(kPanelRows * columns, rows.size() - first);
        pack_panel(type, columns, std::span(rows).subspan(first, n),
                   std::span(bytes).subspan(static_cast<std::size_t>(p) * panel_bytes, panel_bytes));
      }
      const PackedMatrix host{type, kRows, columns, bytes};
      const DeviceArray<std::byte> device_bytes(bytes);
      // From the second panel on, whose last row is the matrix's.
      constexpr int kUnpacked = kRows - kPanelRows;
      DeviceArray<BF16> out(static_cast<std::size_t>(kUnpacked * columns));
      unpack_panels({type, kRows, columns, device_bytes.span()}, 1, out.span(), nullptr);
      const std::vector<BF16> found = out.host();
      std::vector<float> expected(static_cast<std::size_t>(columns));
      for (int r = 0; r < kUnpacked; ++r) {
        unpack_row(host, kPanelRows + r, expected);
        for (int c = 0; c < columns; ++c)
          ASSERT_EQ(found[static_cast<std::size_t>(r * columns + c)].bits,
                    to_bf16(expected[static_cast<std::size_t>(c)]).bits)
              << columns << " columns, row " << r << ", column " << c;
      }
    }
}

TEST_F(CudaStepOps, NormsHeadsWhereTheyLie) {
  constexpr int kTokens = 3, kHeads = 2, kDim = 20, kStride = 70;
  std::vector<float> qkv(kTokens * kStride, kNan);  // what lies behind the heads must not be read
  const std::vector<float> heads = values(kTokens * kHeads * kDim, 7), w = values(kDim, 8);
  for (int t = 0; t < kTokens; ++t)
    for (int i = 0; i < kHeads * kDim; ++i) qkv[t * kStride + i] = heads[t * kHeads * kDim + i];
  DeviceArray<float> device(qkv);
  const DeviceArray<float> device_w(w);
  const NormShape shape{kTokens * kHeads, kDim, NormKind::kRms};
  expect_moves(4 * (heads.size() + w.size()), 4 * heads.size(), [&] {
    norm_heads(shape, {1e-5f, 0.0f}, device.span(), kHeads, kStride, device_w.span(), nullptr);
  });
  std::vector<float> expected(heads.size());
  first_supported(norm_variants(), "reference")
      .run(shape, {1e-5f, 0.0f}, heads, kDim, w, {}, expected, kDim, {0, shape.n_rows});
  const std::vector<float> found = device.host();
  for (int t = 0; t < kTokens; ++t)
    for (int i = 0; i < kStride; ++i) {
      if (i >= kHeads * kDim) {
        ASSERT_TRUE(std::isnan(found[t * kStride + i]));
        continue;
      }
      const float wanted = expected[t * kHeads * kDim + i];
      ASSERT_NEAR(found[t * kStride + i], wanted, 16.0 * kEpsilon * (1.0 + std::abs(wanted)));
    }
}

void expect_rotated(RopePairs pairs) {
  constexpr int kTokens = 4, kHeads = 2, kDim = 8, kPairs = 3, kPositions = 9, kStride = kHeads * kDim + 5;
  const std::vector<float> cos = values(kPositions * kPairs, 9), sin = values(kPositions * kPairs, 10);
  const std::vector<std::int32_t> positions{7, 0, 8, 7};
  std::vector<float> expected = values(kTokens * kStride, 11);
  DeviceArray<float> qkv(expected);
  const DeviceArray<float> device_cos(cos), device_sin(sin);
  const DeviceArray<std::int32_t> device_positions(positions);
  rope_at({kTokens, kHeads, kDim, 2 * kPairs, pairs}, qkv.span(), kStride, device_cos.span(), device_sin.span(),
          device_positions.span(), nullptr);
  for (int t = 0; t < kTokens; ++t) {  // the CPU's kernel, a token at a time
    const auto row = static_cast<std::size_t>(positions[static_cast<std::size_t>(t)] * kPairs);
    first_supported(rope_variants(), "reference")
        .run({1, kHeads, kDim, 2 * kPairs, pairs}, std::span(expected).subspan(static_cast<std::size_t>(t * kStride)),
             kStride, std::span(cos).subspan(row, kPairs), std::span(sin).subspan(row, kPairs), {0, 1});
  }
  const std::vector<float> found = qkv.host();
  for (std::size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], 4.0 * kEpsilon * (1.0 + std::abs(expected[i]))) << i;
}

TEST_F(CudaStepOps, RotatesByThePositionOfEachToken) {
  expect_rotated(RopePairs::kHalves);
  expect_rotated(RopePairs::kNeighbours);
}

TEST_F(CudaStepOps, NothingToDoQueuesNothing) {
  gather_rows({}, 5, {}, {}, nullptr);
  add_bias(0, {}, {}, nullptr);
  softcap({}, 1.0f, nullptr);
  round_to_bf16({}, {}, nullptr);
  unpack_panels({}, 0, {}, nullptr);
}

}  // namespace
}  // namespace dachlast::kernels::cuda
