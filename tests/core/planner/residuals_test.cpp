#include "core/planner/residuals.h"

#include <gtest/gtest.h>

#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"

namespace dachlast {
namespace {

MemoryPlanner llama_on_h100() {
  PlanScenario scenario;
  scenario.model = resolve_model("llama-3.1-8b").spec;
  scenario.weights = plain_weights(*storage_format("bf16"));
  scenario.cache = *cache_format("bf16");
  scenario.device = find_device("h100-sxm");
  scenario.engine = find_engine("vllm@0.11");
  return MemoryPlanner(std::move(scenario));
}

TEST(StudentProbability, AgreesWithTables) {
  // One-sided 97.5 % quantiles of Abramowitz & Stegun, table 26.10, printed with three decimals.
  EXPECT_NEAR(student_probability(12.706, 1), 0.975, 5e-5);
  EXPECT_NEAR(student_probability(4.303, 2), 0.975, 5e-5);
  EXPECT_NEAR(student_probability(3.182, 3), 0.975, 5e-5);
  EXPECT_NEAR(student_probability(2.571, 5), 0.975, 5e-5);
  EXPECT_NEAR(student_probability(2.228, 10), 0.975, 5e-5);
  EXPECT_NEAR(student_probability(-2.228, 10), 0.025, 5e-5);
  EXPECT_DOUBLE_EQ(student_probability(0.0, 7), 0.5);
}

TEST(FitProbability, FallsWithTheContextAndIsEvenAtTheLimit) {
  const MemoryPlanner planner = llama_on_h100();
  const int limit = planner.max_batch(8192).value();
  const double roomy = fit_probability(planner, 8192, limit / 2);
  const double tight = fit_probability(planner, 8192, limit);
  const double beyond = fit_probability(planner, 8192, limit + limit / 4);
  EXPECT_GT(roomy, 0.99);
  EXPECT_GT(roomy, tight);
  EXPECT_GT(tight, beyond);
  EXPECT_LT(beyond, 0.05);
}

TEST(FitProbability, ReachesOneInEndlessRoom) {
  PlanScenario scenario;
  scenario.model = resolve_model("llama-3.1-8b").spec;
  scenario.weights = plain_weights(*storage_format("bf16"));
  scenario.cache = *cache_format("bf16");
  scenario.device = find_device("h100-sxm");
  scenario.engine = find_engine("vllm@0.11");
  scenario.capacity = Bytes{1e18};
  const double probability = fit_probability(MemoryPlanner(std::move(scenario)), 8192, 1);
  EXPECT_NEAR(probability, 1.0, 1e-6);
}

}  // namespace
}  // namespace dachlast
