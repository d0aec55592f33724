#include "core/model/storage_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/base/error.h"
#include "core/model/weight_format.h"

namespace dachlast {
namespace {

using ::testing::HasSubstr;

double bytes_as(std::string_view name, double rows, double columns) {
  return stored_bytes(*storage_format(name), rows, columns);
}

TEST(StorageFormat, PlainTypesTakeTheirWidth) {
  EXPECT_DOUBLE_EQ(bytes_as("bf16", 100, 30), 6000);
  EXPECT_DOUBLE_EQ(bytes_as("f32", 100, 30), 12000);
}

TEST(StorageFormat, ScalesAreCounted) {
  // Fp8, a scale a row: 4096 · 4096 + 4096 · 4 B.
  EXPECT_DOUBLE_EQ(bytes_as("fp8", 4096, 4096), 16'777'216 + 16'384);
  // Blocks of 128 × 128: 7168 · 2048 + 56 · 16 · 4 B.
  EXPECT_DOUBLE_EQ(bytes_as("fp8-block", 7168, 2048), 14'680'064 + 3'584);
  // The last block of 100 rows is counted whole: 100 · 128 + 1 · 1 · 4 B.
  EXPECT_DOUBLE_EQ(bytes_as("fp8-block", 100, 128), 12'800 + 4);
  // AWQ: 4096 · 4096 / 2 + 4096 · 32 groups · 20 bits.
  EXPECT_DOUBLE_EQ(bytes_as("awq", 4096, 4096), 8'388'608 + 327'680);
  // GPTQ: the same and 4 B for each of 4096 inputs.
  EXPECT_DOUBLE_EQ(bytes_as("gptq", 4096, 4096), 8'388'608 + 327'680 + 16'384);
  // MXFP4: 32 weights in 16 + 1 B.
  EXPECT_DOUBLE_EQ(bytes_as("mxfp4", 10, 64), 10 * 2 * 17);
  // NVFP4: 16 weights in 8 + 1 B, and three FP32 a matrix.
  EXPECT_DOUBLE_EQ(bytes_as("nvfp4", 10, 64), 10 * 4 * 9 + 12);
}

TEST(StorageFormat, NamesAreUniqueAndFoundWithoutCase) {
  std::set<std::string_view> names;
  for (const StorageFormat& format : storage_formats()) EXPECT_TRUE(names.insert(format.name).second) << format.name;
  EXPECT_EQ(storage_format("MXFP4"), storage_format("mxfp4"));
  EXPECT_EQ(storage_format("fp7"), nullptr);
}

TEST(WeightFormat, SchemesCoverProjectionsAndNothingElse) {
  const WeightFormat awq = weight_format("awq:64", *storage_format("f16"));
  EXPECT_EQ(awq.quantized.group_columns, 64);
  EXPECT_EQ(awq.format_of(MatrixKind::kMlp).name, "awq");
  EXPECT_EQ(awq.format_of(MatrixKind::kHead).name, "f16");
  EXPECT_EQ(awq.format_of(MatrixKind::kRouter).name, "f16");
  EXPECT_FALSE(weight_format("bf16", *storage_format("f16")).is_quantized());
}

TEST(WeightFormat, UnknownNamesAndGroupsAreRefused) {
  const StorageFormat& rest = *storage_format("bf16");
  try {
    weight_format("awk", rest);
    FAIL() << "an unknown format was taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.way_out(), HasSubstr("Did you mean awq?"));
  }
  EXPECT_THROW(weight_format("awq:0", rest), Error);
  EXPECT_THROW(weight_format("awq:x", rest), Error);
  EXPECT_THROW(weight_format("bf16:64", rest), Error);
}

}  // namespace
}  // namespace dachlast
