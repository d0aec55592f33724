// Recommendations and errors as they come, asked of the German catalogue: literals alone do not show that a sentence made
// of them is found again.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/model/model_source.h"
#include "core/store/run_file.h"
#include "core/store/run_json.h"
#include "core/viewmodel/language.h"
#include "core/workbench/parse.h"
#include "core/workbench/project.h"
#include "core/workbench/recommend_page.h"
#include "core/workbench/scenario.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

void expect_german(const std::string& english) {
  static const viewmodel::Words& german = viewmodel::Words::of(viewmodel::Language::kGerman);
  const bool words = std::ranges::any_of(english, [](char c) { return std::isalpha(static_cast<unsigned char>(c)); });
  EXPECT_TRUE(!words || german.find(english)) << "no German for: " << english;
}

void expect_german(const viewmodel::Table& table) {
  for (const auto& column : table.columns) {
    expect_german(column.title);
    expect_german(column.description);
  }
}

// -------- recommendations

RecommendRequest asked(const std::string& model, std::vector<std::string> devices) {
  RecommendRequest request;
  request.model = model;
  request.devices = std::move(devices);
  request.context_tokens = 8192;
  request.concurrency = 16;
  return request;
}

/// A remark within a sentence may stay English; these hold none.
void expect_changed(const std::string& english) {
  EXPECT_NE(viewmodel::Words::of(viewmodel::Language::kGerman)(english), english);
}

void expect_german(const RecommendPage& page) {
  expect_german(page.view.answer);
  for (const std::string& reason : page.view.reasons) expect_changed(reason);
  expect_german(page.view.rejected_summary);
  for (const std::string& reason : page.view.reasons) expect_german(reason);
  for (const Remark& remark : page.warnings) expect_german(remark.text);
  for (const Remark& remark : page.assumptions) expect_german(remark.text);
  expect_german(page.view.options);
  expect_german(page.view.rejected);
  for (const auto& row : page.view.rejected.rows) expect_german(row.at(1).text);
  for (const viewmodel::ParetoPoint& point : page.view.pareto.points) {
    std::istringstream facts(point.tooltip);
    for (std::string line; std::getline(facts, line);) expect_german(line);
  }
}

TEST(GermanSentences, OfARecommendation) {
  expect_german(recommend_page(asked("llama-3.1-8b", {"h100-sxm", "a100-80gb-sxm"})));
}

TEST(GermanSentences, OfARecommendationWithLimitsAndPrices) {
  RecommendRequest request = asked("qwen3-30b-a3b", {"h100-sxm", "l40s"});
  request.ttft_limit_s = 0.2;
  request.tpot_limit_s = 0.005;
  request.prices = kCatalogPrices;
  request.types = {"", "fp8", "fp8/fp8"};
  expect_german(recommend_page(request));
}

TEST(GermanSentences, OfARecommendationThatFindsNothing) {
  RecommendRequest request = asked("llama-3.1-405b", {"l40s"});
  request.max_devices = 2;
  expect_german(recommend_page(request));
  request = asked("llama-3.1-8b", {"h100-sxm"});
  request.tpot_limit_s = 1e-6;
  expect_german(recommend_page(request));
}

// -------- errors

void expect_german_error(const std::function<void()>& act) {
  try {
    act();
    FAIL() << "no error";
  } catch (const Error& error) {
    expect_german(error.reason());
    expect_german(error.way_out());
  }
}

std::filesystem::path file_of(const testing::TemporaryFolder& folder, const char* name, const std::string& bytes) {
  const auto path = folder.path() / name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

TEST(GermanSentences, OfFilesThatAreNoRuns) {
  const testing::TemporaryFolder folder;
  expect_german_error([&] { read_run(folder.path() / "missing.dachlast"); });
  expect_german_error([&] { read_run(folder.path()); });
  for (const char* bytes : {"", "no run", "{}", "<html>", "{\"schema\": 7}", "{\"schema\": \"dachlast.plan/1\"}"})
    expect_german_error([&] { read_run(file_of(folder, "x.dachlast", bytes)); });
  expect_german_error([&] { read_project(file_of(folder, "x.dachproj", "{}")); });
  expect_german_error([&] { read_project(file_of(folder, "x.dachproj", "no project")); });
}

TEST(GermanSentences, OfFilesThatAreNoModels) {
  const testing::TemporaryFolder folder;
  expect_german_error([] { resolve_model("lama-3.1-8b"); });
  expect_german_error([] { resolve_model(""); });
  expect_german_error([] { resolve_model("/nowhere/at/all"); });
  expect_german_error([&] { resolve_model(folder.path().string()); });
  for (const char* text : {"", "[]", "{", "{\"model_type\": \"never-heard\"}", "{\"model_type\": \"llama\"}",
                           "{\"model_type\": \"llama\", \"hidden_size\": -1}", "{\"a\": 1, \"a\": 2}"})
    expect_german_error([&] { resolve_model(file_of(folder, "config.json", text).string()); });
  const std::string two(2, '\0');
  for (const std::string& bytes : {std::string(), std::string("GG"), std::string("ggml1234"), std::string(64, '\0'),
                                   "GGUF\1" + two + '\0', "GGUF\3" + two + '\0' + std::string(16, '\x7f')})
    expect_german_error([&] { resolve_model(file_of(folder, "m.gguf", bytes).string()); });
  for (const std::string& bytes : {std::string("12"), std::string(8, '\x7f'), std::string("\2\0\0\0\0\0\0\0[]", 10)})
    expect_german_error([&] { resolve_model(file_of(folder, "m.safetensors", bytes).string()); });
}

/// llama-3.1-8b on an H100 but for what `change` makes of it.
void expect_refused(const std::function<void(ScenarioRequest&)>& change) {
  ScenarioRequest request;
  request.model = "llama-3.1-8b";
  request.device = "h100-sxm";
  change(request);
  expect_german_error([&] { plan_scenario(find_scenario(request), 1 << 20, 1); });
}

TEST(GermanSentences, OfScenariosThatCannotBe) {
  expect_refused([](ScenarioRequest&) {});  // the context is longer than the model's
  expect_refused([](ScenarioRequest& r) { r.layout.tensor_parallel = 3; });
  expect_refused([](ScenarioRequest& r) { r.layout.pipeline_parallel = 4096; });
  expect_refused([](ScenarioRequest& r) { r.layout.experts = ExpertPlacement::kWhole; });
  expect_refused([](ScenarioRequest& r) { r.layout.tensor_parallel = 0; });
  expect_refused([](ScenarioRequest& r) { r.device = "h1000"; });
  expect_refused([](ScenarioRequest& r) { r.weights = "fp9"; });
  expect_refused([](ScenarioRequest& r) { r.cache = "fp9"; });
  expect_refused([](ScenarioRequest& r) { r.engine = "vlm"; });
  expect_refused([](ScenarioRequest& r) { r.kv = "paged"; });
  expect_german_error([] { parse_count_list("--context", "8..4"); });
  expect_german_error([] { parse_count_list("--context", "many"); });
}

}  // namespace
}  // namespace dachlast
