#include "core/model/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "core/base/error.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

using testing::HasSubstr;

std::string text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

/// The error that mapping `path` ends in.
Error error_of(const std::filesystem::path& path) {
  try {
    MappedFile file(path);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::kFailure, "none", "no error"};
}

TEST(MappedFile, HoldsTheBytesOfTheFile) {
  const TempFolder folder;
  EXPECT_EQ(text_of(MappedFile(folder.write("file", "roof"))), "roof");
}

TEST(MappedFile, MovedMappingKeepsItsAddress) {
  const TempFolder folder;
  MappedFile first(folder.write("file", "roof"));
  const std::byte* address = first.bytes().data();
  const MappedFile second = std::move(first);
  EXPECT_EQ(second.bytes().data(), address);
  EXPECT_EQ(text_of(second), "roof");
}

TEST(MappedFile, OutlivesTheNameOfTheFile) {
  const TempFolder folder;
  const auto path = folder.write("file", "roof");
  const MappedFile file(path);
  std::filesystem::remove(path);
  EXPECT_EQ(text_of(file), "roof");
}

TEST(MappedFile, ReleasedPagesReadTheSameAgain) {
  const TempFolder folder;
  const std::string content(3 * 65536, 'x');  // more than two pages of any size in use
  const MappedFile file(folder.write("file", content));
  file.prefetch(file.bytes());
  file.release(file.bytes().subspan(1));
  file.release(file.bytes().first(1));  // no whole page: nothing to drop
  EXPECT_EQ(text_of(file), content);
}

TEST(MappedFile, MissingFileIsNamed) {
  const TempFolder folder;
  const Error error = error_of(folder.path() / "none");
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_EQ(error.subject(), (folder.path() / "none").string());
  EXPECT_THAT(error.reason(), HasSubstr("no such file"));
}

TEST(MappedFile, FolderIsRefused) {
  const TempFolder folder;
  EXPECT_THAT(error_of(folder.path()).reason(), HasSubstr("folder"));
}

TEST(MappedFile, EmptyFileIsRefused) {
  const TempFolder folder;
  EXPECT_THAT(error_of(folder.write("file", "")).reason(), HasSubstr("empty"));
}

TEST(MappedFile, PipeIsRefusedWithoutWaitingForItsWriter) {
  const TempFolder folder;
  const auto path = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(error_of(path).reason(), HasSubstr("not a regular file"));
}

TEST(MappedFile, UnreadableFileIsRefused) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read every file";
  const TempFolder folder;
  const auto path = folder.write("file", "roof");
  std::filesystem::permissions(path, std::filesystem::perms::none);
  EXPECT_THAT(error_of(path).reason(), HasSubstr("may not be read"));
}

}  // namespace
}  // namespace dachlast
