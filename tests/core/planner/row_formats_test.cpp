#include "core/planner/row_formats.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

const WeightFormat kPlain = plain_weights(*storage_format("bf16"));

std::string format_named(std::string_view model, std::string_view dtype, const WeightFormat& own = kPlain) {
  const auto weights = row_weights(model, dtype, own);
  return weights ? std::string(weights->format.quantized.name) : "none";
}

TEST(RowWeights, TheTypeCellDecides) {
  EXPECT_EQ(format_named("Some-8B", "bf16"), "bf16");
  EXPECT_EQ(format_named("Some-8B", "awq 4-bit"), "awq");
  EXPECT_EQ(format_named("Some-8B", "nvfp4"), "nvfp4");
  EXPECT_EQ(format_named("Some-8B", "gptq int4"), "gptq");
  EXPECT_EQ(format_named("Some-8B-FP8", "bf16"), "bf16");
}

TEST(RowWeights, PublishersHaveTheirOwnScales) {
  EXPECT_EQ(format_named("RedHatAI/Some-70B-FP8-dynamic", "fp8"), "fp8");
  EXPECT_EQ(format_named("Qwen/Qwen3-4B-FP8", "fp8"), "fp8-block");
  EXPECT_EQ(format_named("nvidia/Some-8B-FP8", "fp8"), "fp8-tensor");
}

TEST(RowWeights, AConfigThatStatesItsTypesIsBelieved) {
  WeightFormat own = weight_format("mxfp4", *storage_format("bf16"));
  own.covered = MatrixKinds().with(MatrixKind::kExpert);
  EXPECT_EQ(row_weights("openai/gpt-oss-20b", "mxfp4", own)->format.covered, own.covered);
  EXPECT_EQ(row_weights("openai/gpt-oss-20b", "", own)->format.covered, own.covered);
}

TEST(RowWeights, MetasFp8LeavesAttentionAndTheEnds) {
  const auto weights = row_weights("meta-llama/Meta-Llama-3.1-405B-Instruct-FP8", "fp8", kPlain);
  EXPECT_EQ(weights->format.covered, MatrixKinds().with(MatrixKind::kMlp));
  EXPECT_TRUE(weights->ends_in_16_bits);
}

TEST(RowWeights, UnknownTypesAreNotGuessed) {
  EXPECT_EQ(format_named("Some-8B", "int3 trellis"), "none");
}

TEST(RowCache, AutoIsTheTypeOfTheActivations) {
  EXPECT_EQ(row_cache("auto")->name, "bf16");
  EXPECT_EQ(row_cache("")->name, "bf16");
  EXPECT_EQ(row_cache("fp8_e5m2")->name, "fp8");
  EXPECT_EQ(row_cache("q8_0")->bits, 8.5);
  EXPECT_EQ(row_cache("f16 (default)")->name, "f16");
  EXPECT_FALSE(row_cache("turbo3"));
}

}  // namespace
}  // namespace dachlast
