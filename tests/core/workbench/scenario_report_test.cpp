#include "core/workbench/scenario_report.h"

#include <gtest/gtest.h>

#include <set>

#include "core/viewmodel/localise.h"

namespace dachlast {
namespace {

using viewmodel::ReportStatus;
using viewmodel::TextKind;

ScenarioRequest asked(const char* model, const char* device, const char* engine = "vllm") {
  ScenarioRequest request;
  request.model = model;
  request.device = device;
  request.engine = engine;
  return request;
}

ScenarioPlan plan_of(const ScenarioRequest& request, int context, int batch) {
  return plan_scenario(find_scenario(request), context, batch);
}

ScenarioPlan fitting() {
  return plan_of(asked("llama-3.1-8b", "h100-sxm"), 32768, 8);
}

ScenarioPlan too_large() {
  return plan_of(asked("llama-3.1-70b", "h100-sxm"), 32768, 8);
}

TEST(ScenarioReport, StartsWithTheDecision) {
  const auto report = report_view(fitting());
  EXPECT_EQ(report.status, ReportStatus::kGood);
  ASSERT_GE(report.answer.size(), 2u);
  EXPECT_NE(report.answer[0].find("serves 8\u00a0requests of 32,768\u00a0tokens on H100 SXM5 80GB with "),
            std::string::npos)
      << report.answer[0];
  EXPECT_EQ(report.key_figures.size(), 5u);
  EXPECT_TRUE(report.memory_bar && report.memory_context && report.memory_grid && report.memory);
}

TEST(ScenarioReport, SaysWhatIsShortAndWhatWouldHelp) {
  const auto report = report_view(too_large());
  EXPECT_EQ(report.status, ReportStatus::kBad);
  EXPECT_NE(report.answer[0].find("does not fit"), std::string::npos);
  EXPECT_NE(report.answer[1].find("Cheapest change: "), std::string::npos);
  EXPECT_FALSE(report.recommendation.items.empty());
}

TEST(ScenarioReport, NeedsNoDevice) {
  const auto report = report_view(plan_of(asked("gpt2", ""), 1024, 1));
  EXPECT_EQ(report.status, ReportStatus::kLimited);
  EXPECT_FALSE(report.memory_grid);
  EXPECT_TRUE(report.memory_context);
}

TEST(ScenarioReport, StatesTheCommandThatRepeatsIt) {
  EXPECT_EQ(plan_command(fitting()),
            "dachlast plan --model llama-3.1-8b --gpu h100-sxm --context 32768 --batch 8 --engine vllm");
  ScenarioRequest request = asked("llama-3.1-8b", "h100-sxm");
  request.weights = request.cache = "fp8";
  request.layout.tensor_parallel = 2;
  request.limits.memory_fraction = 0.85;
  EXPECT_EQ(
      plan_command(plan_of(request, 1024, 1)),
      "dachlast plan --model llama-3.1-8b --gpu h100-sxm --context 1024 --batch 1 --dtype fp8 --kv-dtype fp8 --tp 2 "
      "--engine vllm --memory-fraction 0.85");
}

TEST(ScenarioReport, SaysWhyASectionIsMissing) {
  std::set<std::string> sections;
  for (const auto& left : report_view(fitting()).left_out) {
    sections.insert(left.section);
    EXPECT_FALSE(left.reason.empty());
  }
  EXPECT_EQ(sections, (std::set<std::string>{"Phases", "Roofline", "Comparison", "Latency and throughput", "Options"}));
}

/// Sentences that the catalogue does not know; names of models, devices and files are none.
std::set<std::string> unknown_sentences(const ScenarioPlan& plan) {
  const auto& german = viewmodel::Words::of(viewmodel::Language::kGerman);
  std::set<std::string> unknown;
  auto report = report_view(plan);
  const auto& scenario = plan.scenario.planner->scenario();
  const std::set<std::string> names = {scenario.model.name,
                                       scenario.device.name,
                                       scenario.device.id,
                                       scenario.engine.name,
                                       scenario.engine.read_at,
                                       weights_title(scenario),
                                       std::string(scenario.cache.title)};
  change_texts(report, [&](TextKind kind, const std::string& english) {
    const bool has_words = english.find(' ') != std::string::npos && english.find('/') == std::string::npos;
    if (kind != TextKind::kTitle && has_words && !names.contains(english) && !english.starts_with(scenario.engine.id) &&
        !german.find(english))
      unknown.insert(english);
    return english;
  });
  return unknown;
}

TEST(ScenarioReport, IsCompleteInGerman) {
  ScenarioRequest spread = asked("deepseek-v3", "h200");
  spread.layout.tensor_parallel = 8;
  ScenarioRequest narrow = asked("llama-3.1-70b", "h100-sxm", "sglang");
  narrow.weights = "fp8";
  const std::vector<ScenarioPlan> plans = {fitting(),
                                           too_large(),
                                           plan_of(asked("gpt2", ""), 1024, 1),
                                           plan_of(asked("gpt2", "h100-sxm", "dachlast"), 1024, 4),
                                           plan_of(asked("gpt-oss-20b", "rtx-4090", "llama.cpp"), 8192, 1),
                                           plan_of(spread, 16384, 4),
                                           plan_of(asked("gemma-3-27b", "a100-80gb", "tensorrt-llm"), 8192, 1),
                                           plan_of(narrow, 65536, 400)};
  for (const ScenarioPlan& plan : plans)
    for (const std::string& text : unknown_sentences(plan))
      ADD_FAILURE() << plan_command(plan) << ": no German for: " << text;
}

}  // namespace
}  // namespace dachlast
