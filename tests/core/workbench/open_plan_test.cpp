#include "core/workbench/open_plan.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

std::filesystem::path written(const testing::TemporaryFolder& folder, const std::string& text) {
  const auto file = folder / "plan.html";
  std::ofstream(file) << text;
  return file;
}

TEST(OpenPlan, PlansAnewWhatAReportStates) {
  const testing::TemporaryFolder folder;
  const auto plan =
      open_plan(written(folder,
                        "<!DOCTYPE html><script type=\"application/json\" id=\"dachlast-data\">"
                        R"({"schema": "dachlast.plan/1", "request": {"model": "llama-3.1-8b", "device": "h100-sxm",
                  "weights": "fp8", "memory_fraction": 0.8}, "tensor_parallel": 2, "context_tokens": 4096, "batch": 3})"
                        "</script>"));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->context_tokens, 4096);
  EXPECT_EQ(plan->batch_size, 3);
  EXPECT_EQ(plan->scenario.request.layout.tensor_parallel, 2);
  EXPECT_EQ(plan->scenario.request.weights, "fp8");
  EXPECT_DOUBLE_EQ(plan->scenario.planner->memory_fraction(), 0.8);
  EXPECT_EQ(plan->scenario.planner->scenario().engine.id, "vllm");
}

TEST(OpenPlan, LeavesOtherFilesToOthers) {
  const testing::TemporaryFolder folder;
  EXPECT_FALSE(open_plan(written(folder, "SQLite format 3")));
  EXPECT_FALSE(open_plan(written(folder, R"({"schema": "dachlast.run/1"})")));
  EXPECT_FALSE(open_plan(folder / "absent"));
}

TEST(OpenPlan, RefusesDamagedData) {
  const testing::TemporaryFolder folder;
  for (const char* text :
       {R"({"schema": "dachlast.plan/1"})", R"({"schema": "dachlast.plan/1", "request": {"model": 7}})",
        R"({"schema": "dachlast.plan/1", "request": {"model": "gpt2"}, "context_tokens": 0, "batch": 1})",
        R"({"schema")"})
    EXPECT_THROW(open_plan(written(folder, text)), Error) << text;
}

}  // namespace
}  // namespace dachlast
