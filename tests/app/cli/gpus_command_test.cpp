#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "app/cli/exit_code.h"
#include "tests/app/cli/run_program.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast::cli {
namespace {

using testing::HasSubstr;

class GpusCommand : public testing::Test {
 protected:
  GpusCommand() { setenv("XDG_DATA_HOME", user_.path().c_str(), 1); }
  ~GpusCommand() override { unsetenv("XDG_DATA_HOME"); }

  static nlohmann::json json_of(std::vector<const char*> words) {
    words.push_back("--json");
    const Outcome outcome = run_program(std::move(words));
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  }

  TempFolder user_;
  TempFolder files_;
};

TEST_F(GpusCommand, ListsEveryDeviceInEveryFormat) {
  const auto list = json_of({"gpus"});
  EXPECT_EQ(list["schema"], "dachlast.gpus/1");
  EXPECT_EQ(list["gpus"].size(), 44u);
  for (const char* format : {"table", "md", "csv", "jsonl"}) {
    const Outcome outcome = run_program({"gpus", "list", "--format", format});
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("h100-sxm")) << format;
  }
}

TEST_F(GpusCommand, UnknownFiguresAreNullNotZero) {
  for (const auto& gpu : json_of({"gpus"})["gpus"]) {
    if (gpu["id"] != "t4") continue;
    EXPECT_TRUE(gpu["bf16_flop_per_s"].is_null());  // Turing has no BF16
    EXPECT_EQ(gpu["memory_bytes"], 15360.0 * 1024 * 1024);
  }
}

TEST_F(GpusCommand, FiltersByVendorAndMemory) {
  // AMD's Instincts have 64 to 288 GB; at least 200 GiB: MI325X (256) and MI355X (288). The EPYC lists no memory.
  const auto list = json_of({"gpus", "--vendor", "amd", "--min-memory", "200 GiB"});
  ASSERT_EQ(list["gpus"].size(), 2u);
  EXPECT_EQ(list["gpus"][0]["id"], "mi325x");
  EXPECT_EQ(json_of({"gpus", "--vendor", "amd", "--min-memory", "200"}), list);
  EXPECT_THAT(run_program({"gpus", "--min-memory", "4 TiB"}).out, HasSubstr("No device passes the filter."));
}

TEST_F(GpusCommand, ShowsOneDeviceWithItsSources) {
  const Outcome outcome = run_program({"gpus", "show", "H100 SXM"});
  EXPECT_EQ(outcome.code, kExitDone);
  EXPECT_THAT(outcome.out, HasSubstr("79.64 GiB"));  // 81,559 MiB / 1024 = 79.647 GiB, rounded down
  EXPECT_THAT(outcome.out, HasSubstr("Sources: "));
  EXPECT_EQ(run_program({"gpus", "h100-sxm"}).out, outcome.out);
  const auto fields = json_of({"gpus", "show", "h100"})["fields"];
  const auto capacity = std::find_if(fields.begin(), fields.end(),
                                     [](const auto& row) { return row["field"] == "memory_0_capacity_bytes"; });
  ASSERT_NE(capacity, fields.end());
  EXPECT_EQ((*capacity)["value"], 81559.0 * 1024 * 1024);
}

TEST_F(GpusCommand, ImportsOnceAndAgainOnlyByForce) {
  const std::string file =
      files_.write("roof.yaml", "id: roof\nmemory: [{capacity: 1 TiB, bandwidth: 64 TB/s}]\n").string();
  EXPECT_EQ(run_program({"gpus", "import", file.c_str()}).code, kExitDone);
  EXPECT_THAT(run_program({"gpus", "show", "roof"}).out, HasSubstr("1,024.0 GiB"));
  const Outcome again = run_program({"gpus", "import", file.c_str()});
  EXPECT_EQ(again.code, kExitUsage);
  EXPECT_THAT(again.err, HasSubstr("--force"));
  EXPECT_EQ(run_program({"gpus", "import", file.c_str(), "--force", "-q"}).err, "");
}

TEST_F(GpusCommand, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(run_program({"gpus", "show", "h1000"}).code, kExitUsage);
  EXPECT_EQ(run_program({"gpus", "show"}).code, kExitUsage);
  EXPECT_EQ(run_program({"gpus", "shw", "h100"}).code, kExitUsage);
  EXPECT_EQ(run_program({"gpus", "--vendor", "nvdia"}).code, kExitUsage);
  EXPECT_EQ(run_program({"gpus", "--min-memory", "much"}).code, kExitUsage);
  const Outcome broken = run_program({"gpus", "import", files_.write("b.yaml", "id: [\n").c_str()});
  EXPECT_EQ(broken.code, kExitInput);
  EXPECT_THAT(broken.err, HasSubstr("b.yaml"));
  EXPECT_EQ(run_program({"gpus", "show", "./missing.yaml"}).code, kExitInput);
}

}  // namespace
}  // namespace dachlast::cli
