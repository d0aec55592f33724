#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "app/cli/exit_code.h"
#include "tests/app/cli/run_program.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kSamples = std::string(DACHLAST_TEST_DATA_DIR) + "/profiles/";

TEST(ImportCommand, SaysBusyTimeFirst) {
  const Outcome outcome = run_program({"import", (kSamples + "gpt-oss-vllm-decode.json.gz").c_str()});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("GPU 2 was busy 100 % of 10.7 ms"));
  EXPECT_THAT(outcome.out, HasSubstr("replayed graphs"));
}

TEST(ImportCommand, TakesTheRoofsOfTheRecordedDevice) {
  const Outcome outcome = run_program({"import", (kSamples + "qwen1.5-0.5b-h100.json.gz").c_str(), "--json"});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["schema"], "dachlast.profile/1");
  EXPECT_THAT(json["roofs"].get<std::string>(), HasSubstr("H100 SXM"));
  EXPECT_EQ(json["ops"][0]["bound"], "compute-bound");
  EXPECT_EQ(json["kernels"].size(), 26U);  // all of them: only people's tables are cut
  EXPECT_THAT(json["warnings"][0]["code"].get<std::string>(), HasSubstr("launch_missing"));
}

TEST(ImportCommand, CountersWinOverNames) {
  const Outcome outcome =
      run_program({"import", (kSamples + "kernel_0002.details.csv").c_str(), "--threshold", "50%", "--format", "csv"});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("memory-bound"));
}

TEST(ImportCommand, RefusesWhatItCannotRead) {
  const TempFolder folder;
  const std::string file = (folder.path() / "notes.txt").string();
  std::ofstream(file) << "no recording";
  const Outcome outcome = run_program({"import", file.c_str()});
  EXPECT_EQ(outcome.code, kExitInput);
  EXPECT_THAT(outcome.err, HasSubstr("no recording this program knows"));
  EXPECT_THAT(run_program({"import", (folder.path() / "nothing").string().c_str()}).err, HasSubstr("does not exist"));
  EXPECT_THAT(run_program({"import", (kSamples + "triton.json.gz").c_str(), "--gpu", "h10"}).err,
              Not(HasSubstr("terminate")));
}

}  // namespace
}  // namespace dachlast::cli
