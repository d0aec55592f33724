#include "core/memory/llamacpp_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/memory/llamacpp_shapes.h"

namespace dachlast {
namespace {

using ::testing::HasSubstr;

LlamaCppLog printed_log() {
  LlamaCppLog log;
  log.engine = "llama.cpp";
  log.build = 2824;
  log.parameters = "8.03 B";
  log.file_type = "Q4_K - Medium";
  log.n_ctx = 8192;
  log.n_gpus = 1;
  log.layers_offloaded = "all (-ngl 10000)";
  log.type_k = "f16";
  log.type_v = "f16";
  log.k_mib = 512;
  log.v_mib = 512;
  log.kv_buffers = {{"CUDA0", 1024}};
  log.compute_buffers = {{"CUDA0", 560}, {"CUDA_Host", 24.01}};
  log.output_buffers = {{"CUDA_Host", 0.49}};
  return log;
}

std::string complaint(const LlamaCppLog& log) {
  try {
    read_run(log, llama_3_8b_shape());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_FALSE(error.way_out().empty());
    return error.what();
  }
  return "";
}

TEST(LlamaCppLog, EveryFigureOfALogIsPredicted) {
  const LlamaCppComparison result = compare_with_log(llama_3_8b_shape(), printed_log());
  ASSERT_EQ(result.figures.size(), 6u);  // K, V, one KV buffer, two compute buffers, one output buffer
  for (const LlamaCppFigure& figure : result.figures) EXPECT_NEAR(figure.predicted, figure.logged, 0.01) << figure.item;
  EXPECT_TRUE(result.gaps.empty());
}

TEST(LlamaCppLog, TheParameterCountTellsTheProgram) {
  LlamaCppLog log = printed_log();
  log.engine = "ik_llama.cpp or llama.cpp (log in thread)";
  log.build.reset();
  EXPECT_EQ(read_run(log, llama_3_8b_shape()).run.program, LlamaCppProgram::kScheduler);
  log.parameters = "8.030 B";
  EXPECT_EQ(read_run(log, llama_3_8b_shape()).run.program, LlamaCppProgram::kIk);
}

TEST(LlamaCppLog, AMacsMetalDeviceIsItsGpu) {
  LlamaCppLog log = printed_log();
  log.kv_buffers = {{"Metal", 1024}};
  log.compute_buffers = {{"Metal", 560}, {"CPU", 24.01}};
  log.output_buffers = {{"CPU", 0.49}};
  const LlamaCppComparison result = compare_with_log(llama_3_8b_shape(), log);
  ASSERT_EQ(result.figures.size(), 6u);
  for (const LlamaCppFigure& figure : result.figures) EXPECT_NEAR(figure.predicted, figure.logged, 0.01) << figure.item;
}

TEST(LlamaCppLog, BuildsBeforeTheSchedulerUseOneBuffer) {
  LlamaCppLog log = printed_log();
  log.build = 1691;
  EXPECT_EQ(read_run(log, llama_3_8b_shape()).run.program, LlamaCppProgram::kScratch);
}

TEST(LlamaCppLog, ALogWithoutFileTypeLeavesAGap) {
  LlamaCppLog log = printed_log();
  log.file_type.clear();
  log.model_gib = 4.58;
  const LlamaCppComparison result = compare_with_log(llama_3_8b_shape(), log);
  ASSERT_EQ(result.gaps.size(), 1u);
  EXPECT_EQ(result.gaps[0].component, "weights");
}

TEST(LlamaCppLog, ALabelThatContradictsTheSizeIsNoFileType) {
  LlamaCppLog log = printed_log();
  log.file_type = "BF16";  // 14.96 GiB of 8.03 B parameters
  log.model_gib = 4.58;    // of Q4_K_M
  const LlamaCppComparison result = compare_with_log(llama_3_8b_shape(), log);
  ASSERT_EQ(result.gaps.size(), 1u);
  EXPECT_EQ(result.gaps[0].component, "weights");
  EXPECT_THAT(result.gaps[0].reason, HasSubstr("the label BF16 stands for 15.0 GiB, the file has 4.6"));
}

TEST(LlamaCppLog, DevicesAreKnownByTheirNames) {
  EXPECT_EQ(gpu_number("CUDA12"), 12);
  EXPECT_EQ(gpu_number("ROCm0"), 0);
  EXPECT_EQ(gpu_number("Metal"), 0);
  EXPECT_EQ(gpu_number("CUDA_Host"), std::nullopt);
  EXPECT_EQ(gpu_number("CPU"), std::nullopt);
  EXPECT_EQ(gpu_number("total"), std::nullopt);
}

TEST(LlamaCppLog, WhatNoRunCanHaveIsNamed) {
  LlamaCppLog log = printed_log();
  log.n_ctx = 99999999999;
  EXPECT_THAT(complaint(log), HasSubstr("n_ctx"));
  log = printed_log();
  log.type_k = "f17";
  EXPECT_THAT(complaint(log), HasSubstr("type_k"));
}

}  // namespace
}  // namespace dachlast
