#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/exit_code.h"
#include "tests/app/cli/run_program.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class RecommendCommand : public testing::Test {
 protected:
  RecommendCommand() { setenv("XDG_DATA_HOME", user_.path().c_str(), 1); }
  ~RecommendCommand() override { unsetenv("XDG_DATA_HOME"); }

  static Outcome recommend(std::vector<const char*> words) {
    std::vector<const char*> all = {"recommend", "--model", "llama-3.1-8b", "--gpus", "h100,l40s"};
    all.insert(all.end(), words.begin(), words.end());
    return run_program(std::move(all));
  }

  TempFolder user_;
};

TEST_F(RecommendCommand, StartsWithTheAnswerAndListsWhatItAssumes) {
  const Outcome outcome = recommend({"--context", "8k", "--concurrency", "16", "--max-gpus", "4"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("RECOMMENDED for 16 requests of 8,192 tokens: 1 × "));
  EXPECT_THAT(outcome.out, HasSubstr("fewest GPUs"));
  for (const char* option : {"--concurrency", "--prompt-tokens", "--ttft", "--tpot", "--gpus", "--max-gpus", "--types",
                             "--engine", "--prices"})
    EXPECT_THAT(outcome.out, HasSubstr(option));
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(std::ranges::count_if(line, [](unsigned char c) { return (c & 0xC0) != 0x80; }), 80) << line;
}

TEST_F(RecommendCommand, NothingThatQualifiesEndsWithThreeAndTheNearestMiss) {
  const Outcome outcome = recommend({"--tpot", "0.1ms", "--max-gpus", "2"});
  EXPECT_EQ(outcome.code, kExitDoesNotFit);
  EXPECT_THAT(outcome.out, StartsWith("NOTHING QUALIFIES"));
  EXPECT_THAT(outcome.out, HasSubstr("Nearest: "));
  EXPECT_THAT(outcome.out, HasSubstr("limit 0.1"));
  EXPECT_EQ(run_program({"recommend", "--model", "llama-3.1-70b", "--gpus", "l4", "--max-gpus", "1"}).code,
            kExitDoesNotFit);
}

TEST_F(RecommendCommand, RejectedOnesComeWithTheirReasons) {
  const Outcome outcome = recommend({"--context", "8k", "--concurrency", "64", "--tpot", "12ms", "--show-rejected"});
  EXPECT_THAT(outcome.out, HasSubstr("TP 3: 32 attention heads are not divisible by 3."));
  EXPECT_THAT(outcome.out, HasSubstr("limit 12 ms"));
  // 64 · 8,192 tokens · 128 KiB are 64 GiB beside 15 GiB of weights.
  const Outcome full =
      recommend({"--context", "8k", "--concurrency", "64", "--types", "bf16", "--max-gpus", "1", "--show-rejected"});
  EXPECT_EQ(full.code, kExitDoesNotFit);
  EXPECT_THAT(full.out, HasSubstr("1 × l40s, one device, bf16/bf16: KV cache short by "));
  EXPECT_THAT(recommend({"--concurrency", "2"}).out, Not(HasSubstr("divisible")));
}

TEST_F(RecommendCommand, JsonAndCsvHoldEveryCandidate) {
  const Outcome json = recommend({"--max-gpus", "4", "--concurrency", "4", "--json"});
  const auto document = nlohmann::json::parse(json.out);
  EXPECT_EQ(document["schema"], "dachlast.recommend/1");
  for (const char* key : {"answer", "options", "frontier", "candidates", "refused_layouts", "assumptions", "warnings"})
    EXPECT_TRUE(document.contains(key)) << key;
  ASSERT_FALSE(document["options"].empty());
  EXPECT_FALSE(document["options"][0]["advantages"].empty());
  EXPECT_GT(document["options"][0]["speed"]["tpot_s"].get<double>(), 0.0);
  for (const auto& candidate : document["candidates"])
    EXPECT_TRUE(candidate["standing"] != "does not fit" || !candidate.contains("speed"));
  const Outcome csv = recommend({"--max-gpus", "4", "--concurrency", "4", "--format", "csv"});
  const auto lines = std::ranges::count(csv.out, '\n');
  EXPECT_EQ(static_cast<std::size_t>(lines), document["candidates"].size() + 1);
}

TEST_F(RecommendCommand, PricesMakeACostColumn) {
  const TempFolder files;
  const auto prices = files.write("prices.csv",
                                  "device,per_hour,currency,date,source\nh100,3,EUR,2026-05-01,our contract\n"
                                  "l40s,1,EUR,2026-05-01,our contract\n");
  const std::string path = prices.string();
  const Outcome outcome = recommend({"--prices", path.c_str(), "--concurrency", "8"});
  EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("lowest cost"));
  EXPECT_THAT(outcome.out, HasSubstr("EUR/M"));
  EXPECT_THAT(outcome.out, HasSubstr("our contract"));
  EXPECT_EQ(recommend({"--prices", "/nowhere.csv"}).code, kExitInput);
}

TEST_F(RecommendCommand, DrawsTheParetoChart) {
  const Outcome outcome = recommend({"--chart", "-", "--concurrency", "4", "--max-gpus", "2", "--tpot", "50ms"});
  EXPECT_EQ(outcome.code, kExitDone);
  EXPECT_THAT(outcome.out, HasSubstr("<svg"));
  EXPECT_THAT(outcome.out, HasSubstr("Tokens/s per GPU"));
  EXPECT_THAT(outcome.out, HasSubstr("within TPOT"));
}

TEST_F(RecommendCommand, WrongWordsAreNamed) {
  for (const auto& words : std::vector<std::vector<const char*>>{{"--tpot", "soon"},
                                                                 {"--ttft", "-3ms"},
                                                                 {"--max-gpus", "65"},
                                                                 {"--types", "fp8,"},
                                                                 {"--types", "fp7"},
                                                                 {"--types", "fp8/fp7"},
                                                                 {"--concurrency", "0"},
                                                                 {"--context", "1"},
                                                                 {"--prompt-tokens", "9000", "--context", "8k"}}) {
    const Outcome outcome = recommend(words);
    EXPECT_EQ(outcome.code, kExitUsage) << words[1];
    EXPECT_TRUE(outcome.out.empty()) << words[1];
  }
  EXPECT_EQ(recommend({"--context", "1M"}).code, kExitDoesNotFit);
}

TEST_F(RecommendCommand, PlanShowsSpeedsOnlyOfWhatFits) {
  const Outcome fits = run_program({"plan", "--model", "llama-3.1-8b", "--gpu", "h100", "--context", "8k"});
  EXPECT_THAT(fits.out, HasSubstr("TPOT"));
  EXPECT_THAT(fits.out, HasSubstr("measured on this device"));
  const Outcome not_fits = run_program({"plan", "--model", "llama-3.1-70b", "--gpu", "h100"});
  EXPECT_THAT(not_fits.out, Not(HasSubstr("TPOT")));
  EXPECT_THAT(not_fits.out, HasSubstr("Speed is not predicted: it does not fit."));
  const Outcome sweep = run_program({"plan", "--model", "llama-3.1-8b", "--gpu", "l4", "--sweep", "context,batch",
                                     "--context", "1k,64k", "--batch", "1,16", "--json"});
  const auto cells = nlohmann::json::parse(sweep.out)["cells"];
  for (const auto& cell : cells) EXPECT_EQ(cell.contains("speed"), cell["fits"].get<bool>());
}

}  // namespace
}  // namespace dachlast::cli
