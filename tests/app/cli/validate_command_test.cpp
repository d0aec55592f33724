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

constexpr const char* kHeader =
    "id,source_repo,source_ref,model,context_tokens,batch,dtype,kv_gib,kv_bytes_per_token,notes\n";

class ValidateCommand : public testing::Test {
 protected:
  std::string file_with(const std::string& name, const std::string& text) {
    const std::string file = (folder_.path() / name).string();
    std::ofstream(file) << text;
    return file;
  }

  /// One figure hit exactly (2 · 32 · 8 · 128 · 2 B), one published a quarter too high, one of an unknown model.
  std::string invented_table() {
    return file_with("kv.csv", std::string(kHeader) +
                                   "a1,x/y,z,Llama 3.1 8B,1,1,fp16,,131072,\n"
                                   "a2,x/y,z,Llama 3.1 8B,1,1,fp16,,163840,\n"
                                   "a3,x/y,z,Nonesuch 9B,1,1,fp16,,1000,\n");
  }

  TempFolder folder_;
};

TEST_F(ValidateCommand, SaysWellAndIllInJson) {
  const Outcome outcome = run_program({"validate", invented_table().c_str(), "--json"});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["schema"], "dachlast.validate/1");
  EXPECT_EQ(json["rows"], 3);
  const auto& component = json["components"]["kv_bytes_per_token"];
  EXPECT_EQ(component["n"], 2);
  EXPECT_NEAR(component["median_abs_pct"], 10.0, 1e-9);  // of 0 % and 20 %
  EXPECT_NEAR(component["worst_abs_pct"], 20.0, 1e-9);   // 131,072 / 163,840 = 0.8
  EXPECT_NEAR(component["signed_median_pct"], -10.0, 1e-9);
  ASSERT_EQ(json["skipped"].size(), 1u);
  EXPECT_EQ(json["skipped"][0]["id"], "a3");
  EXPECT_THAT(json["skipped"][0]["reason"].get<std::string>(), HasSubstr("Nonesuch"));
  EXPECT_EQ(json["worst"][0]["id"], "a2");
}

/// A start of vLLM: weights, cache, tokens and a graph pool that no law predicts; and one of an unknown model.
TEST_F(ValidateCommand, JsonHasTheKeysOfItsSchema) {
  const std::string table = file_with(
      "memory.csv",
      "id,source_repo,source_ref,model,gpu,tp,pp,dtype,kv_dtype,gpu_mem_util,max_model_len,weights_gib_per_gpu,"
      "kv_gib_per_gpu,kv_tokens_total,gpu_blocks,block_size,notes,gpu_total_gib,activation_gib,non_torch_gib,"
      "cuda_graph_gib\n"
      "b1,x/y,z,Llama 3.1 8B,H100,1,1,bf16,auto,0.9,8192,15,50,400000,,16,vLLM 0.11.0,79.18,,,0.4\n"
      "b2,x/y,z,Nonesuch 9B,H100,1,1,bf16,auto,0.9,8192,15,50,400000,,16,vLLM 0.11.0,79.18,,,0.4\n");
  const Outcome outcome = run_program({"validate", table.c_str(), "--json"});
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["rows"], 2);
  ASSERT_EQ(json["skipped"].size(), 1u);  // rows of which nothing is predicted, and no others
  EXPECT_EQ(json["skipped"][0]["id"], "b2");
  EXPECT_TRUE(json["skipped"][0]["reason"].is_string());
  ASSERT_EQ(json["missing_figures"].size(), 1u);
  EXPECT_EQ(json["missing_figures"][0]["id"], "b1");
  EXPECT_EQ(json["missing_figures"][0]["component"], "cuda_graphs");
  for (const char* component : {"weights", "kv_bytes", "kv_tokens"})
    for (const char* key : {"n", "median_abs_pct", "p90_abs_pct", "signed_median_pct"})
      EXPECT_TRUE(json["components"][component][key].is_number()) << component << " " << key;
  EXPECT_EQ(json["components"]["fit"]["n"], 1);
  EXPECT_EQ(json["components"]["fit"]["correct"], 1);
  EXPECT_TRUE(json["worst"].is_array());
}

TEST_F(ValidateCommand, EveryFormatNamesTheComponent) {
  const std::string file = invented_table();
  for (const char* format : {"table", "md", "csv"}) {
    const Outcome outcome = run_program({"validate", file.c_str(), "--format", format});
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("KV bytes per token")) << format;
  }
}

TEST_F(ValidateCommand, StartsWithASentenceAndCountsWhatItSkipped) {
  const Outcome outcome = run_program({"validate", invented_table().c_str()});
  EXPECT_THAT(outcome.out, testing::StartsWith("KV bytes per token: median error 10 %, nine in ten"));
  EXPECT_THAT(outcome.out, HasSubstr("1 skipped; 0 figures of the others not predicted."));
}

TEST_F(ValidateCommand, WorstLimitsTheList) {
  const Outcome outcome = run_program({"validate", invented_table().c_str(), "--worst", "1", "--json"});
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["worst"].size(), 1u);
}

TEST_F(ValidateCommand, TakesSeveralFiles) {
  const std::string file = invented_table();
  const Outcome outcome = run_program({"validate", file.c_str(), file.c_str(), "--json"});
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["rows"], 6);
}

TEST_F(ValidateCommand, UnreadableInputEndsWithItsExitCode) {
  const std::string wrong = file_with("wrong.csv", "a,b\n1,2\n");
  EXPECT_EQ(run_program({"validate", wrong.c_str()}).code, kExitInput);
  EXPECT_EQ(run_program({"validate", (folder_.path() / "none.csv").c_str()}).code, kExitInput);
  const std::string torn = file_with("torn.csv", std::string(kHeader) + "a1,x/y,z,Llama 3.1 8B,much,1,fp16,,nan,\n");
  const Outcome outcome = run_program({"validate", torn.c_str()});
  EXPECT_EQ(outcome.code, kExitInput);
  EXPECT_THAT(outcome.err, HasSubstr("kv_bytes_per_token"));
}

}  // namespace
}  // namespace dachlast::cli
