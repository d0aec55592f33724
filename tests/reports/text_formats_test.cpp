#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/figure/labels.h"
#include "core/viewmodel/run_view.h"
#include "reports/csv.h"
#include "reports/json.h"
#include "reports/markdown.h"
#include "reports/terminal.h"
#include "tests/support/sample_run.h"

namespace dachlast::reports {
namespace {

using nlohmann::json;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class TerminalWidth : public testing::TestWithParam<int> {};

TEST_P(TerminalWidth, NoLineIsWider) {
  auto run = test::sample_run();
  run.model.name = "a model with a rather long name 模型 " + std::string(120, 'x');
  const auto text = terminal_run(viewmodel::run_view(run, test::sample_memory()), {GetParam(), Color::kNever});
  for (const auto& line : lines_of(text)) EXPECT_LE(figure::display_width(line), GetParam()) << line;
}

INSTANTIATE_TEST_SUITE_P(Terminals, TerminalWidth, testing::Values(40, 80, 132));

TEST(Terminal, AnswersFirst) {
  const auto text = terminal_run(viewmodel::run_view(test::sample_run()), {});
  EXPECT_TRUE(text.starts_with("Decode is memory-bound: ")) << text.substr(0, 100);
}

TEST(Terminal, KeepsTimeAndBoundWhereRoomIsShort) {
  const auto lines = lines_of(terminal_table(viewmodel::phase_table(test::sample_run()), {40, Color::kNever}));
  EXPECT_NE(lines[1].find("Time"), std::string::npos) << lines[1];
  EXPECT_NE(lines[2].find("ms"), std::string::npos) << lines[2];
  EXPECT_NE(lines[1].find("Bound"), std::string::npos) << lines[1];
}

TEST(Terminal, ANumberKeepsItsUnitWhenALineBreaks) {
  viewmodel::RunView view = viewmodel::run_view(test::sample_run());
  view.answer = {"Twenty-four columns and 12\u00a0ms."};
  EXPECT_TRUE(terminal_run(view, {26, Color::kNever}).starts_with("Twenty-four columns and\n12 ms.\n"));
}

TEST(Terminal, ColourIsOnlyWhereAsked) {
  const auto view = viewmodel::run_view(test::sample_run());
  EXPECT_EQ(terminal_run(view, {80, Color::kNever}).find('\033'), std::string::npos);
  EXPECT_NE(terminal_run(view, {80, Color::kAlways}).find("\033[1m"), std::string::npos);
}

TEST(Terminal, ForeignTextCannotMoveTheCursor) {
  EXPECT_EQ(terminal_escape("a\033[2Jb\nc\u00a0ms"), "a\u241B[2Jb c ms");
}

TEST(JsonRun, HasTheFieldsOfTheSchema) {
  const json run = json::parse(json_run(test::sample_run()));
  EXPECT_EQ(run["schema"], "dachlast.run/1");
  EXPECT_EQ(run["device"]["roofs"]["bandwidths"].size(), 4u);
  ASSERT_EQ(run["points"].size(), 4u);
  const json& point = run["points"][3];
  EXPECT_EQ(point["phase"], "decode");
  EXPECT_EQ(point["context_tokens"], 512);
  EXPECT_EQ(point["batch"], 1);
  EXPECT_EQ(point["time_s"]["n"], 25);
  EXPECT_EQ(point["samples_s"].size(), 25u);
  EXPECT_TRUE(point["time_s"].contains("p5") && point["time_s"].contains("p95"));
  EXPECT_EQ(point["bound"], "memory");
  EXPECT_GT(point["utilisation"]["memory"].get<double>(), 0.6);
  EXPECT_DOUBLE_EQ(point["intensity_flop_per_byte"].get<double>(),
                   point["flops"].get<double>() / point["bytes"].get<double>());
  for (const char* key : {"op", "time_s", "share", "flops", "bytes", "bound"})
    EXPECT_TRUE(point["ops"][0].contains(key)) << key;
  EXPECT_EQ(run["warnings"][0]["code"], "random_weights");
  EXPECT_EQ(run["assumptions"].size(), 2u);
}

TEST(JsonRun, NamesNoPercentilesBelowTwentySamples) {
  const json run = json::parse(json_run(test::sample_run()));
  EXPECT_FALSE(run["points"][0]["time_s"].contains("p95"));  // 8 samples
  EXPECT_TRUE(run["points"][0]["time_s"].contains("max"));
}

TEST(JsonRun, LeavesOutWhatIsNotANumber) {
  auto run = test::sample_run();
  run.model.n_parameters = std::nan("");
  run.roofs.bandwidths[0].bytes_per_s.max = INFINITY;
  const std::string text = json_run(run);
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_EQ(text.find("null"), std::string::npos);
  EXPECT_FALSE(json::parse(text)["model"].contains("parameters"));
}

TEST(JsonRun, BrokenTextStaysParsable) {
  auto run = test::sample_run();
  run.model.name = "\xFF\"\\\n\x01";
  EXPECT_EQ(json::parse(json_run(run))["model"]["name"], "\uFFFD\"\\\n\x01");
}

TEST(JsonLines, OnePointALine) {
  const auto lines = lines_of(jsonl_run(test::sample_run()));
  ASSERT_EQ(lines.size(), 4u);
  for (const auto& line : lines) EXPECT_EQ(json::parse(line)["schema"], "dachlast.point/1");
}

TEST(JsonCompare, SaysWhatChanged) {
  const auto base = test::sample_run();
  auto other = base;
  for (auto& sample : other.points[3].samples_s) sample *= 1.5;
  const json compared = json::parse(json_compare(base, other, compare_runs(base, other)));
  EXPECT_EQ(compared["schema"], "dachlast.compare/1");
  EXPECT_EQ(compared["points"][3]["verdict"], "slower");
  EXPECT_NEAR(compared["points"][3]["change"].get<double>(), 0.5, 1e-9);
  EXPECT_EQ(compared["points"][0]["verdict"], "within_noise");
}

TEST(JsonRoofs, HoldsEveryRoof) {
  const json roofs = json::parse(json_roofs(test::sample_run().roofs));
  EXPECT_EQ(roofs["schema"], "dachlast.roofs/1");
  EXPECT_EQ(roofs["computes"][0]["ops_per_s"], 100e9);
}

TEST(Csv, QuotesWhatNeedsIt) {
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"so\"\n"), "\"say \"\"so\"\"\n\"");
}

TEST(Csv, RunHoldsEveryOperationAndItsSamples) {
  const auto lines = lines_of(csv_run(test::sample_run()));
  // A header, and per point one row for the step and one an operation: 2 · (1 + 10) + 2 · (1 + 12).
  EXPECT_EQ(lines.size(), 1u + 22u + 26u);
  EXPECT_TRUE(lines[0].starts_with("phase,context_tokens,batch,"));
  EXPECT_TRUE(lines[1].starts_with("prefill,128,1,contiguous,step,1,"));
  EXPECT_EQ(std::count(lines[1].begin(), lines[1].end(), ';'), 7);  // eight samples
}

TEST(Markdown, EscapesMarkup) {
  EXPECT_EQ(markdown_escape("a|b <i>*x*"), "a\\|b \\<i\\>\\*x\\*");
  const auto text =
      markdown_run(viewmodel::run_view(test::sample_run()), viewmodel::Words::of(viewmodel::Language::kEnglish));
  EXPECT_NE(text.find("| Phase |"), std::string::npos);
}

}  // namespace
}  // namespace dachlast::reports
