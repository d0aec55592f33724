#include "core/model/tokenizer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/model/json_file.h"
#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

Tokenizer bundled() {
  return {data_dir() / "models/stories-260k/tokenizer.bin", 512};
}

nlohmann::json golden_runs() {
  return read_json_file(fs::path(DACHLAST_TEST_DATA_DIR) / "stories260k/golden.json").at("runs");
}

TEST(TokenizerGolden, EncodesThePrompts) {
  const Tokenizer tokenizer = bundled();
  ASSERT_EQ(golden_runs().size(), 4u);
  for (const auto& run : golden_runs())
    EXPECT_EQ(tokenizer.encode(run.at("prompt").get<std::string>()), run.at("prompt_ids").get<std::vector<int>>());
}

TEST(TokenizerGolden, DecodesTheAnswers) {
  const Tokenizer tokenizer = bundled();
  for (const auto& run : golden_runs()) {
    auto ids = run.at("prompt_ids").get<std::vector<std::int32_t>>();
    for (const int id : run.at("greedy_ids")) ids.push_back(id);
    EXPECT_EQ(tokenizer.decode(ids), run.at("text").get<std::string>());
  }
}

TEST(TokenizerGolden, EncodesWhatItDecodes) {
  const Tokenizer tokenizer = bundled();
  for (const auto& run : golden_runs()) {
    const auto text = run.at("text").get<std::string>();
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  }
}

TEST(TokenizerText, AnyBytesSurviveTheRoundTrip) {
  const Tokenizer tokenizer = bundled();
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& text : {std::string("Grüße, 世界 🙂"), all, std::string("\x80\x80\x80\x80\x80"),
                                  std::string("a\0b", 3), std::string("  two")})
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
}

TEST(TokenizerText, LongTextsTakeNoQuadraticTime) {
  const Tokenizer tokenizer = bundled();
  std::string text;
  while (text.size() < 200'000) text += "Once upon a time ";  // quadratic merging would take minutes
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
}

TEST(TokenizerText, EmptyTextIsBeginOfTextOnly) {
  EXPECT_EQ(bundled().encode(""), std::vector<std::int32_t>{Tokenizer::kBeginOfText});
  EXPECT_EQ(bundled().decode({}), "");
}

TEST(TokenizerText, ForeignIdsAreRefused) {
  const Tokenizer tokenizer = bundled();
  for (const std::int32_t id : {-1, 512, std::numeric_limits<std::int32_t>::max()})
    EXPECT_THROW(tokenizer.decode(std::vector<std::int32_t>{id}), Error);
}

class TokenizerFile : public ConfigTest {
 protected:
  std::string content_ = read_text_file(data_dir() / "models/stories-260k/tokenizer.bin", 1u << 20);

  void expect_refused(const std::string& content, int vocab_size = 512) {
    try {
      const Tokenizer tokenizer(write("tokenizer.bin", content), vocab_size);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_THAT(error.subject(), testing::HasSubstr("tokenizer.bin"));
    }
  }

  /// The file with the four bytes at `offset` replaced.
  template <class T>
  std::string patched(std::size_t offset, T value) {
    std::string content = content_;
    std::memcpy(content.data() + offset, &value, sizeof(value));
    return content;
  }
};

TEST_F(TokenizerFile, TruncatedFilesAreRefused) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{4}, std::size_t{9}, content_.size() - 1})
    expect_refused(content_.substr(0, size));
}

TEST_F(TokenizerFile, OtherVocabularySizesAreRefused) {
  expect_refused(content_, 511);
  expect_refused(content_, 513);
  expect_refused(content_ + "x");
}

TEST_F(TokenizerFile, ImpossibleLengthsAndScoresAreRefused) {
  expect_refused(patched(0, std::int32_t{-1}));
  expect_refused(patched(0, std::numeric_limits<std::int32_t>::max()));
  expect_refused(patched(4, std::numeric_limits<float>::quiet_NaN()));  // score of piece 0
  expect_refused(patched(8, std::int32_t{-5}));                         // length of piece 0
  expect_refused(patched(8, std::numeric_limits<std::int32_t>::max()));
}

TEST_F(TokenizerFile, AbsentFilesAreRefused) {
  EXPECT_THROW(Tokenizer(folder_ / "absent", 512), Error);
}

}  // namespace
}  // namespace dachlast
