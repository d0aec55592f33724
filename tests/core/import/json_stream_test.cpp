#include "core/import/json_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>

#include "core/base/error.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

/// What a document was cut into.
class Collected : public JsonPieces {
 public:
  void event(std::string_view text, std::size_t capacity) override {
    EXPECT_GE(capacity, text.size() + 32);  // parsers read ahead
    events.emplace_back(text);
  }
  void member(std::string_view key, std::string_view value, std::size_t) override { members.emplace_back(key, value); }

  std::vector<std::string> events;
  std::vector<std::pair<std::string, std::string>> members;
};

class CutJson : public ::testing::Test {
 protected:
  Collected cut(const std::string& text) {
    const auto file = folder_ / "trace.json";
    std::ofstream(file, std::ios::binary) << text;
    Collected pieces;
    cut_json(file, pieces);
    return pieces;
  }

  std::string complaint(const std::string& text) {
    try {
      cut(text);
      return {};
    } catch (const Error& error) {
      return error.what();
    }
  }

  testing::TemporaryFolder folder_;
};

TEST_F(CutJson, FindsEventsAndOtherMembers) {
  const Collected pieces = cut(
      R"({"schemaVersion": 1, "deviceProperties": [{"id": 0}], "traceEvents": [ {"a": 1} , {"b": [2, {}]} ], "n": "x"})");
  EXPECT_THAT(pieces.events, ElementsAre(R"({"a": 1})", R"({"b": [2, {}]})"));
  EXPECT_THAT(pieces.members,
              ElementsAre(Pair("schemaVersion", "1"), Pair("deviceProperties", R"([{"id": 0}])"), Pair("n", R"("x")")));
}

TEST_F(CutJson, TakesABareArray) {
  EXPECT_THAT(cut("\xEF\xBB\xBF [{\"a\":1},{\"b\":2}]").events, ElementsAre(R"({"a":1})", R"({"b":2})"));
  EXPECT_TRUE(cut("[]").events.empty());
}

TEST_F(CutJson, BracketsInsideStringsAreText) {
  EXPECT_THAT(cut(R"([{"a":"}]{["},{"b":"\"}"},{"c":"\\"}])").events,
              ElementsAre(R"({"a":"}]{["})", R"({"b":"\"}"})", R"({"c":"\\"})"));
}

TEST_F(CutJson, EventsMayBeLongerThanTheFirstBuffer) {
  const std::string long_event = R"({"name":")" + std::string(3 << 20, 'x') + R"("})";
  const Collected pieces = cut("[" + long_event + ",{\"b\":2}]");
  ASSERT_EQ(pieces.events.size(), 2U);
  EXPECT_EQ(pieces.events[0], long_event);
}

TEST_F(CutJson, AnEventAcrossEveryBoundaryOfTheBufferStaysWhole) {
  std::string text = "[";
  std::vector<std::string> expected;
  for (int i = 0; i < 60'000; ++i) {
    expected.push_back(R"({"index":)" + std::to_string(i) + R"(,"text":"quoted \" and {nested}"})");
    text += (i == 0 ? "" : ",") + expected.back();
  }
  EXPECT_EQ(cut(text + "]").events, expected);  // about 3 MB
}

TEST_F(CutJson, ReadsGzip) {
  const auto file = folder_ / "trace.json.gz";
  gzFile gz = gzopen(file.c_str(), "wb");
  gzputs(gz, R"({"traceEvents":[{"a":1}]})");
  gzclose(gz);
  Collected pieces;
  cut_json(file, pieces);
  EXPECT_THAT(pieces.events, ElementsAre(R"({"a":1})"));
}

TEST_F(CutJson, SaysWhereAFileEndsTooEarly) {
  EXPECT_THAT(complaint(R"({"traceEvents": [{"a": 1})"), HasSubstr("cut off"));
  EXPECT_THAT(complaint(R"({"traceEvents": [{"a": )"), HasSubstr("cut off"));
  EXPECT_THAT(complaint(R"({"traceEvents": [{"a": "x)"), HasSubstr("cut off"));
  EXPECT_THAT(complaint(R"({"traceEvents": [{"a": "x\)"), HasSubstr("cut off"));
  EXPECT_THAT(complaint("{"), HasSubstr("cut off"));
}

TEST_F(CutJson, RefusesWhatIsNoTrace) {
  EXPECT_THAT(complaint(R"({"a": 1})"), HasSubstr("no \"traceEvents\""));
  EXPECT_THAT(complaint(R"({"traceEvents": 5})"), HasSubstr("no array"));
  EXPECT_THAT(complaint("[1, 2]"), HasSubstr("no object"));
  EXPECT_THAT(complaint("hello"), HasSubstr("no JSON"));
}

TEST_F(CutJson, SaysThatCompressedDataEndsTooEarly) {
  const auto file = folder_ / "trace.json.gz";
  gzFile gz = gzopen(file.c_str(), "wb");
  std::string text = "[";
  for (int i = 0; i < 20'000; ++i) text += R"({"a":)" + std::to_string(i * 7919) + "},";
  gzputs(gz, (text + "{}]").c_str());
  gzclose(gz);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  Collected pieces;
  EXPECT_THROW(cut_json(file, pieces), Error);
}

}  // namespace
}  // namespace dachlast
