#include "core/model/weight_convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "core/base/half.h"

namespace dachlast {
namespace {

using testing::ElementsAre;

template <class To, class From>
std::vector<To> converted(const std::vector<From>& from, DType from_dtype, DType to_dtype) {
  std::vector<To> to(from.size());
  const auto n = static_cast<std::int64_t>(from.size());
  convert({.from = std::as_bytes(std::span(from)),
           .from_dtype = from_dtype,
           .to = std::as_writable_bytes(std::span(to)),
           .to_dtype = to_dtype,
           .rows = n,
           .columns = 1,
           .layout = PartLayout::kRowMajor});
  return to;
}

std::vector<std::uint16_t> bits_of(const std::vector<BF16>& values) {
  std::vector<std::uint16_t> bits;
  for (const BF16 value : values) bits.push_back(value.bits);
  return bits;
}

const std::vector<F16> kHalves = {{0x3c00}, {0xc000}, {0x0001}};  // 1, -2, 2^-24

TEST(WeightConvert, WidensExactly) {
  EXPECT_THAT((converted<float>(kHalves, DType::kF16, DType::kF32)), ElementsAre(1.0f, -2.0f, 0x1p-24f));
  const std::vector<BF16> bf16 = {{0x3f80}, {0xc000}, {0x0080}};
  EXPECT_THAT((converted<float>(bf16, DType::kBF16, DType::kF32)), ElementsAre(1.0f, -2.0f, 0x1p-126f));
}

TEST(WeightConvert, NarrowsToNearestEven) {
  // bf16 has 8 significant bits: 1 + 2^-8 lies halfway between 1 and 1 + 2^-7 and goes to the even 1.
  const std::vector<float> from = {1.0f + 0x1p-8f, 1.0f + 0x3p-8f, -2.0f};
  EXPECT_THAT(bits_of(converted<BF16>(from, DType::kF32, DType::kBF16)), ElementsAre(0x3f80, 0x3f82, 0xc000));
  EXPECT_THAT(bits_of(converted<BF16>(kHalves, DType::kF16, DType::kBF16)), ElementsAre(0x3f80, 0xc000, 0x3380));
}

TEST(WeightConvert, CopiesWhatHasTheTypeAlready) {
  const std::vector<float> from = {1.5f, -0.0f};
  EXPECT_EQ((converted<float>(from, DType::kF32, DType::kF32)), from);
}

TEST(WeightConvert, ReadsFromAnyAddress) {
  const std::vector<float> values = {1.5f, 2.5f, 3.5f};
  std::vector<std::byte> bytes(values.size() * sizeof(float) + 1);
  std::memcpy(bytes.data() + 1, values.data(), values.size() * sizeof(float));
  std::vector<BF16> to(3);
  convert({std::span(bytes).subspan(1), DType::kF32, std::as_writable_bytes(std::span(to)), DType::kBF16, 3, 1,
           PartLayout::kRowMajor});
  EXPECT_THAT(bits_of(to), ElementsAre(0x3fc0, 0x4020, 0x4060));
}

// Sizes around the 32 elements of a tile.
TEST(WeightConvert, TransposesEverySize) {
  for (const int rows : {1, 31, 32, 33, 70}) {
    for (const int columns : {1, 31, 32, 33, 65}) {
      std::vector<float> from(static_cast<std::size_t>(rows * columns));
      for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<float>(i);
      std::vector<float> to(from.size());
      convert({std::as_bytes(std::span(from)), DType::kF32, std::as_writable_bytes(std::span(to)), DType::kF32, rows,
               columns, PartLayout::kTransposed});
      for (int row = 0; row < rows; ++row)
        for (int column = 0; column < columns; ++column)
          ASSERT_EQ(to[static_cast<std::size_t>(row * columns + column)], static_cast<float>(column * rows + row));
    }
  }
}

}  // namespace
}  // namespace dachlast
