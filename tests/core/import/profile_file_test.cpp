#include "core/import/profile_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/model/model_source.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

using ::testing::HasSubstr;

const NameRules& shipped_rules() {
  static const NameRules rules(data_dir() / "rules");
  return rules;
}

std::string format_of(const std::string& name) {
  return read_profile(std::filesystem::path(DACHLAST_TEST_DATA_DIR) / "profiles" / name, shipped_rules()).format;
}

TEST(ProfileFile, TellsKindsByContent) {
  EXPECT_EQ(format_of("triton.json.gz"), "PyTorch profiler trace");
  EXPECT_EQ(format_of("h100-two-gpus.sqlite"), "Nsight Systems trace (2026.2.1.210)");
  EXPECT_EQ(format_of("deepseek-ocr-prefill.cuda_gpu_kern_sum.csv"), "Nsight Systems kernel summary");
  EXPECT_EQ(format_of("kernel_0001.details.csv"), "Nsight Compute details");
}

std::string complaint(const std::filesystem::path& file) {
  try {
    read_profile(file, shipped_rules());
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(ProfileFile, SaysWhatItReadsWhereAFileIsOfNoKnownKind) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "a.txt") << "no recording at all";
  std::ofstream(folder / "b.csv") << "a,b\n1,2\n";
  std::ofstream(folder / "c.bin") << std::string(100, '\0');
  std::ofstream(folder / "d.sqlite") << "SQLite format 3" << std::string(100, 'x');
  std::ofstream(folder / "empty");
  for (const char* name : {"a.txt", "b.csv", "c.bin", "d.sqlite"})
    EXPECT_THAT(complaint(folder / name), HasSubstr("no recording this program knows")) << name;
  EXPECT_THAT(complaint(folder / "empty"), HasSubstr("is empty"));
  EXPECT_THAT(complaint(folder / "missing"), HasSubstr("does not exist"));
  EXPECT_THAT(complaint(folder.path()), HasSubstr("is a folder"));
}

}  // namespace
}  // namespace dachlast
