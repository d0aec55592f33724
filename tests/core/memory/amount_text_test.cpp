#include "core/memory/amount_text.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

TEST(AmountText, BinaryAmountsTakeTheLargestUnit) {
  EXPECT_EQ(binary_amount(Bytes{0}), "0 B");
  EXPECT_EQ(binary_amount(Bytes{1023}), "1023 B");
  EXPECT_EQ(binary_amount(Bytes{1024}), "1 KiB");
  EXPECT_EQ(binary_amount(Bytes{1536}), "1.5 KiB");
  EXPECT_EQ(binary_amount(Bytes{128 * kKiB}), "128 KiB");
  EXPECT_EQ(binary_amount(Bytes{12.5512 * kGiB}), "12.55 GiB");
  EXPECT_EQ(binary_amount(Bytes{2048 * kGiB}), "2048 GiB");
}

TEST(AmountText, CountsAreGroupedByThree) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(6738415616.0), "6,738,415,616");
}

}  // namespace
}  // namespace dachlast
