#include "core/planner/server_settings.h"

#include <gtest/gtest.h>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

ServingRow sweep(const char* date, int clients, int tp = 8) {
  ServingRow row;
  row.backend = "sglang";
  row.model = "deepseek-ai/DeepSeek-R1";
  row.precision = "fp8";
  row.system = "b200_sxm";
  row.measured_date = date;
  row.concurrency = clients;
  row.ranks.tp = tp;
  return row;
}

const SettingsCatalog& catalog() {
  static const SettingsCatalog settings(data_dir() / "recipes" / "inference_x_servers.csv");
  return settings;
}

TEST(SettingsCatalog, TakesTheLatestScriptBeforeTheRow) {
  EXPECT_FALSE(catalog().find(sweep("2025-09-01", 4)));
  EXPECT_EQ(catalog().find(sweep("2025-09-15", 64))->poll_passes, 1);
  EXPECT_EQ(catalog().find(sweep("2026-03-25", 8))->poll_passes, 10);
  EXPECT_EQ(catalog().find(sweep("2026-03-25", 16))->poll_passes, 30);  // from 16 clients on
}

TEST(SettingsCatalog, TellsScriptsOfRanksApart) {
  EXPECT_EQ(catalog().find(sweep("2026-03-25", 8, 8))->prompt_tokens, 32768);
  EXPECT_EQ(catalog().find(sweep("2026-03-25", 8, 4))->prompt_tokens, 8192);
  EXPECT_EQ(catalog().find(sweep("2025-12-01", 8, 4))->prompt_tokens, 32768);  // before there was one for four
}

TEST(SettingsCatalog, KnowsNothingOfOtherModelsOrEngines) {
  ServingRow row = sweep("2026-03-25", 8);
  row.backend = "vllm";
  EXPECT_FALSE(catalog().find(row));
  row = sweep("2026-03-25", 8);
  row.model = "openai/gpt-oss-120b";
  EXPECT_FALSE(catalog().find(row));
}

TEST(SettingsCatalog, TakesTheDatabaseNameOfDeepSeekR1AndRowsWithoutADate) {
  ServingRow row = sweep("2026-03-25", 8);
  row.model = "deepseek-ai/DeepSeek-V3";
  EXPECT_EQ(catalog().find(row)->poll_passes, 10);
  EXPECT_EQ(catalog().find(sweep("", 64))->poll_passes, 1);  // the script of September 2025
}

TEST(ServerSettings, PassesOfTensorRtHoldAPromptAndAllSequences) {
  ServingRow row = sweep("2026-01-14", 4);
  row.backend = "trtllm";
  const auto first = catalog().find(row);
  row.measured_date = "2026-02-05";
  const auto later = catalog().find(row);
  ASSERT_TRUE(first && later);
  EXPECT_EQ(first->pass_tokens(1024, 4, 1), 1152);   // 4 + 1,024 + 64 = 1,092, in whole blocks of 64
  EXPECT_EQ(later->pass_tokens(1024, 4, 1), 8192);   // the script of January 2026 asks for as many
  EXPECT_EQ(later->pass_tokens(1024, 64, 4), 1344);  // 4 · 64 + 1,024 + 64, three of four tokens drafted
}

TEST(ServerSettings, LimitsOfScriptsStandAsTheyAre) {
  EXPECT_EQ((ServerSettings{.prompt_tokens = 20000}.pass_tokens(1024, 512, 1)), 20000);
  EXPECT_EQ(ServerSettings{}.pass_tokens(1024, 512, 1), 0);
}

}  // namespace
}  // namespace dachlast
