#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/model/safetensors.h"
#include "tests/core/model/checkpoint_writer.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

std::string file_with(const std::string& tensor) {
  return f32_checkpoint({test_tensor(tensor, {2, 3})});
}

std::optional<Error> error_of(const fs::path& path) {
  try {
    Checkpoint checkpoint(path);
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/// The error that a folder with this index, and shards "one" and "two" with tensors a and b, ends in.
Error error_of_index(const std::string& index) {
  const TempFolder folder;
  folder.write("one.safetensors", file_with("a"));
  folder.write("two.safetensors", file_with("b"));
  folder.write("model.safetensors.index.json", index);
  return error_of(folder.path()).value_or(Error(ErrorKind::kFailure, "none", "no error"));
}

TEST(Checkpoint, OpensAFolderAFileAndAnIndex) {
  const TempFolder folder;
  folder.write("one.safetensors", file_with("a"));
  folder.write("two.safetensors", file_with("b"));
  const auto index = folder.write("model.safetensors.index.json",
                                  R"({"metadata":{"total_size":48},
                                      "weight_map":{"a":"one.safetensors","b":"two.safetensors"}})");
  for (const fs::path& path : {folder.path(), index}) {
    const Checkpoint checkpoint(path);
    ASSERT_NE(checkpoint.find("b"), nullptr);
    EXPECT_EQ(checkpoint.find("b")->file->path().filename(), "two.safetensors");
    EXPECT_EQ(checkpoint.find("c"), nullptr);
  }
  const Checkpoint single(folder.path() / "one.safetensors");
  EXPECT_NE(single.find("a"), nullptr);
  EXPECT_EQ(single.find("b"), nullptr);
}

TEST(Checkpoint, PrefersTheSingleFileOverAnIndex) {
  const TempFolder folder;
  folder.write("model.safetensors", file_with("a"));
  folder.write("model.safetensors.index.json", "not read");
  EXPECT_NE(Checkpoint(folder.path()).find("a"), nullptr);
}

TEST(Checkpoint, TakesTheOnlySafetensorsFileWhateverItsName) {
  const TempFolder folder;
  folder.write("weights.safetensors", file_with("a"));
  folder.write("notes.txt", "x");
  EXPECT_NE(Checkpoint(folder.path()).find("a"), nullptr);
}

TEST(Checkpoint, FolderWithoutWeightsIsRefused) {
  const TempFolder folder;
  EXPECT_THAT(error_of(folder.path())->reason(), HasSubstr("holds no .safetensors file"));
}

TEST(Checkpoint, ShardsWithoutIndexAreRefused) {
  const TempFolder folder;
  folder.write("one.safetensors", file_with("a"));
  folder.write("two.safetensors", file_with("b"));
  EXPECT_THAT(error_of(folder.path())->reason(), HasSubstr("2 .safetensors files and no model.safetensors.index.json"));
}

TEST(Checkpoint, MissingShardIsNamed) {
  const Error error = error_of_index(R"({"weight_map":{"a":"one.safetensors","b":"three.safetensors"}})");
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_THAT(error.reason(), HasSubstr("shard three.safetensors is missing"));
}

TEST(Checkpoint, TensorMissingFromItsShardIsNamed) {
  const Error error = error_of_index(R"({"weight_map":{"a":"one.safetensors","c":"two.safetensors"}})");
  EXPECT_THAT(error.subject(), HasSubstr("two.safetensors"));
  EXPECT_THAT(error.reason(), HasSubstr("tensor c is not in it"));
}

TEST(Checkpoint, ShardNamesThatLeaveTheFolderAreRefused) {
  for (const char* name : {"../one.safetensors", "/etc/hostname", "..", ".", "", "a/b", "a\\\\b", "a\\u0000b"})
    EXPECT_THAT(error_of_index(fmt::format(R"({{"weight_map":{{"a":"{}"}}}})", name)).reason(),
                HasSubstr("not a file name"))
        << name;
}

TEST(Checkpoint, BadIndexesAreRefused) {
  EXPECT_THAT(error_of_index("{").reason(), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of_index("5").reason(), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of_index("[]").reason(), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of_index("{}").reason(), HasSubstr("no weight_map"));
  EXPECT_THAT(error_of_index(R"({"weight_map":{}})").reason(), HasSubstr("no weight_map, or an empty one"));
  EXPECT_THAT(error_of_index(R"({"weight_map":5})").reason(), HasSubstr("no file name for weight_map"));
  EXPECT_THAT(error_of_index(R"({"weight_map":{"a":5}})").reason(), HasSubstr("no file name for a"));
  EXPECT_THAT(error_of_index(R"({"weight_map":{"a":{}}})").reason(), HasSubstr("no file name for a"));
  EXPECT_THAT(error_of_index(R"({"weight_map":{"a":"x","a":"y"}})").reason(), HasSubstr("lists a twice"));
  EXPECT_THAT(error_of_index(R"({"weight_map":{"a":"x"},"weight_map":{"b":"y"}})").reason(), HasSubstr("listed twice"));
}

TEST(Checkpoint, DeeplyNestedIndexIsRefused) {
  EXPECT_THAT(error_of_index("{\"metadata\":" + std::string(100'000, '[')).reason(), HasSubstr("nested too deep"));
}

TEST(Checkpoint, NestedMetadataIsAllowed) {
  EXPECT_EQ(error_of_index(R"({"metadata":{"a":[1,-2,2.5,null,true,{"weight_map":{"c":"/x"}}]},
                               "weight_map":{"a":"one.safetensors"}})")
                .reason(),
            "no error");
}

}  // namespace
}  // namespace dachlast
