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

}  // namespace
}  // namespace dachlast
