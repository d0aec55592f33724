#include "core/model/safetensors.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "tests/core/model/checkpoint_writer.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path kSamples = fs::path(DACHLAST_TEST_DATA_DIR) / "safetensors";

std::string read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The error that opening a file ends in; empty where it opens.
std::optional<Error> error_of(const fs::path& path) {
  try {
    SafetensorsFile file(path);
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

std::optional<Error> error_of_header(std::string_view header, std::string_view data = {}) {
  const TempFolder folder;
  return error_of(folder.write("file.safetensors", safetensors_bytes(header, data)));
}

/// "" where the header is accepted.
std::string reason_of_header(std::string_view header, std::string_view data = {}) {
  const auto error = error_of_header(header, data);
  return error ? error->reason() : "";
}

template <class T>
T element(const SafetensorsFile& file, const TensorInfo& tensor, std::size_t index) {
  T value;
  std::memcpy(&value, file.bytes(tensor).data() + index * sizeof(T), sizeof(T));
  return value;
}

TEST(Safetensors, ReadsAFile) {
  const SafetensorsFile file(kSamples / "ok-tiny.safetensors");
  ASSERT_EQ(file.tensors().size(), 2u);
  const TensorInfo& a = file.tensors().at("a");
  EXPECT_EQ(a.type->name, "F32");
  EXPECT_EQ(a.shape, (std::vector<std::uint64_t>{2, 2}));
  EXPECT_EQ(element<float>(file, a, 3), 4.0f);
  const TensorInfo& b = file.tensors().at("b");
  EXPECT_EQ(b.type->dtype, DType::kF16);
  EXPECT_EQ(element<std::uint16_t>(file, b, 2), 0xc000);  // -2 in half precision
}

TEST(Safetensors, ReadsDataAtAnOddAddress) {
  const TempFolder folder;
  const SafetensorsFile file(folder.write("file", f32_checkpoint({test_tensor("a", {3})}, 1)));
  const TensorInfo& a = file.tensors().at("a");
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.bytes(a).data()) % 2, 1u);
  EXPECT_EQ(element<float>(file, a, 2), test_value("a", 2));
}

struct BadSample {
  const char* file;
  const char* reason;
};

class BadSamples : public testing::TestWithParam<BadSample> {};

TEST_P(BadSamples, AreRefusedWithTheirReason) {
  const auto error = error_of(kSamples / GetParam().file);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInput);
  EXPECT_EQ(error->subject(), (kSamples / GetParam().file).string());
  EXPECT_THAT(error->reason(), HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Safetensors, BadSamples,
    testing::Values(BadSample{"header-too-long.safetensors", "claims 1000000000 bytes"},
                    BadSample{"header-not-json.safetensors", "not valid JSON"},
                    BadSample{"data-truncated.safetensors", "tensor b ends at byte 24 of the data, but the file holds"},
                    BadSample{"size-mismatch.safetensors", "takes 10 bytes, but its data_offsets span 8"},
                    BadSample{"overlap.safetensors", "tensor b begins at byte 8 of the data, inside"},
                    BadSample{"shorter-than-8.safetensors", "3 bytes long"},
                    BadSample{"padded-data.safetensors", "5 bytes behind the last tensor belong to none"}));

TEST(Safetensors, EveryTruncationIsRefused) {
  const TempFolder folder;
  const std::string bytes = read_bytes(kSamples / "ok-tiny.safetensors");
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto error = error_of(folder.write("cut.safetensors", bytes.substr(0, n)));
    ASSERT_TRUE(error) << n << " bytes";
    EXPECT_EQ(error->kind(), ErrorKind::kInput);
  }
}

// Whatever one wrong byte makes of a header, it is refused or its tensors stay inside the data.
TEST(Safetensors, NoWrongByteLeadsOutOfTheFile) {
  const std::string file = read_bytes(kSamples / "ok-tiny.safetensors");
  const std::string original = file.substr(8, 112);
  const std::uint64_t data_bytes = file.size() - 8 - 112;
  const std::string wrong_bytes("\0\x1f\\\"\xff{}[]9-,", 12);
  std::size_t n_refused = 0;
  std::size_t n_unchanged = 0;
  for (std::size_t at = 0; at < original.size(); ++at) {
    for (const char wrong : wrong_bytes) {
      std::string header = original;
      header[at] = wrong;
      n_unchanged += header == original;
      try {
        for (const auto& [name, tensor] : read_safetensors_header(header, data_bytes, "file"))
          EXPECT_LE(tensor.end, data_bytes) << name;
      } catch (const Error&) {
        ++n_refused;
      }
    }
  }
  // Only the names, a and b, may become something else: any of the 7 bytes that may stand in a JSON text.
  EXPECT_EQ(n_refused, 112 * 12 - n_unchanged - 2 * 7);
}

TEST(Safetensors, HeaderLengthsOutOfRangeAreRefused) {
  const TempFolder folder;
  for (const std::uint64_t length : {std::uint64_t{1} << 63, ~std::uint64_t{0}, ~std::uint64_t{7}}) {
    std::string bytes(64, ' ');
    std::memcpy(bytes.data(), &length, sizeof length);
    EXPECT_THAT(error_of(folder.write("file", bytes))->reason(), HasSubstr("never valid"));
  }
}

TEST(Safetensors, HeaderOfMoreThan100MegabytesIsRefusedThoughTheFileHoldsIt) {
  const TempFolder folder;
  const std::uint64_t length = 100'000'001;
  const std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  const fs::path path = folder.write("file", bytes);
  fs::resize_file(path, 8 + length);  // a hole: takes no room on disk
  EXPECT_THAT(error_of(path)->reason(), HasSubstr("never valid"));
}

TEST(Safetensors, AFileWithoutTensorsIsValid) {
  EXPECT_EQ(reason_of_header("{}"), "");
}

TEST(Safetensors, ScalarsAndEmptyTensorsAreValid) {
  EXPECT_EQ(reason_of_header(R"({"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},
                                 "e":{"dtype":"F32","shape":[0,99999999999,99999999999],"data_offsets":[4,4]}})",
                             "1234"),
            "");
}

TEST(Safetensors, MetadataMayStandAnywhere) {
  EXPECT_EQ(
      reason_of_header(R"({"a":{"shape":[1],"data_offsets":[0,1],"dtype":"U8"},"__metadata__":{"x":"y","z":""}})", "1"),
      "");
}

TEST(Safetensors, BytesThatBelongToNoTensorAreRefused) {
  EXPECT_THAT(reason_of_header("{}", "x"), HasSubstr("1 bytes behind the last tensor"));
  EXPECT_THAT(reason_of_header(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", "xx"), HasSubstr("hole"));
}

struct BadHeader {
  const char* header;
  const char* reason;
};

class BadHeaders : public testing::TestWithParam<BadHeader> {};

TEST_P(BadHeaders, AreRefusedWithTheirReason) {
  EXPECT_THAT(reason_of_header(GetParam().header, "12345678"), HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Structure, BadHeaders,
    testing::Values(BadHeader{"", "does not begin"}, BadHeader{"[]", "does not begin"},
                    BadHeader{" {}", "does not begin"}, BadHeader{"{} x", "not valid JSON"},
                    BadHeader{R"({"a":5})", "a number has no place in tensor a"},
                    BadHeader{R"({"a":null})", "null has no place"}, BadHeader{R"({"a":"b"})", "a text has no place"},
                    BadHeader{R"({"a":[]})", "an array has no place"}, BadHeader{R"({"a":true})", "true and false"},
                    BadHeader{R"({"a":{"dtype":{}}})", "nested too deep"},
                    BadHeader{R"({"__metadata__":{"a":1}})", "a number has no place in __metadata__"},
                    BadHeader{R"({"__metadata__":{"a":{}}})", "nested too deep"},
                    BadHeader{R"({"__metadata__":"a"})", "a text has no place in __metadata__"},
                    BadHeader{R"({"__metadata__":{},"__metadata__":{}})", "listed twice"},
                    BadHeader{"{\"a\xff\":{}}", "not valid JSON"},       // no UTF-8
                    BadHeader{R"({"a\ud800":{}})", "not valid JSON"}));  // half a surrogate pair

INSTANTIATE_TEST_SUITE_P(
    Tensors, BadHeaders,
    testing::Values(
        BadHeader{R"({"a":{}})", "lacks dtype, shape or data_offsets"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[2]}})", "lacks dtype, shape or data_offsets"},
        BadHeader{R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "\"dtype\" twice"},
        BadHeader{R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", "unknown dtype \"F33\""},
        BadHeader{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}})", "unknown field \"more\""},
        BadHeader{R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "negative"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", "not a 64-bit integer"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}})", "64-bit"},
        BadHeader{R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", "a number has no place"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})", "an array has no place"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})", "exactly two data_offsets"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "ends before it begins"},
        BadHeader{R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "takes 12 bytes"},
        // 2^32 · 2^32 elements: the product is 0 in 64 bits, as 0 bytes are.
        BadHeader{R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", "impossible shape"},
        BadHeader{R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", "impossible shape"},  // 12 bits
        BadHeader{R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},
                      "a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})",
                  "tensor a is listed twice"},
        BadHeader{R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},
                      "b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})",
                  "inside the previous one"},
        BadHeader{R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})",
                  "too many numbers"}));

TEST(Safetensors, DeepNestingIsRefused) {
  const std::string brackets(100'000, '[');
  EXPECT_THAT(reason_of_header("{\"a\":" + brackets), HasSubstr("an array has no place"));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"dtype\":";
  EXPECT_THAT(reason_of_header(objects), HasSubstr("nested too deep"));
}

TEST(Safetensors, NamesInMessagesAreShortAndPrintable) {
  const std::string name = "\\u001b[31m" + std::string(5000, 'n');
  const std::string reason = reason_of_header("{\"" + name + "\":{}}");
  EXPECT_THAT(reason, HasSubstr("tensor ?[31mnnn"));
  EXPECT_LT(reason.size(), 300u);
}

}  // namespace
}  // namespace dachlast
