#include "core/base/packed_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/base/half.h"

namespace dachlast {
namespace {

constexpr WeightType kPackedTypes[] = {DType::kBF16, kInt8Rows, kInt8Groups32, kInt4Groups32, kInt4Groups128};

std::vector<float> values(int n, float scale = 1.0F) {
  std::mt19937 random(3);
  std::vector<float> result(static_cast<std::size_t>(n));
  for (float& value : result) value = scale * (static_cast<float>(random()) * 0x1p-31F - 1.0F);
  return result;
}

struct Packed {
  std::vector<std::byte> bytes;
  PackedMatrix matrix;

  Packed(WeightType type, int rows, int columns, std::span<const float> w)
      : bytes(static_cast<std::size_t>(matrix_bytes(
            type.quantized() ? WeightStorage(type) : WeightStorage(type, WeightLayout::kPanels), rows, columns))),
        matrix{type, rows, columns, bytes} {
    const std::size_t panel_bytes = PanelLayout(type, columns).panel_bytes();
    for (int panel = 0; panel < matrix.n_panels(); ++panel) {
      const auto first = static_cast<std::size_t>(panel * kPanelRows) * columns;
      const auto n = std::min(w.size() - first, static_cast<std::size_t>(kPanelRows) * columns);
      pack_panel(type, columns, w.subspan(first, n),
                 std::span(bytes).subspan(static_cast<std::size_t>(panel) * panel_bytes, panel_bytes));
    }
  }

  std::vector<float> unpacked() const {
    std::vector<float> all;
    std::vector<float> row(static_cast<std::size_t>(matrix.columns));
    for (int i = 0; i < matrix.rows; ++i) {
      unpack_row(matrix, i, row);
      all.insert(all.end(), row.begin(), row.end());
    }
    return all;
  }
};

/// Largest magnitude among the elements that share the scale of element `i`.
float most_of_group(WeightType type, std::span<const float> w, int columns, std::size_t i) {
  const auto width = static_cast<std::size_t>(columns);
  const std::size_t row = i / width * width;
  const std::size_t size = type.group() == 0 ? width : static_cast<std::size_t>(type.group());
  const std::size_t first = row + (i - row) / size * size;
  float most = 0.0F;
  for (std::size_t l = first; l < std::min(first + size, row + width); ++l) most = std::max(most, std::abs(w[l]));
  return most;
}

TEST(PackedMatrix, TakesTheBytesOfElementsAndScales) {
  // 2048²: int8 1 B and a float a row; in groups 2 B for 32; int4 4.5 and 4.125 bits; bf16 as in rows.
  EXPECT_EQ(matrix_bytes(kInt8Rows, 2048, 2048), 4194304 + 2048 * 4);
  EXPECT_EQ(matrix_bytes(kInt8Groups32, 2048, 2048), 4194304 + 64 * 2048 * 2);
  EXPECT_EQ(matrix_bytes(kInt4Groups32, 2048, 2048), 4194304 * 4.5 / 8);
  EXPECT_EQ(matrix_bytes(kInt4Groups128, 2048, 2048), 4194304 * 4.125 / 8);
  EXPECT_EQ(matrix_bytes({DType::kBF16, WeightLayout::kPanels}, 2048, 2048), 8388608);
  EXPECT_EQ(matrix_bytes(DType::kBF16, 3, 5), 30);
  // 33 rows are two panels; 5 columns are 3 steps of bf16 of 128 B each.
  EXPECT_EQ(matrix_bytes({DType::kBF16, WeightLayout::kPanels}, 33, 5), 2 * 3 * 128);
}

TEST(PackedMatrix, LosesAtMostHalfAStep) {
  for (const WeightType type : kPackedTypes)
    for (const int rows : {1, 15, 16, 17, 32, 33, 70})
      for (const int columns : {1, 2, 3, 4, 5, 31, 32, 33, 127, 128, 129, 260}) {
        const std::vector<float> w = values(rows * columns);
        const std::vector<float> back = Packed(type, rows, columns, w).unpacked();
        for (std::size_t i = 0; i < w.size(); ++i) {
          const float most = most_of_group(type, w, columns, i);
          // bf16 has 8 significant bits, so half a step is 2^-8 at most. Steps: most / 127, or most / 8, where +8 is
          // clamped to 7; a bf16 scale may be 2^-8 off.
          double allowed = std::abs(w[i]) * 0x1p-8;
          if (type.quantized()) allowed = type.bits() == 8 ? most * (0.5 / 127 + 0x1p-8) : most / 8 * 1.01;
          ASSERT_NEAR(back[i], w[i], allowed) << name_of(type) << " " << rows << " x " << columns << ", " << i;
        }
      }
}

TEST(PackedMatrix, Int4KeepsTheLargestElementAndItsSign) {
  for (const float sign : {1.0F, -1.0F}) {
    std::vector<float> w(32, 0.25F);
    w[20] = sign * 4.0F;  // scale 4 / -8 = ∓0.5, exact in bf16
    const std::vector<float> back = Packed(kInt4Groups32, 1, 32, w).unpacked();
    EXPECT_EQ(back[20], w[20]);
    EXPECT_TRUE(back[0] == 0.0F || back[0] == 0.5F) << back[0];  // 0.25 lies between two steps
  }
}

TEST(PackedMatrix, ZerosStayZero) {
  for (const WeightType type : kPackedTypes)
    for (const float value : Packed(type, 3, 40, std::vector<float>(120, 0.0F)).unpacked()) EXPECT_EQ(value, 0.0F);
}

TEST(PackedMatrix, SurvivesTheSmallestAndLargestScales) {
  for (const WeightType type : kPackedTypes)
    for (const float scale : {1e-37F, 1e37F})
      for (const float value : Packed(type, 2, 64, values(128, scale)).unpacked()) EXPECT_TRUE(std::isfinite(value));
}

TEST(WeightTypes, NamesAreReadBack) {
  for (const WeightType type : kPackedTypes) EXPECT_EQ(weight_type_from_name(name_of(type)), type);
  EXPECT_EQ(weight_type_from_name("int4"), kInt4Groups32);
  EXPECT_EQ(weight_type_from_name("f32"), WeightType(DType::kF32));
  EXPECT_EQ(weight_type_from_name("int5"), std::nullopt);
  EXPECT_EQ(weight_type_from_name(""), std::nullopt);
}

}  // namespace
}  // namespace dachlast
