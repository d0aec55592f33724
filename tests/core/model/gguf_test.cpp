#include "core/model/gguf.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "tests/core/model/gguf_writer.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path kSamples = fs::path(DACHLAST_TEST_DATA_DIR) / "gguf";

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

json read_json(const fs::path& path) {
  return json::parse(read_file(path));
}

/// The error that reading these bytes ends in; empty where they are accepted.
std::optional<Error> error_of(std::string_view bytes, GgufExtent extent = GgufExtent::kWholeFile) {
  try {
    read_gguf_header(bytes_of(bytes), "sample", extent);
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

std::string reason_of(std::string_view bytes, GgufExtent extent = GgufExtent::kWholeFile) {
  const auto error = error_of(bytes, extent);
  return error ? error->reason() : "";
}

std::optional<Error> error_of_file(const fs::path& path) {
  try {
    read_gguf(path);
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/// A small valid file: 5 keys of many types, 3 tensors.
GgufWriter small_file() {
  GgufWriter writer;
  writer.text("general.architecture", "llama").u32("general.alignment", 32);
  writer.value("flag", 7, "\1").array<float>("scores", GgufValueType::kF32, {1.0f, 2.0f});
  writer.value("words", 9, raw<std::uint32_t>(8) + raw<std::uint64_t>(2) + gguf_text("a") + gguf_text(""));
  return writer.tensor("a", {32, 2}, 8).tensor("b", {5}).tensor("c", {}, 1);
}

// -------- real files

class GoldenFiles : public testing::TestWithParam<const char*> {};

TEST_P(GoldenFiles, HeaderIsAsRecorded) {
  const json golden = read_json(kSamples / "stories260K.contents.json").at(GetParam());
  const GgufFile file = read_gguf(kSamples / GetParam());
  const GgufHeader& header = file.first();
  EXPECT_EQ(header.version, golden.at("version"));
  EXPECT_EQ(header.data_begin, golden.at("data_offset"));
  ASSERT_EQ(header.metadata.size(), golden.at("kv").size());
  for (const auto& [key, expected] : golden.at("kv").items()) {
    const GgufValue* value = header.find_value(key);
    ASSERT_NE(value, nullptr) << key;
    if (const auto* array = std::get_if<GgufArray>(&value->value))
      EXPECT_EQ(fmt::format("array[{}]", array->count), expected) << key;
    else if (const auto text = text_of(*value))
      EXPECT_EQ(*text, expected) << key;
    else
      EXPECT_EQ(number_of(*value), expected.get<double>()) << key;
  }
}

// Sums are recorded with six digits behind the point, elements with seven.
TEST_P(GoldenFiles, TensorsAndTheirElementsAreAsRecorded) {
  const json golden = read_json(kSamples / "stories260K.contents.json").at(GetParam()).at("tensors");
  const GgufFile file = read_gguf(kSamples / GetParam());
  ASSERT_EQ(file.n_tensors(), golden.size());
  for (std::size_t i = 0; i < golden.size(); ++i) {
    const GgufTensor& tensor = file.first().tensors[i];
    const json& expected = golden[i];
    SCOPED_TRACE(std::string(tensor.name));
    EXPECT_EQ(tensor.name, expected.at("name"));
    EXPECT_EQ(tensor.type->name, expected.at("type"));
    EXPECT_EQ(tensor.offset, expected.at("offset"));
    ASSERT_EQ(static_cast<std::size_t>(tensor.n_dims), expected.at("dims").size());
    for (std::size_t d = 0; d < expected.at("dims").size(); ++d) EXPECT_EQ(tensor.dims[d], expected.at("dims")[d]);
    double sum = 0.0;
    double abs_sum = 0.0;
    const std::vector<float> values = dequantize(*tensor.type, file.first().bytes(tensor));
    for (const float value : values) {
      sum += value;
      abs_sum += std::abs(value);
    }
    EXPECT_EQ(values.size(), tensor.elements);
    EXPECT_NEAR(sum, expected.at("sum").get<double>(), 1e-6);
    EXPECT_NEAR(abs_sum, expected.at("abs_sum").get<double>(), 1e-6);
    for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(values[k], expected.at("first4")[k].get<float>(), 1e-7);
  }
}

INSTANTIATE_TEST_SUITE_P(Gguf, GoldenFiles,
                         testing::Values("stories260K.f32.gguf", "stories260K.F16.gguf", "stories260K.BF16.gguf",
                                         "stories260K-pad192.Q8_0.gguf", "stories260K-pad192.Q5_1.gguf",
                                         "stories260K-pad192.Q4_0.gguf"));

TEST(Gguf, FilesOfOtherWritersAreAsRecorded) {
  const json goldens = read_json(kSamples / "contents.json");
  for (const auto& [name, golden] : goldens.items()) {
    SCOPED_TRACE(name);
    const GgufFile file = read_gguf(kSamples / name, GgufExtent::kHeaderOnly);
    const GgufHeader& header = file.first();
    EXPECT_EQ(header.version, golden.at("version"));
    EXPECT_EQ(header.file.size(), golden.at("size"));
    EXPECT_EQ(header.metadata.size(), golden.at("kv_count"));
    EXPECT_EQ(header.tensors.size(), golden.at("tensor_count"));
    EXPECT_EQ(header.data_begin, golden.at("data_offset"));
    EXPECT_EQ(text_of(*header.find_value("general.architecture")), golden.at("architecture").get<std::string>());
    const GgufValue* tokens = header.find_value("tokenizer.ggml.tokens");
    EXPECT_EQ(tokens ? std::get<GgufArray>(tokens->value).count : 0u, golden.at("tokens"));
    for (const json& expected : golden.at("tensors")) {
      const GgufTensor* tensor = header.find_tensor(expected[0].get<std::string>());
      ASSERT_NE(tensor, nullptr);
      for (std::size_t d = 0; d < expected[1].size(); ++d) EXPECT_EQ(tensor->dims[d], expected[1][d]);
      EXPECT_EQ(tensor->type->id, expected[2]);
      EXPECT_EQ(tensor->offset, expected[3]);
    }
  }
}

// -------- values

TEST(Gguf, ReadsEveryTypeOfValue) {
  GgufWriter writer;
  writer.value("0", 0, raw<std::uint8_t>(200)).value("1", 1, raw<std::int8_t>(-7));
  writer.value("2", 2, raw<std::uint16_t>(60000)).value("3", 3, raw<std::int16_t>(-300));
  writer.value("4", 4, raw<std::uint32_t>(4'000'000'000u)).value("5", 5, raw<std::int32_t>(-5));
  writer.value("6", 6, raw(0.5f)).value("7", 7, "\1").text("8", "héllo");
  writer.value("10", 10, raw<std::uint64_t>(1ull << 63)).value("11", 11, raw<std::int64_t>(-1));
  writer.value("12", 12, raw(0.1)).array<std::int16_t>("9", GgufValueType::kI16, {1, -2, 3});
  const std::string bytes = writer.file();
  const GgufHeader header = read_gguf_header(bytes_of(bytes), "sample", GgufExtent::kWholeFile);
  const auto value = [&](std::string_view key) -> const GgufValue& { return *header.find_value(key); };
  EXPECT_EQ(integer_of(value("0")), 200);
  EXPECT_EQ(integer_of(value("1")), -7);
  EXPECT_EQ(integer_of(value("2")), 60000);
  EXPECT_EQ(integer_of(value("3")), -300);
  EXPECT_EQ(integer_of(value("4")), 4'000'000'000);
  EXPECT_EQ(integer_of(value("5")), -5);
  EXPECT_EQ(number_of(value("6")), 0.5);
  EXPECT_EQ(flag_of(value("7")), true);
  EXPECT_EQ(text_of(value("8")), "héllo");
  EXPECT_EQ(integer_of(value("10")), std::nullopt);  // beyond signed 64 bits
  EXPECT_EQ(std::get<std::uint64_t>(value("10").value), 1ull << 63);
  EXPECT_EQ(integer_of(value("11")), -1);
  EXPECT_EQ(number_of(value("12")), 0.1);
  EXPECT_EQ(integers_of(std::get<GgufArray>(value("9").value)), (std::vector<std::int64_t>{1, -2, 3}));
  EXPECT_EQ(text_of(value("6")), std::nullopt);
  EXPECT_EQ(flag_of(value("0")), std::nullopt);
}

/// `depth` arrays of one element, the innermost of bytes.
std::string nested_array(int depth) {
  std::string bytes;
  for (int i = 1; i < depth; ++i) bytes += raw<std::uint32_t>(9) + raw<std::uint64_t>(1);
  return bytes + raw<std::uint32_t>(0) + raw<std::uint64_t>(1) + "x";
}

TEST(Gguf, ArraysNestALittle) {
  EXPECT_EQ(reason_of(GgufWriter().value("a", 9, nested_array(4)).file()), "");
  EXPECT_THAT(reason_of(GgufWriter().value("a", 9, nested_array(5)).file()), HasSubstr("nests arrays too deep"));
  EXPECT_THAT(reason_of(GgufWriter().value("a", 9, nested_array(100'000)).file()), HasSubstr("too deep"));
}

TEST(Gguf, VersionTwoReadsAlike) {
  GgufWriter writer = small_file();
  writer.version = 2;
  EXPECT_EQ(reason_of(writer.file()), "");
}

TEST(Gguf, AlignmentOfTheFileIsUsed) {
  GgufWriter writer;
  writer.alignment = 256;
  writer.u32("general.alignment", 256).tensor("a", {3}).tensor("b", {3});
  const std::string bytes = writer.file();
  const GgufHeader header = read_gguf_header(bytes_of(bytes), "sample", GgufExtent::kWholeFile);
  EXPECT_EQ(header.data_begin, 256u);  // 24 + 33 + 2 · 33 bytes of header
  EXPECT_EQ(header.tensors[1].offset, 256u);
}

// -------- damage

struct BadFile {
  const char* file;
  const char* reason;
};

class BadGgufSamples : public testing::TestWithParam<BadFile> {};

TEST_P(BadGgufSamples, AreRefusedWithTheirReason) {
  const fs::path path = kSamples / "malformed" / GetParam().file;
  const auto error = error_of_file(path);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInput);
  EXPECT_EQ(error->subject(), path.string());
  EXPECT_THAT(error->reason(), HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Gguf, BadGgufSamples,
    testing::Values(BadFile{"aborted-write.gguf", "begins with zeros instead of the letters \"GGUF\""},
                    BadFile{"truncated-magic.gguf", "3 bytes long"},
                    BadFile{"truncated-kv.gguf", "claims 48 tensors, but the 184 bytes that follow hold 7 at most"},
                    BadFile{"truncated-tensor-info.gguf", "ends inside"},
                    BadFile{"truncated-data.gguf", "ends behind the 4096 bytes of data"},
                    BadFile{"version-99.gguf", "version 99"},
                    BadFile{"kv-count-huge.gguf", "claims 4611686018427387904 metadata keys"},
                    BadFile{"dim-zero.gguf", "tensor token_embd.weight has a dimension of 0"},
                    BadFile{"unknown-tensor-type.gguf", "tensor token_embd.weight has the unknown type 250"}));

TEST(Gguf, EveryTruncationIsRefused) {
  const std::string bytes = small_file().file();
  const std::size_t last = bytes.size() - 30;  // the one half-precision element of "c" and its padding
  for (std::size_t n = 0; n < last; ++n) EXPECT_TRUE(error_of(std::string_view(bytes).substr(0, n))) << n;
  EXPECT_FALSE(error_of(std::string_view(bytes).substr(0, last)));
}

TEST(Gguf, EveryTruncationOfARealFileIsRefused) {
  const std::string bytes = read_file(kSamples / "inferno-tiny.gguf");
  ASSERT_FALSE(error_of(bytes));
  int n_accepted = 0;
  for (std::size_t n = 0; n < bytes.size(); ++n)
    if (!error_of(std::string_view(bytes).substr(0, n))) ++n_accepted;
  EXPECT_EQ(n_accepted, 0);
}

TEST(Gguf, HeaderAloneIsEnoughWhereItIsAskedFor) {
  const std::string bytes = small_file().header();
  EXPECT_THAT(reason_of(bytes), HasSubstr("tensor a of 68 bytes at offset 0 ends behind the 0 bytes"));
  EXPECT_EQ(reason_of(bytes, GgufExtent::kHeaderOnly), "");
  EXPECT_NE(reason_of(bytes.substr(0, bytes.size() - 1), GgufExtent::kHeaderOnly), "");
}

// Whatever one wrong byte makes of a file, it is refused or its tensors stay inside of it.
TEST(Gguf, NoWrongByteLeadsOutOfTheFile) {
  const std::string original = small_file().file();
  const std::size_t header_bytes = small_file().header().size();
  int n_refused = 0;
  for (std::size_t at = 0; at < header_bytes; ++at) {
    for (int wrong = 0; wrong < 256; wrong += 5) {
      std::string bytes = original;
      bytes[at] = static_cast<char>(wrong);
      if (error_of(bytes)) {
        ++n_refused;
        continue;
      }
      const GgufHeader header = read_gguf_header(bytes_of(bytes), "sample", GgufExtent::kWholeFile);
      for (const GgufTensor& tensor : header.tensors) EXPECT_EQ(header.bytes(tensor).size(), tensor.bytes);
    }
  }
  EXPECT_GT(n_refused, 1000);
}

struct BadHeader {
  GgufWriter writer;
  const char* reason;
};

TEST(Gguf, WrongHeadersAreRefusedWithTheirReason) {
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 62;
  GgufWriter version1, swapped, many_tensors, many_keys;
  version1.version = 1;
  swapped.version = 0x03000000;
  many_tensors.claimed_tensors = kHuge;
  many_keys.claimed_keys = 50;
  const std::string array_of_u64 = raw<std::uint32_t>(10);
  const BadHeader cases[] = {
      {version1, "version 1 of the format"},
      {swapped, "big-endian"},
      {many_tensors, "claims 4611686018427387904 tensors"},
      {many_keys, "claims 50 metadata keys, but the 8 bytes that follow hold 0 at most"},
      {GgufWriter().text("", "x"), "a metadata key has no name"},
      {GgufWriter().u32("a", 1).u32("a", 2), "metadata key a is there twice"},
      {GgufWriter().value("a", 13, "xxxx"), "unknown value type 13"},
      {GgufWriter().value("a", 7, "\2"), "is a flag of value 2"},
      {GgufWriter().value("a", 8, raw(kHuge)), "has a text of 4611686018427387904 bytes"},
      {GgufWriter().value("a", 8, raw<std::uint64_t>(100)), "ends inside metadata key a"},
      {GgufWriter().value("a", 9, array_of_u64 + raw(kHuge)), "claims 4611686018427387904 elements"},
      {GgufWriter().value("a", 9, raw<std::uint32_t>(8) + raw(kHuge)), "claims 4611686018427387904 elements"},
      {GgufWriter().value("a", 9, raw<std::uint32_t>(99) + raw<std::uint64_t>(0)), "unknown value type 99"},
      {GgufWriter().u32("general.alignment", 0), "no power of two"},
      {GgufWriter().u32("general.alignment", 24), "no power of two"},
      {GgufWriter().text("general.alignment", "32"), "no power of two"},
      {GgufWriter().tensor("", {1}), "a tensor has no name"},
      {GgufWriter().tensor("a", {1}).tensor("a", {1}), "tensor a is there twice"},
      {GgufWriter().tensor(std::string(1025, 'n'), {1}), "a text of 1025 bytes"},
      {GgufWriter().tensor("a", {1, 1, 1, 1, 1}), "has 5 dimensions"},
      {GgufWriter().tensor("a", {0}), "has a dimension of 0"},
      {GgufWriter().tensor("a", {kHuge, 2}), "more elements than 64 bits"},
      {GgufWriter().tensor("a", {kHuge}), "more bytes than 64 bits"},  // 4 · 2^62
      {GgufWriter().tensor("a", {1}, 4), "unknown type 4"},
      {GgufWriter().tensor("a", {31, 32}, 2), "rows of 31 elements, which are no whole blocks of 32 (Q4_0)"},
      {GgufWriter().tensor("a", {1}, 0, 8), "lies at offset 8, no multiple of the alignment 32"},
      {GgufWriter().tensor("a", {16}).tensor("b", {1}, 0, 32), "tensor b lies at offset 32, inside another one"},
      {GgufWriter().tensor("a", {8}).tensor("b", {8}, 0, 0), "inside another one that ends at 32"},
  };
  for (const BadHeader& bad : cases) EXPECT_THAT(reason_of(bad.writer.file()), HasSubstr(bad.reason));
}

TEST(Gguf, OffsetsNearTheEndOf64BitsAreRefused) {
  const std::string bytes = GgufWriter().tensor("a", {8}, 0, ~std::uint64_t{31}).header();
  EXPECT_THAT(reason_of(bytes), HasSubstr("ends behind the 0 bytes"));
  EXPECT_NE(reason_of(bytes, GgufExtent::kHeaderOnly), "");
}

TEST(Gguf, OtherFormatsAreNamed) {
  EXPECT_THAT(reason_of("tjgg and more"), HasSubstr("the format before GGUF"));
  EXPECT_THAT(reason_of("{\"a\": 1}"), HasSubstr("does not begin with the letters"));
}

TEST(Gguf, NamesInMessagesAreShortAndPrintable) {
  const std::string reason = reason_of(GgufWriter().value("\x1b[31m" + std::string(5000, 'n'), 13, "").file());
  EXPECT_THAT(reason, HasSubstr("?[31mnnn"));
  EXPECT_LT(reason.size(), 300u);
}

TEST(Gguf, MissingAndEmptyFilesAreRefused) {
  const TempFolder folder;
  EXPECT_THAT(error_of_file(folder.path() / "none.gguf")->reason(), HasSubstr("no such file"));
  EXPECT_THAT(error_of_file(folder.write("empty.gguf", ""))->reason(), HasSubstr("empty"));
}

// -------- split files

GgufWriter part(int number, int count, std::string_view tensor) {
  GgufWriter writer;
  if (number == 1) writer.text("general.architecture", "llama");
  writer.value("split.no", 2, raw(static_cast<std::uint16_t>(number - 1)));
  writer.value("split.count", 2, raw(static_cast<std::uint16_t>(count)));
  writer.value("split.tensors.count", 5, raw<std::int32_t>(3));
  return writer.tensor(tensor, {8});
}

class SplitFiles : public testing::Test {
 protected:
  SplitFiles() {
    for (int number = 1; number <= 3; ++number) write(number, part(number, 3, fmt::format("t{}", number)));
  }
  fs::path path(int number) const { return folder_.path() / fmt::format("m-{:05}-of-00003.gguf", number); }
  void write(int number, const GgufWriter& writer) { folder_.write(path(number).filename().string(), writer.file()); }
  std::string reason(int number) const {
    const auto error = error_of_file(path(number));
    return error ? error->reason() : "";
  }

  TempFolder folder_;
};

TEST_F(SplitFiles, AreReadWholeFromAnyPart) {
  for (int number = 1; number <= 3; ++number) {
    const GgufFile file = read_gguf(path(number));
    ASSERT_EQ(file.parts().size(), 3u);
    EXPECT_EQ(file.n_tensors(), 3u);
    EXPECT_NE(file.find_tensor("t3"), nullptr);
    EXPECT_EQ(file.find_tensor("t4"), nullptr);
    EXPECT_EQ(text_of(*file.first().find_value("general.architecture")), "llama");
  }
}

TEST_F(SplitFiles, NameTheMissingPart) {
  fs::remove(path(2));
  EXPECT_THAT(reason(1), HasSubstr("part 2 of 3, m-00002-of-00003.gguf, is missing"));
}

TEST_F(SplitFiles, RefusePartsThatDoNotBelongTogether) {
  write(2, part(3, 3, "t2"));
  EXPECT_THAT(reason(1), HasSubstr("says it is part 3 of 3, but its name makes it part 2 of 3"));
  write(2, part(2, 4, "t2"));
  EXPECT_THAT(reason(1), HasSubstr("says it is part 2 of 4"));
  write(2, part(2, 3, "t1"));
  EXPECT_THAT(reason(1), HasSubstr("tensor t1 is in two of its parts"));
  write(2, part(2, 3, "t2").tensor("extra", {1}));
  EXPECT_THAT(reason(1), HasSubstr("hold 4 tensors together, but 3 are announced"));
}

TEST_F(SplitFiles, RefuseNamesThatHideTheOthers) {
  fs::rename(path(1), folder_.path() / "model.gguf");
  EXPECT_THAT(error_of_file(folder_.path() / "model.gguf")->reason(), HasSubstr("the others cannot be found"));
  fs::rename(path(2), folder_.path() / "m-00002-of-00009.gguf");
  EXPECT_THAT(error_of_file(folder_.path() / "m-00002-of-00009.gguf")->reason(), HasSubstr("its name says 2 of 9"));
}

}  // namespace
}  // namespace dachlast
