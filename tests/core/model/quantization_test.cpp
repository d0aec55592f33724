#include "core/model/quantization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <set>
#include <string>

#include "core/base/error.h"

namespace dachlast {
namespace {

TEST(Quantization, IdsAndNamesAreUnique) {
  std::set<std::uint32_t> ids;
  std::set<std::string_view> names;
  for (const GgmlType& type : ggml_types()) {
    EXPECT_TRUE(ids.insert(type.id).second) << type.name;
    EXPECT_TRUE(names.insert(type.name).second) << type.name;
    EXPECT_EQ(ggml_type(type.id), &type);
    EXPECT_EQ(ggml_type(type.name), &type);
    EXPECT_FALSE(type.source.empty());
  }
}

TEST(Quantization, UnknownTypesAreNotFound) {
  EXPECT_EQ(ggml_type(4), nullptr);  // Q4_2, removed in 2023
  EXPECT_EQ(ggml_type(250), nullptr);
  EXPECT_EQ(ggml_type("Q3"), nullptr);
  EXPECT_EQ(ggml_type("q4_k"), ggml_type(12));
}

struct KnownBits {
  const char* type;
  double bits_per_weight;
};

class BitsPerWeight : public testing::TestWithParam<KnownBits> {};

TEST_P(BitsPerWeight, IsTheOneTheTypesAreKnownBy) {
  EXPECT_DOUBLE_EQ(ggml_type(GetParam().type)->bits_per_weight(), GetParam().bits_per_weight);
}

// As the comments of ggml-common.h and the quantizer's help list them.
INSTANTIATE_TEST_SUITE_P(
    Quantization, BitsPerWeight,
    testing::Values(KnownBits{"F32", 32}, KnownBits{"BF16", 16}, KnownBits{"Q8_0", 8.5}, KnownBits{"Q4_0", 4.5},
                    KnownBits{"Q4_1", 5}, KnownBits{"Q5_0", 5.5}, KnownBits{"Q5_1", 6}, KnownBits{"Q2_K", 2.625},
                    KnownBits{"Q3_K", 3.4375}, KnownBits{"Q4_K", 4.5}, KnownBits{"Q5_K", 5.5},
                    KnownBits{"Q6_K", 6.5625}, KnownBits{"IQ1_S", 1.5625}, KnownBits{"IQ1_M", 1.75},
                    KnownBits{"IQ2_XXS", 2.0625}, KnownBits{"IQ2_XS", 2.3125}, KnownBits{"IQ2_S", 2.5625},
                    KnownBits{"IQ3_XXS", 3.0625}, KnownBits{"IQ3_S", 3.4375}, KnownBits{"IQ4_NL", 4.5},
                    KnownBits{"IQ4_XS", 4.25}, KnownBits{"TQ1_0", 1.6875}, KnownBits{"TQ2_0", 2.0625},
                    KnownBits{"MXFP4", 4.25}, KnownBits{"NVFP4", 4.5}, KnownBits{"IQ1_BN", 1.625},
                    KnownBits{"IQ2_K", 2.375}, KnownBits{"IQ6_K", 6.625}, KnownBits{"IQ3_KS", 3.1875}));

TEST(Quantization, BytesAreThoseOfWholeRows) {
  // 4096 rows of 4096 / 256 = 16 blocks of 144 bytes.
  EXPECT_EQ(tensor_bytes(*ggml_type("Q4_K"), 4096, 4096), 4096u * 16u * 144u);
  // 16 blocks of 136 bytes and 4 bytes a row.
  EXPECT_EQ(tensor_bytes(*ggml_type("IQ4_KS"), 4096, 3), 3u * (16u * 136u + 4u));
  // 4 elements a byte and 32 bytes behind them.
  EXPECT_EQ(tensor_bytes(*ggml_type("I2_S"), 4096, 2), 2048u + 32u);
  EXPECT_EQ(tensor_bytes(*ggml_type("F32"), 7, 1), 28u);
  EXPECT_EQ(tensor_bytes(*ggml_type("Q8_0"), 0, 5), 0u);
}

TEST(Quantization, RowsThatAreNoWholeBlocksHaveNoSize) {
  EXPECT_EQ(tensor_bytes(*ggml_type("Q4_K"), 128, 2), std::nullopt);  // 2 · 128 = 256, but blocks do not cross rows
  EXPECT_EQ(tensor_bytes(*ggml_type("Q8_0"), 172, 64), std::nullopt);
}

TEST(Quantization, SizesBeyond64BitsAreEmpty) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(tensor_bytes(*ggml_type("F32"), kMax, 1), std::nullopt);
  EXPECT_EQ(tensor_bytes(*ggml_type("F32"), 1u << 31, std::uint64_t{1} << 31), std::nullopt);  // 2^64
  EXPECT_EQ(tensor_bytes(*ggml_type("I8"), kMax, 1), kMax);
  EXPECT_EQ(tensor_bytes(*ggml_type("I2_S"), kMax / 4 * 4, 4), std::nullopt);  // the 32 bytes behind
}

TEST(Quantization, NamesFileTypes) {
  EXPECT_EQ(ggml_file_type_name(0), "F32");
  EXPECT_EQ(ggml_file_type_name(15), "Q4_K_M");
  EXPECT_EQ(ggml_file_type_name(38), "MXFP4_MOE");
  EXPECT_EQ(ggml_file_type_name(140), "IQ4_K");
  EXPECT_EQ(ggml_file_type_name(5), "");  // Q4_2, removed
  EXPECT_EQ(ggml_file_type_name(999), "");
}

// -------- elements

using Block = std::vector<std::byte>;

Block block_of(std::initializer_list<int> first, std::size_t size) {
  Block block;
  for (const int byte : first) block.push_back(static_cast<std::byte>(byte));
  block.resize(size);
  return block;
}

TEST(Dequantize, SmallBlocksKeepLowNibblesFirst) {
  // d = 2 (0x4000); the first byte holds elements 0 (1) and 16 (15).
  const Block q4_0 = block_of({0x00, 0x40, 0xf1}, 18);
  const auto a = dequantize(*ggml_type("Q4_0"), q4_0);
  EXPECT_EQ(a[0], 2.0f * (1 - 8));
  EXPECT_EQ(a[16], 2.0f * (15 - 8));
  EXPECT_EQ(a[1], 2.0f * (0 - 8));
  // and m = 1 (0x3c00) added.
  const Block q4_1 = block_of({0x00, 0x40, 0x00, 0x3c, 0xf1}, 20);
  const auto b = dequantize(*ggml_type("Q4_1"), q4_1);
  EXPECT_EQ(b[0], 2.0f * 1 + 1);
  EXPECT_EQ(b[16], 2.0f * 15 + 1);
}

TEST(Dequantize, FifthBitsStandBesideTheNibbles) {
  // high bits: 0x80000002 sets elements 1 and 31.
  const Block q5_0 = block_of({0x00, 0x3c, 0x02, 0x00, 0x00, 0x80, 0x00, 0x03}, 22);
  const auto a = dequantize(*ggml_type("Q5_0"), q5_0);
  EXPECT_EQ(a[1], 16.0f + 3 - 16);
  EXPECT_EQ(a[31], 16.0f - 16);
  EXPECT_EQ(a[0], -16.0f);
  const Block q5_1 = block_of({0x00, 0x3c, 0x00, 0xbc, 0x02, 0x00, 0x00, 0x80, 0x00, 0x03}, 24);
  const auto b = dequantize(*ggml_type("Q5_1"), q5_1);
  EXPECT_EQ(b[1], 16.0f + 3 - 1);
  EXPECT_EQ(b[0], -1.0f);
}

/// d = 1, scales 1 … 16, all six-bit numbers 32, which stand for 0.
Block neutral_q6_k() {
  Block block(210);
  for (std::size_t i = 128; i < 192; ++i) block[i] = std::byte{0b10101010};
  for (std::size_t i = 0; i < 16; ++i) block[192 + i] = static_cast<std::byte>(i + 1);
  block[209] = std::byte{0x3c};
  return block;
}

TEST(Dequantize, Q6KFindsTheBitsOfEachElement) {
  const GgmlType& type = *ggml_type("Q6_K");
  for (const float value : dequantize(type, neutral_q6_k())) EXPECT_EQ(value, 0.0f);
  Block low = neutral_q6_k();
  low[64 + 40] = std::byte{0x50};  // second half, byte 40, upper nibble 5: element 128 + 64 + 40 = 232
  EXPECT_EQ(dequantize(type, low)[232], 15.0f * 5);  // scale 232 / 16 = 14, the fifteenth
  Block high = neutral_q6_k();
  high[128 + 7] = std::byte{0b11101010};              // first half, byte 7, pair 3: element 3 · 32 + 7 = 103
  EXPECT_EQ(dequantize(type, high)[103], 7.0f * 16);  // scale 103 / 16 = 6, the seventh; 0b110000 − 32 = 16
  EXPECT_EQ(dequantize(type, high)[7], 0.0f);
}

TEST(Dequantize, WhatItCannotReadIsRefused) {
  const Block block(144);
  EXPECT_FALSE(can_dequantize(*ggml_type("Q4_K")));
  EXPECT_TRUE(can_dequantize(*ggml_type("Q6_K")));
  EXPECT_THROW(dequantize(*ggml_type("Q4_K"), block), Error);
  EXPECT_THROW(dequantize(*ggml_type("Q8_0"), std::span(block).first(35)), Error);
  EXPECT_TRUE(dequantize(*ggml_type("Q8_0"), {}).empty());
}

}  // namespace
}  // namespace dachlast
