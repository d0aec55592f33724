#include "core/workbench/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace dachlast {
namespace {

using testing::ElementsAre;

TEST(ParseCount, ReadsPlainAndScaledNumbers) {
  EXPECT_EQ(parse_count("--context", "4096"), 4096);
  EXPECT_EQ(parse_count("--context", "32k"), 32 * 1024);
  EXPECT_EQ(parse_count("--context", "1M"), 1024 * 1024);
}

TEST(ParseCount, RefusesEverythingElseAndNamesTheOption) {
  for (const char* text : {"", "0", "-1", "4.5", "12x", "k", "99999999999999999999", "2048M", " 4", "0x10"}) {
    try {
      parse_count("--context", text);
      ADD_FAILURE() << "accepted '" << text << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.subject(), testing::StartsWith("--context"));
    }
  }
}

TEST(ParseCountList, ReadsListsRangesAndSteps) {
  EXPECT_THAT(parse_count_list("--batch", "1,8"), ElementsAre(1, 8));
  EXPECT_THAT(parse_count_list("--batch", "1..4"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(parse_count_list("--batch", "1..64*2"), ElementsAre(1, 2, 4, 8, 16, 32, 64));
  EXPECT_THAT(parse_count_list("--batch", "1k..4k+1k"), ElementsAre(1024, 2048, 3072, 4096));
  EXPECT_THAT(parse_count_list("--batch", "8,1,8"), ElementsAre(8, 1));
}

TEST(ParseCountList, RefusesWhatNeverEndsOrIsEmpty) {
  for (const char* text : {"", "1,", ",1", "8..1", "1..8*1", "1..8*0", "1..", "..8", "1..100000"})
    EXPECT_THROW(parse_count_list("--batch", text), Error) << text;
}

TEST(ParsePercent, TakesTheSignOrLeavesIt) {
  EXPECT_DOUBLE_EQ(parse_percent("--threshold", "5%"), 0.05);
  EXPECT_DOUBLE_EQ(parse_percent("--threshold", "2.5"), 0.025);
  for (const char* text : {"", "%", "-1%", "nan", "5%%"})
    EXPECT_THROW(parse_percent("--threshold", text), Error) << text;
}

TEST(ParseTime, IsInMillisecondsUnlessItSaysSo) {
  EXPECT_DOUBLE_EQ(parse_time("--ttft", "200ms"), 0.2);
  EXPECT_DOUBLE_EQ(parse_time("--ttft", "200"), 0.2);
  EXPECT_DOUBLE_EQ(parse_time("--ttft", "1.5s"), 1.5);
  for (const char* text : {"", "0", "-1s", "1h", "ms", "1e9s", "nan"})
    EXPECT_THROW(parse_time("--ttft", text), Error) << text;
}

TEST(ParseMeasured, WhatIsLeftOutIsAsPlanned) {
  const ServedLoad planned{.prompt_tokens = 7680, .output_tokens = 512, .n_sequences = 16};
  const MeasuredSpeed one = parse_measured("--measured", "batch=8,ttft=312ms,tpot=11.2ms", planned);
  EXPECT_EQ(one.load.n_sequences, 8);
  EXPECT_EQ(one.load.prompt_tokens, 7680);
  EXPECT_DOUBLE_EQ(*one.ttft_s, 0.312);
  EXPECT_DOUBLE_EQ(*one.tpot_s, 0.0112);
  const MeasuredSpeed other = parse_measured("--measured", "tpot=9,output=1k,prompt=2k", planned);
  EXPECT_EQ(other.load.n_sequences, 16);
  EXPECT_EQ(other.load.prompt_tokens, 2048);
  EXPECT_EQ(other.load.output_tokens, 1024);
  EXPECT_FALSE(other.ttft_s.has_value());
}

TEST(ParseMeasured, RefusesWhatTellsNothing) {
  for (const char* text :
       {"", "batch=8", "ttft", "ttft=", "ttft=0", "itl=3ms", "tpot=9ms,tpot=8ms", "ttft=9ms,", "batch=0,ttft=1s"})
    EXPECT_THROW(parse_measured("--measured", text, {}), Error) << text;
}

}  // namespace
}  // namespace dachlast
