#include "core/memory/llamacpp_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/memory/llamacpp_shapes.h"

namespace dachlast {
namespace {

using ::testing::HasSubstr;

std::map<std::string, std::string> row() {
  return {{"engine", "llama.cpp"},
          {"engine_build", "2824"},
          {"model_params", "8.03 B"},
          {"file_type", "Q4_K - Medium"},
          {"n_ctx", "8192"},
          {"n_gpus", "1"},
          {"layers_offloaded", "all (-ngl 10000)"},
          {"type_k", "f16"},
          {"type_v", "f16"},
          {"k_mib", "512.00"},
          {"v_mib", "512.00"},
          {"kv_buffers_mib", "CUDA0=1024"},
          {"compute_buffers_mib", "CUDA0=560;CUDA_Host=24.01"},
          {"output_buffers_mib", "CUDA_Host=0.49"}};
}

std::string complaint(const std::map<std::string, std::string>& cells) {
  try {
    read_run(read_llamacpp_log(cells), llama_3_8b_shape());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_FALSE(error.way_out().empty());
    return error.what();
  }
  return "";
}

TEST(LlamaCppLog, EveryFigureOfALogIsPredicted) {
  const LlamaCppComparison result = compare_with_log(llama_3_8b_shape(), read_llamacpp_log(row()));
  ASSERT_EQ(result.figures.size(), 6u);  // K, V, one KV buffer, two compute buffers, one output buffer
  for (const LlamaCppFigure& figure : result.figures) EXPECT_NEAR(figure.predicted, figure.logged, 0.01) << figure.item;
  EXPECT_TRUE(result.gaps.empty());
}

TEST(LlamaCppLog, TheParameterCountTellsTheProgram) {
  auto cells = row();
  cells["engine"] = "ik_llama.cpp or llama.cpp (log in thread)";
  cells["engine_build"] = "";
  EXPECT_EQ(read_run(read_llamacpp_log(cells), llama_3_8b_shape()).run.program, LlamaCppProgram::kScheduler);
  cells["model_params"] = "8.030 B";
  EXPECT_EQ(read_run(read_llamacpp_log(cells), llama_3_8b_shape()).run.program, LlamaCppProgram::kIk);
}

TEST(LlamaCppLog, AMacsMetalDeviceIsItsGpu) {
  auto cells = row();
  cells["kv_buffers_mib"] = "Metal=1024";
  cells["compute_buffers_mib"] = "Metal=560;CPU=24.01";
  cells["output_buffers_mib"] = "CPU=0.49";
  const LlamaCppComparison result = compare_with_log(llama_3_8b_shape(), read_llamacpp_log(cells));
  ASSERT_EQ(result.figures.size(), 6u);
  for (const LlamaCppFigure& figure : result.figures) EXPECT_NEAR(figure.predicted, figure.logged, 0.01) << figure.item;
}

TEST(LlamaCppLog, BuildsBeforeTheSchedulerUseOneBuffer) {
  auto cells = row();
  cells["engine_build"] = "1691";
  EXPECT_EQ(read_run(read_llamacpp_log(cells), llama_3_8b_shape()).run.program, LlamaCppProgram::kScratch);
}

TEST(LlamaCppLog, ALogWithoutFileTypeLeavesAGap) {
  auto cells = row();
  cells["file_type"] = "";
  cells["model_size_gib"] = "4.58";
  const LlamaCppComparison result = compare_with_log(llama_3_8b_shape(), read_llamacpp_log(cells));
  ASSERT_EQ(result.gaps.size(), 1u);
  EXPECT_EQ(result.gaps[0].component, "weights");
}

TEST(LlamaCppLog, ALabelThatContradictsTheSizeIsNoFileType) {
  auto cells = row();
  cells["file_type"] = "BF16";       // 14.96 GiB of 8.03 B parameters
  cells["model_size_gib"] = "4.58";  // of Q4_K_M
  const LlamaCppComparison result = compare_with_log(llama_3_8b_shape(), read_llamacpp_log(cells));
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

TEST(LlamaCppLog, BadCellsAreNamed) {
  auto cells = row();
  cells["n_ctx"] = "many";
  EXPECT_THAT(complaint(cells), HasSubstr("n_ctx"));
  cells = row();
  cells["n_ctx"] = "99999999999";
  EXPECT_THAT(complaint(cells), HasSubstr("n_ctx"));
  cells = row();
  cells["compute_buffers_mib"] = "CUDA0=560;CPU";
  EXPECT_THAT(complaint(cells), HasSubstr("compute_buffers_mib"));
  cells = row();
  cells["k_mib"] = "nan";
  EXPECT_THAT(complaint(cells), HasSubstr("k_mib"));
  cells = row();
  cells["type_k"] = "f17";
  EXPECT_THAT(complaint(cells), HasSubstr("type_k"));
}

}  // namespace
}  // namespace dachlast
