#include "kernels/cpu/kv_quantize.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/cpu/kv_codes.h"
#include "tests/kernels/test_data.h"

namespace dachlast::kernels::cpu {
namespace {

constexpr KvFormat kFormats[] = {KvFormat::kF32,  KvFormat::kBF16, KvFormat::kF16,
                                 KvFormat::kInt8, KvFormat::kFp8,  KvFormat::kInt4};

struct Stored {
  std::vector<std::byte> row;
  std::vector<ScaleWord> scales;

  Stored(QuantizeRow* quantize, KvFormat format, std::span<const float> values)
      : row(row_bytes(format, static_cast<int>(values.size())) + 1, std::byte{0x5a}),
        scales(row_scales(format, static_cast<int>(values.size())) + 1, 0x5a5a5a5a) {
    quantize(format, values, row.data(), scales.data());
  }
};

/// On every instruction set.
void expect_same_bits(std::span<const float> values, const char* what) {
  for (const SimdTarget& target : simd_targets()) {
    const SimdTargetScope scope(target);
    for (const KvFormat format : kFormats) {
      const Stored expected(quantize_row_reference, format, values), stored(quantize_row, format, values);
      EXPECT_EQ(stored.row, expected.row)
          << what << ", " << name_of(format) << ", " << values.size() << " elements on " << target.name;
      EXPECT_EQ(stored.scales, expected.scales)
          << what << ", " << name_of(format) << ", " << values.size() << " on " << target.name;
    }
  }
}

TEST(QuantizeRow, GivesTheBitsOfTheReference) {
  for (const int width : {1, 7, 16, 31, 32, 33, 64, 80, 128, 576}) {
    auto values = testing::skewed<float>(static_cast<std::size_t>(width), 3);
    expect_same_bits(values.span(), "skewed");
    for (float& x : values.span()) x *= 1e-6f;
    expect_same_bits(values.span(), "small");
    for (float& x : values.span()) x *= 1e20f;
    expect_same_bits(values.span(), "large");
    for (float& x : values.span()) x = std::copysign(0.0f, x);
    expect_same_bits(values.span(), "zeros of both signs");
  }
}

/// Halfway between two codes, on either side of it, subnormals and the ends of each range.
TEST(QuantizeRow, RoundsTiesAndEndsAsTheReference) {
  std::vector<float> values = {127.0f,     -127.0f, 0.5f,    -0.5f,     1.5f,     2.5f,     126.5f,
                               -126.5f,    448.0f,  449.0f,  65519.0f,  65520.0f, 0x1p-14f, 0x1p-25f,
                               0x1.8p-24f, 0x1p-9f, 0x1p-6f, 0x1.fp-7f, 0x1p-130f};
  for (int code = 0; code < 127; ++code) values.push_back(fp8_to_float(static_cast<std::uint8_t>(code)) * 1.0625f);
  expect_same_bits(values, "edges");
  for (float& x : values) x = std::min(std::abs(x), 127.0f);
  expect_same_bits(values, "edges in units of int8");
  for (float& x : values) x = std::nearbyint(std::min(x, 15.0f) * 2.0f) / 2.0f;
  expect_same_bits(values, "halves in units of int4");
}

TEST(QuantizeRow, WhatIsNotFiniteMakesItsScaleANan) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()})
    for (const std::size_t at : {std::size_t{0}, std::size_t{31}, std::size_t{64}})
      for (const KvFormat format : {KvFormat::kInt8, KvFormat::kFp8, KvFormat::kInt4}) {
        auto values = testing::skewed<float>(65, 3);
        values[at] = bad;
        for (const SimdTarget& target : simd_targets()) {
          const SimdTargetScope scope(target);
          const Stored stored(quantize_row, format, values.span());
          const std::size_t word = format == KvFormat::kInt4 ? at / kInt4Group : 0;
          const float scale = format == KvFormat::kInt4 ? int4_scale(stored.scales[word]).low
                                                        : std::bit_cast<float>(stored.scales[word]);
          EXPECT_TRUE(std::isnan(scale)) << name_of(format) << " on " << target.name << ", element " << at;
        }
      }
}

}  // namespace
}  // namespace dachlast::kernels::cpu
