#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/exit_code.h"
#include "tests/app/cli/run_program.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class PlanCommand : public testing::Test {
 protected:
  PlanCommand() { setenv("XDG_DATA_HOME", user_.path().c_str(), 1); }
  ~PlanCommand() override { unsetenv("XDG_DATA_HOME"); }

  static Outcome plan(std::vector<const char*> words) {
    words.insert(words.begin(), "plan");
    return run_program(std::move(words));
  }

  static nlohmann::ordered_json json_of(std::vector<const char*> words, int code = kExitDone) {
    words.push_back("--json");
    const Outcome outcome = plan(std::move(words));
    EXPECT_EQ(outcome.code, code) << outcome.err;
    return nlohmann::ordered_json::parse(outcome.out);
  }

  static std::vector<std::string> keys(const nlohmann::ordered_json& object) {
    std::vector<std::string> keys;
    for (const auto& item : object.items()) keys.push_back(item.key());
    return keys;
  }

  TempFolder user_;
  TempFolder files_;
};

TEST_F(PlanCommand, StartsWithTheAnswer) {
  const Outcome outcome = plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--context", "32k", "--batch", "8"});
  EXPECT_EQ(outcome.code, kExitDone);
  EXPECT_THAT(outcome.out, StartsWith("FITS with "));
  EXPECT_THAT(outcome.out, HasSubstr("8 × (32 layers × 4 KiB × 32,768 tokens), BF16"));
  EXPECT_THAT(outcome.out, HasSubstr("Assumed: "));
  const Outcome verbose = plan({"--model", "llama-3.1-8b", "--gpu", "h100", "-v"});
  EXPECT_THAT(verbose.out, HasSubstr("weights: 8,030,261,248 parameters, BF16."));
}

TEST_F(PlanCommand, WhatDoesNotFitEndsWithThree) {
  const Outcome outcome = plan({"--model", "llama-3.1-70b", "--gpu", "h100"});
  EXPECT_EQ(outcome.code, kExitDoesNotFit);
  EXPECT_THAT(outcome.out, StartsWith("DOES NOT FIT: needs "));
  EXPECT_THAT(outcome.out, HasSubstr("TP 2."));  // 65.7 GiB of weights a device, 1.25 of cache
  EXPECT_EQ(plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--context", "200000"}).code, kExitDoesNotFit);
  EXPECT_EQ(plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--tp", "3"}).code, kExitDoesNotFit);
}

TEST_F(PlanCommand, JsonHasTheFieldsOfItsSchema) {
  const auto plan = json_of({"--model", "llama-3.1-8b", "--gpu", "h100", "--context", "32k", "--batch", "8"});
  EXPECT_EQ(plan["schema"], "dachlast.plan/1");
  EXPECT_EQ(plan["fits"], true);
  EXPECT_THAT(keys(plan["per_gpu"]),
              ElementsAre("weights_bytes", "kv_cache_bytes", "activations_bytes", "workspace_bytes", "runtime_bytes",
                          "total_bytes", "budget_bytes", "capacity_bytes"));
  EXPECT_EQ(plan["per_gpu"]["weights_bytes"], 16060522496.0);           // 8,030,261,248 · 2
  EXPECT_EQ(plan["per_gpu"]["kv_cache_bytes"], 8.0 * 32768 * 131072);   // 128 KiB a token
  EXPECT_EQ(plan["per_gpu"]["capacity_bytes"], 81559.0 * 1024 * 1024);  // 81,559 MiB
  EXPECT_EQ(plan["kv_bytes_per_token"], 131072.0);
  EXPECT_TRUE(plan["max_context_tokens"].is_number_integer());
  EXPECT_TRUE(plan["max_batch"].is_number_integer());
  double sum = 0;
  for (const auto& segment : plan["segments"]) {
    EXPECT_THAT(keys(segment), ElementsAre("name", "bytes", "origin", "formula"));
    sum += segment["bytes"].get<double>();
  }
  EXPECT_DOUBLE_EQ(sum, plan["per_gpu"]["total_bytes"].get<double>());
  EXPECT_TRUE(plan["warnings"].is_array());
  for (const auto& assumption : plan["assumptions"]) EXPECT_THAT(keys(assumption), ElementsAre("code", "text"));
}

/// What the document promises its readers: every key, and the type of its value.
void expect_types(const nlohmann::ordered_json& object, const std::map<std::string, std::string>& types) {
  for (const auto& [key, type] : types) {
    ASSERT_TRUE(object.contains(key)) << key;
    EXPECT_EQ(std::string(object[key].type_name()), type) << key;
  }
}

TEST_F(PlanCommand, EveryKeyOfTheSchemaIsThereWithItsType) {
  const auto plan = json_of({"--model", "llama-3.2-90b-vision", "--gpu", "h100", "--tp", "4"});
  expect_types(plan, {{"schema", "string"},
                      {"fits", "boolean"},
                      {"fit_probability", "number"},
                      {"per_gpu", "object"},
                      {"kv_bytes_per_token", "number"},
                      {"max_context_tokens", "number"},
                      {"max_batch", "number"},
                      {"segments", "array"},
                      {"warnings", "array"},
                      {"assumptions", "array"}});
  for (const auto& [key, value] : plan["per_gpu"].items()) EXPECT_TRUE(value.is_number()) << key;
  ASSERT_FALSE(plan["segments"].empty());
  for (const auto& segment : plan["segments"])
    expect_types(segment, {{"name", "string"}, {"bytes", "number"}, {"origin", "string"}, {"formula", "string"}});
  ASSERT_FALSE(plan["warnings"].empty());  // its cross-attention is an upper bound
  for (const auto& warning : plan["warnings"]) expect_types(warning, {{"code", "string"}, {"text", "string"}});
}

TEST_F(PlanCommand, WithoutADeviceVerdictAndBudgetAreNull) {
  const auto plan = json_of({"--model", "llama-3.1-8b"});
  for (const char* key : {"fits", "max_context_tokens", "max_batch"}) EXPECT_TRUE(plan[key].is_null()) << key;
  EXPECT_TRUE(plan["per_gpu"]["budget_bytes"].is_null());
  EXPECT_TRUE(plan["per_gpu"]["capacity_bytes"].is_null());
  EXPECT_EQ(plan["context_tokens"], 8192);
}

TEST_F(PlanCommand, SolvedLimitsAreOneNumberALine) {
  const Outcome context = plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--batch", "8", "--max-context"});
  EXPECT_EQ(context.code, kExitDone);
  const auto json = json_of({"--model", "llama-3.1-8b", "--gpu", "h100", "--batch", "8"});
  EXPECT_EQ(context.out, std::to_string(json["max_context_tokens"].get<int>()) + "\n");
  const Outcome batch = plan({"--model", "llama-3.1-8b", "--gpu", "h100,h200", "--context", "32k", "--max-batch"});
  int first = 0, second = 0;
  std::istringstream(batch.out) >> first >> second;
  EXPECT_GT(first, 1);
  EXPECT_GT(second, first);  // 141 GB hold more
  const Outcome none = plan({"--model", "llama-3.1-70b", "--gpu", "h100", "--max-context"});
  EXPECT_EQ(none.code, kExitDoesNotFit);
  EXPECT_EQ(none.out, "0\n");
  EXPECT_EQ(plan({"--model", "llama-3.1-8b", "--max-context"}).code, kExitUsage);
}

TEST_F(PlanCommand, SeveralDevicesAndTypesAreARowEach) {
  const auto list = json_of({"--model", "llama-3.1-8b", "--gpu", "t4,h100", "--dtype", "bf16,fp8"});
  EXPECT_EQ(list["schema"], "dachlast.plans/1");
  ASSERT_EQ(list["plans"].size(), 4u);
  EXPECT_EQ(list["plans"][0]["fits"], false);
  EXPECT_EQ(list["plans"][2]["fits"], true);
  EXPECT_EQ(list["plans"][3]["weights"], "fp8");
  const Outcome table = plan({"--model", "llama-3.1-8b", "--gpu", "t4,h100"});
  EXPECT_EQ(table.code, kExitDone);  // one of them fits
  EXPECT_THAT(table.out, HasSubstr("does not fit"));
  EXPECT_EQ(plan({"--model", "llama-3.1-70b", "--gpu", "t4,h100"}).code, kExitDoesNotFit);
}

TEST_F(PlanCommand, ASweepIsAGridAndADrawing) {
  const auto sweep = json_of({"--model", "llama-3.1-8b", "--gpu", "h100", "--sweep", "context,batch", "--context",
                              "1k,16k", "--batch", "1,64"});
  EXPECT_EQ(sweep["schema"], "dachlast.sweep/1");
  ASSERT_EQ(sweep["cells"].size(), 4u);
  EXPECT_EQ(sweep["cells"][1]["context_tokens"], 16384);
  EXPECT_EQ(sweep["cells"][1]["kv_cache_bytes"], 2147483648.0);  // 16,384 · 128 KiB
  EXPECT_EQ(sweep["cells"][3]["fits"], false);                   // 128 GiB
  const std::string svg = (files_.path() / "map.svg").string();
  const Outcome drawn =
      plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--sweep", "context,batch", "--chart", svg.c_str()});
  EXPECT_EQ(drawn.code, kExitDone);
  std::stringstream text;
  text << std::ifstream(svg).rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("<svg"));
  EXPECT_THAT(plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--sweep", "context,batch", "--format", "csv"}).out,
              StartsWith("context_tokens,batch,"));
}

TEST_F(PlanCommand, DrawsEveryChartOfAPlanInTheLanguageAskedFor) {
  for (const char* view : {"memory", "context", "heatmap", "speed-over-batch", "speed-over-context"}) {
    const Outcome drawn = plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--chart", "-", "--view", view});
    EXPECT_EQ(drawn.code, kExitDone) << view << drawn.err;
    EXPECT_THAT(drawn.out, StartsWith("<?xml")) << view;
  }
  EXPECT_THAT(plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--chart", "-", "--lang", "de"}).out,
              HasSubstr("Gewichte"));
  EXPECT_THAT(plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--chart", "-", "--view", "contxt"}).err,
              HasSubstr("Did you mean context? It has: memory, context, heatmap, speed-over-batch, "
                        "speed-over-context."));
}

TEST_F(PlanCommand, TheEndingOfAChartsFileSaysWhatItHolds) {
  const auto written = [&](const char* name) {
    const std::string file = (files_.path() / name).string();
    const Outcome drawn = plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--chart", file.c_str()});
    EXPECT_EQ(drawn.code, kExitDone) << drawn.err;
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  };
  EXPECT_THAT(written("memory.svg"), AllOf(HasSubstr("llama-3.1-8b on H100"), HasSubstr("14.96")));  // head and table
  EXPECT_THAT(written("memory.csv"), HasSubstr("weights,"));
  EXPECT_THAT(written("memory.json"), HasSubstr("dachlast.chart/1"));
  EXPECT_THAT(plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--chart", "-", "--bare"}).out,
              Not(HasSubstr("font-size=\"16\"")));
  EXPECT_THAT(plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--chart", "memory.gif"}).err,
              HasSubstr("Name the file .svg, .png, .csv or .json."));
}

TEST_F(PlanCommand, ABatchOfOneIsAGridOfOneRow) {
  const auto sweep = json_of(
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--sweep", "context,batch", "--context", "1k", "--batch", "1"});
  EXPECT_EQ(sweep["cells"].size(), 1u);
}

TEST_F(PlanCommand, AModelOfShortContextsIsSweptAtItsLimit) {
  // 512 tokens, below the first context of the usual grid.
  const auto sweep = json_of({"--model", "stories-260k", "--gpu", "h100", "--sweep", "context,batch", "--batch", "1"});
  ASSERT_EQ(sweep["cells"].size(), 1u);
  EXPECT_EQ(sweep["cells"][0]["context_tokens"], 512);
}

TEST_F(PlanCommand, AnImaginaryDeviceIsAFile) {
  const std::string file =
      files_.write("cim.yaml", "id: cim\nmemory: [{capacity: 1 TB, bandwidth: 100 TB/s}]\n").string();
  const auto plan = json_of({"--model", "llama-3.1-70b", "--gpu", file.c_str(), "--memory-fraction", "50%"});
  EXPECT_EQ(plan["per_gpu"]["capacity_bytes"], 1e12);
  EXPECT_EQ(plan["per_gpu"]["budget_bytes"], 5e11);
  EXPECT_EQ(json_of({"--model", "llama-3.1-70b", "--gpu", file.c_str(), "--memory-fraction", "0.5"})["per_gpu"],
            plan["per_gpu"]);
}

TEST_F(PlanCommand, WrongUsageEndsWithTwo) {
  const std::vector<std::vector<const char*>> wrong = {
      {},
      {"--model", "llama-3.1-9b", "--gpu", "h100"},
      {"--model", "llama-3.1-8b", "--gpu", "h1000"},
      {"--model", "llama-3.1-8b", "--gpu", "h100,,t4"},
      {"--model", "llama-3.1-8b", "--gpu", "h100,"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--dtype", "int3"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--kv-dtype", "bf16,"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--engine", "vlm"},
      {"--model", "llama-3.1-8b", "--kv", "paged"},  // vLLM has its own
      {"--model", "llama-3.1-8b", "--engine", "dachlast", "--kv", "pages"},
      {"--model", "llama-3.1-8b", "--engine", "dachlast", "--kv", "none"},
      {"--model", "llama-3.1-8b", "--engine", "dachlast", "--kv", "offload:host"},
      {"--model", "llama-3.1-8b", "--engine", "dachlast", "--kv", "int8", "--kv-dtype", "bf16"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--batch", "0"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--context", "99999999999999999999"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--tp", "0"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--tp", "8", "--dp-attention", "1073741824"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--expert-parallel", "--tp", "2"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--memory-fraction", "1.5"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--memory-fraction", "nan"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--max-num-seqs", "-1"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--sweep", "context"},
      {"--model", "llama-3.1-8b", "--gpu", "h100,t4", "--sweep", "context,batch"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--view", "context"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--chart", "-", "--view", "pareto"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--chart", "-", "--sweep", "context,batch", "--view", "context"},
      {"--model", "llama-3.1-8b", "--gpu", "h100,l40s", "--chart", "-"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--chart", "memory.gif"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--chart", "-", "--scale", "4"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--chart", "-", "--theme", "pink"},
      {"--model", "llama-3.1-8b", "--gpu", ""},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--dtype", ""},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--engine", "vllm@"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--engine", "@0.10"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--pp", "99999999999"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--max-context", "--max-batch"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--max-batch", "--sweep", "context,batch"},
      {"--model", "llama-3.1-8b", "--gpu", "h100", "--sweep", "context,batch", "--context", "1..4000", "--batch",
       "1..4000"}};
  for (const auto& words : wrong) {
    const Outcome outcome = plan(words);
    std::string line;
    for (const char* word : words) line += std::string(word) + " ";
    EXPECT_EQ(outcome.code, kExitUsage) << line << outcome.err;
    EXPECT_EQ(outcome.out, "") << line;
    EXPECT_NE(outcome.err, "") << line;
  }
}

TEST_F(PlanCommand, OneMeasuredLoadCorrectsTheOthers) {
  const Outcome held = plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--context", "2k", "--batch", "8",
                             "--measured", "ttft=1.25s,tpot=30ms"});
  EXPECT_EQ(held.code, kExitDone) << held.err;
  EXPECT_THAT(held.out, HasSubstr("1.25 s"));  // at the measured load the prediction is the measurement
  EXPECT_THAT(held.out, HasSubstr("30.0 ms"));
  EXPECT_THAT(held.out, HasSubstr("held to TTFT 1.25"));
  const Outcome wrong = plan({"--model", "llama-3.1-8b", "--gpu", "h100", "--measured", "batch=8"});
  EXPECT_EQ(wrong.code, kExitUsage);
  EXPECT_THAT(wrong.err, HasSubstr("tells nothing measured"));
}

TEST_F(PlanCommand, UnreadableInputEndsWithSix) {
  const std::string config = files_.write("config.json", "{\"model_type\": \"llama\"").string();
  EXPECT_EQ(plan({"--model", config.c_str(), "--gpu", "h100"}).code, kExitInput);
  const std::string gguf = files_.write("model.gguf", "GGUF").string();
  const Outcome outcome = plan({"--model", gguf.c_str(), "--gpu", "h100"});
  EXPECT_EQ(outcome.code, kExitInput);
  EXPECT_THAT(outcome.err, HasSubstr("model.gguf"));
  EXPECT_EQ(plan({"--model", "llama-3.1-8b", "--gpu", files_.write("d.yaml", "id: [\n").c_str()}).code, kExitInput);
}

}  // namespace
}  // namespace dachlast::cli
