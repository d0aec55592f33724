#include "kernels/cuda/weight_gemv.h"

#include <cmath>

#include "kernels/linear.h"
#include "tests/kernels/cuda/device_memory.h"
#include "tests/kernels/test_data.h"

namespace dachlast::kernels::cuda {
namespace {

using kernels::testing::kEpsilon;
using kernels::testing::skewed;
using testing::DeviceArray;

class CudaWeightGemv : public testing::CudaTest {};

constexpr WeightType kTypes[] = {DType::kBF16, kInt8Rows, kInt8Groups32, kInt4Groups32, kInt4Groups128};

std::vector<std::byte> packed(WeightType type, int n, int k) {
  const auto rows = skewed<float>(static_cast<std::size_t>(n) * k, 2);
  const std::size_t panel_bytes = PanelLayout(type, k).panel_bytes();
  const int n_panels = (n + kPanelRows - 1) / kPanelRows;
  std::vector<std::byte> bytes(panel_bytes * static_cast<std::size_t>(n_panels));
  for (int panel = 0; panel < n_panels; ++panel) {
    const std::size_t first = static_cast<std::size_t>(panel) * kPanelRows * k;
    const std::size_t count = std::min(rows.size() - first, static_cast<std::size_t>(kPanelRows) * k);
    pack_panel(type, k, rows.span().subspan(first, count),
               std::span(bytes).subspan(static_cast<std::size_t>(panel) * panel_bytes, panel_bytes));
  }
  return bytes;
}

enum class Bias { kNone, kSome };

void expect_multiplies(WeightType type, int m, int n, int k, Bias with) {
  SCOPED_TRACE(std::string(name_of(type)) + ", m " + std::to_string(m) + ", n " + std::to_string(n) + ", k " +
               std::to_string(k));
  const LinearShape shape{m, n, k, type};
  const auto x = skewed<float>(static_cast<std::size_t>(m) * k, 1);
  const auto bias = skewed<float>(with == Bias::kSome ? static_cast<std::size_t>(n) : 0, 3);
  const std::vector<std::byte> bytes = packed(type, n, k);
  const DeviceArray<float> device_x(x.span()), device_bias(bias.span());
  const DeviceArray<std::byte> device_w(bytes);
  DeviceArray<float> y(static_cast<std::size_t>(m) * n);
  OpCost cost = linear_cost(shape);
  // The kernel reads whole panels; the cost counts the rows that there are. Here the padding is most of a panel.
  cost.weight_bytes = Bytes{static_cast<double>(bytes.size() + bias.size() * sizeof(float))};
  testing::expect_traffic(cost, y.span().size_bytes(), [&] {
    weight_gemv(shape, device_x.span(), {type, n, k, device_w.span()}, device_bias.span(), y.span(), nullptr);
  });
  const std::vector<float> found = y.host();
  std::vector<float> w(static_cast<std::size_t>(k));
  for (int j = 0; j < n; ++j) {
    unpack_row({type, n, k, bytes}, j, w);
    for (int i = 0; i < m; ++i) {
      double sum = with == Bias::kSome ? bias[j] : 0.0, terms = std::abs(sum);
      for (int l = 0; l < k; ++l) {
        const double term = static_cast<double>(x[static_cast<std::size_t>(i) * k + l]) * w[l];
        sum += term;
        terms += std::abs(term);
      }
      // Each of k products and sums rounds once; their errors add up like a random walk.
      ASSERT_NEAR(found[static_cast<std::size_t>(i) * n + j], sum, (4.0 + std::sqrt(k)) * kEpsilon * terms)
          << "row " << i << ", column " << j;
    }
  }
}

TEST_F(CudaWeightGemv, EveryTypeOverOddSizes) {
  for (const WeightType type : kTypes) {
    for (const int k : {1, 31, 128, 257, 1000}) expect_multiplies(type, 1, 37, k, Bias::kSome);
    for (const int n : {1, 32, 65}) expect_multiplies(type, 2, n, 160, Bias::kNone);
  }
}

TEST_F(CudaWeightGemv, MoreRowsThanOnePassServes) {
  for (const WeightType type : kTypes) expect_multiplies(type, kGemvRows + 1, 40, 160, Bias::kSome);
}

TEST_F(CudaWeightGemv, NothingToDoQueuesNothing) {
  weight_gemv({0, 32, 32, kInt8Rows}, {}, {kInt8Rows, 32, 32, {}}, {}, {}, nullptr);
}

}  // namespace
}  // namespace dachlast::kernels::cuda
