#include "core/planner/speed_question.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"

namespace dachlast {
namespace {

TEST(SpeedInterval, IsWiderTheFurtherTheMeasurementsAre) {
  const RatioInterval ratios{.low = 0.8, .high = 1.25};
  const auto own = speed_interval(100.0, ratios, EfficiencyOrigin::kDevice);
  const auto family = speed_interval(100.0, ratios, EfficiencyOrigin::kFamily);
  const auto other = speed_interval(100.0, ratios, EfficiencyOrigin::kGeneric);
  ASSERT_TRUE(own && family && other);
  EXPECT_DOUBLE_EQ(own->low, 80.0);
  EXPECT_DOUBLE_EQ(own->high, 125.0);
  EXPECT_DOUBLE_EQ(family->low, 100.0 * std::pow(0.8, 1.2));   // 76.5
  EXPECT_DOUBLE_EQ(other->high, 100.0 * std::pow(1.25, 1.5));  // 139.8
}

TEST(SpeedInterval, IsAbsentWhereNoneWasFound) {
  EXPECT_FALSE(speed_interval(100.0, RatioInterval{}, EfficiencyOrigin::kDevice).has_value());
}

SpeedQuestion question_for(const char* device) {
  SpeedQuestion question;
  question.scenario = {.model = resolve_model("llama-3.1-8b").spec,
                       .weights = plain_weights(*storage_format("bf16")),
                       .cache = *cache_format("bf16"),
                       .device = find_device(device),
                       .layout = {},
                       .engine = find_engine("vllm")};
  question.load = {.input_tokens = 1000, .output_tokens = 100, .n_clients = 4};
  return question;
}

TEST(SpeedAnswer, DevicesWithoutMeasurementsInheritAndSaySo) {
  const EfficiencyCatalog curves(data_dir() / "efficiency");
  EXPECT_EQ(answer(question_for("h100-sxm"), curves).origin, EfficiencyOrigin::kDevice);
  EXPECT_EQ(answer(question_for("h100-pcie"), curves).origin, EfficiencyOrigin::kFamily);
  EXPECT_EQ(answer(question_for("mi300x"), curves).origin, EfficiencyOrigin::kGeneric);
}

TEST(SpeedAnswer, LeversChangeTheAnswer) {
  const EfficiencyCatalog curves(data_dir() / "efficiency");
  SpeedQuestion question = question_for("h100-sxm");
  const ServingTime plain = answer(question, curves).time;
  question.scenario.speculation = Speculation{.draft_tokens = 3, .acceptance = 0.7, .draft_share = 0.03};
  EXPECT_LT(answer(question, curves).time.tpot_s, plain.tpot_s);
  question.scenario.speculation.reset();
  question.scenario.offload = HostOffload{.weight_share = 0.5};
  EXPECT_GT(answer(question, curves).time.tpot_s, 2.0 * plain.tpot_s);
}

ServingRow served_row() {
  ServingRow row;
  row.source.ref = "2026-04-06/rows.csv";
  row.measured_date = "2026-02-05";
  row.backend = "trtllm";
  row.backend_version = "1.2.0rc6.post3";
  row.model = "deepseek-ai/DeepSeek-R1";
  row.system = "b200_sxm";
  row.precision = "fp8";
  row.mode = "agg";
  row.isl = 1024;
  row.osl = 1024;
  row.concurrency = 64;
  row.ranks.tp = 8;
  return row;
}

RowCatalog row_catalog() {
  std::vector<DeviceSpec> devices;
  for (DeviceSpec& package : list_devices()) devices.push_back(per_device(std::move(package)));
  return {read_preset_catalog(data_dir() / "models"), std::move(devices)};
}

TEST(SpeedQuestion, LimitsAreThoseOfTheSweepsScript) {
  RowCatalog catalog = row_catalog();
  const SpeedReading drafting = read_question(served_row(), catalog);
  ASSERT_TRUE(drafting.question) << drafting.reason;
  EXPECT_EQ(drafting.question->limits.max_num_batched_tokens, 1344);  // 4 · 64 + 1,024 + 64, a multiple of 64
  ServingRow groups = served_row();
  groups.ranks.tp = 1;
  groups.ranks.attention_dp = groups.ranks.moe_ep = 8;
  const SpeedReading grouped = read_question(groups, catalog);
  ASSERT_TRUE(grouped.question) << grouped.reason;
  EXPECT_EQ(grouped.question->limits.max_num_batched_tokens, 1152);  // 2 · 64 / 8 + 1,024 + 64 = 1,104, in blocks of 64
}

TEST(SpeedQuestion, OwnRunsStatePlainRanks) {
  RowCatalog catalog = row_catalog();
  ServingRow row = served_row();
  row.ranks.moe_tp = 2;
  row.ranks.moe_ep = 4;
  row.source.ref = "b200_sxm/trtllm/1.3.0rc5/rows.csv";
  EXPECT_EQ(read_question(row, catalog).question->scenario.layout.tensor_parallel, 8);
  row.source.ref = "2026-04-06/rows.csv";
  EXPECT_EQ(read_question(row, catalog).question->scenario.layout.tensor_parallel, 4);  // 2 · 4 is folded back
}

}  // namespace
}  // namespace dachlast
