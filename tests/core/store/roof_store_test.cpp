#include "core/store/roof_store.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "core/base/error.h"
#include "tests/core/roofline/round_run.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

using testing::round_roofs;
using testing::TemporaryFolder;

DeviceRoofs roofs_of(const std::string& host, const std::string& date) {
  DeviceRoofs roofs = round_roofs();
  roofs.host_id = host;
  roofs.measured_at = date;
  return roofs;
}

/// Sets a variable for one test; an empty value unsets it.
class Variable {
 public:
  Variable(const char* name, const std::string& value)
      : name_(name), before_(std::getenv(name) ? std::getenv(name) : "") {
    set(value);
  }
  ~Variable() { set(before_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const std::string& value) const { value.empty() ? ::unsetenv(name_) : ::setenv(name_, value.c_str(), 1); }
  const char* name_;
  std::string before_;
};

TEST(RoofStore, ReturnsTheLatestOfTheHost) {
  const TemporaryFolder folder;
  const RoofStore store(folder / "deep" / "er" / "roofs.json");
  EXPECT_FALSE(store.latest("a").has_value());
  store.save(roofs_of("a", "2026-01-03T00:00:00Z"));
  store.save(roofs_of("a", "2026-01-01T00:00:00Z"));  // older, stored later
  store.save(roofs_of("b", "2026-01-09T00:00:00Z"));
  EXPECT_EQ(store.latest("a")->measured_at, "2026-01-03T00:00:00Z");
  EXPECT_EQ(store.latest("b")->host_id, "b");
  EXPECT_FALSE(store.latest("c").has_value());
  EXPECT_EQ(store.latest("a")->bandwidths.size(), round_roofs().bandwidths.size());
  EXPECT_EQ(store.latest("a")->computes[0].ops_per_s.median, 100e9);
}

TEST(RoofStore, ForgetsTheOldest) {
  const TemporaryFolder folder;
  const RoofStore store(folder / "roofs.json");
  for (int day = 10; day < 30; ++day) store.save(roofs_of("a", fmt::format("2026-01-{}T00:00:00Z", day)));
  EXPECT_EQ(store.latest("a")->measured_at, "2026-01-29T00:00:00Z");
  std::ifstream in(folder / "roofs.json");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  int n_kept = 0;
  for (std::size_t at = text.find("measured_at"); at != std::string::npos; at = text.find("measured_at", at + 1))
    ++n_kept;
  EXPECT_EQ(n_kept, kRoofsKeptPerHost);
}

GpuRoofs gpu_roofs(int index, const std::string& date) {
  return {.device = "H100",
          .host_id = "a",
          .index = index,
          .compute_capability = 90,
          .measured_at = date,
          .bandwidths = {{"DRAM read", "4 GiB", {3e12, 2e12, 4e12, 10}}},
          .peaks = {{"GEMM bf16", "8192", {7e14, 6e14, 8e14, 10}}},
          .latencies = {{"kernel in a row", "1000", {2e-6, 1e-6, 3e-6, 10}}},
          .not_measured = {"all-reduce: one GPU."}};
}

TEST(RoofStore, KeepsThoseOfEachGpuBesideTheHosts) {
  const TemporaryFolder folder;
  const RoofStore store(folder / "roofs.json");
  store.save(roofs_of("a", "2026-01-03T00:00:00Z"));
  store.save(gpu_roofs(0, "2026-01-05T00:00:00Z"));
  store.save(gpu_roofs(0, "2026-01-04T00:00:00Z"));
  store.save(gpu_roofs(1, "2026-01-06T00:00:00Z"));
  const auto found = store.latest_of_gpu("a", 0, "H100");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->measured_at, "2026-01-05T00:00:00Z");
  EXPECT_EQ(found->bandwidths.at(0).what, "DRAM read");
  EXPECT_EQ(found->peaks.at(0).sample.median, 7e14);
  EXPECT_EQ(found->latencies.at(0).sample.n, 10);
  EXPECT_EQ(found->not_measured.size(), 1u);
  EXPECT_FALSE(store.latest_of_gpu("a", 0, "B200").has_value());  // another one sits there now
  EXPECT_FALSE(store.latest_of_gpu("a", 2, "H100").has_value());
  EXPECT_FALSE(store.latest_of_gpu("b", 0, "H100").has_value());
  EXPECT_EQ(store.latest("a")->measured_at, "2026-01-03T00:00:00Z");
}

TEST(RoofStore, DamagedRoofsOfGpusAreNamed) {
  const TemporaryFolder folder;
  const RoofStore store(folder / "roofs.json");
  for (const char* gpus : {"3", "{\"a\":7}", "{\"a\":{\"0\":[{}]}}", "{\"a\":{\"0\":5}}"}) {
    std::ofstream(folder / "roofs.json") << fmt::format(R"({{"schema":"dachlast.roofs/1","hosts":{{}},"gpus":{}}})",
                                                        gpus);
    EXPECT_THROW(store.latest_of_gpu("a", 0, "H100"), Error) << gpus;
  }
  std::ofstream(folder / "roofs.json") << R"({"schema":"dachlast.roofs/1","hosts":{},"gpus":3})";
  EXPECT_THROW(store.save(gpu_roofs(0, "2026-01-05T00:00:00Z")), Error);
}

TEST(RoofStore, DamagedFilesAreNamedAndNotOverwritten) {
  const TemporaryFolder folder;
  const RoofStore store(folder / "roofs.json");
  for (const char* text : {"", "{", "[]", "{\"hosts\":{}}", "{\"schema\":\"dachlast.roofs/9\",\"hosts\":{}}",
                           "{\"schema\":\"dachlast.roofs/1\",\"hosts\":{\"a\":[{}]}}",
                           "{\"schema\":\"dachlast.roofs/1\",\"hosts\":{\"a\":[{\"device\":1}]}}"}) {
    std::ofstream(folder / "roofs.json") << text;
    try {
      store.latest("a");
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << text;
      EXPECT_EQ(error.subject(), (folder / "roofs.json").string());
    }
  }
}

TEST(RoofStore, AnUnwritablePlaceIsAFailureAndLeavesNothing) {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "text";
  for (const std::filesystem::path& file :
       {folder / "file" / "roofs.json", std::filesystem::path("/proc/roofs.json")}) {
    try {
      RoofStore(file).save(round_roofs());
      FAIL() << file;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kFailure);
    }
  }
  EXPECT_EQ(folder.n_files(), 1);
}

TEST(DefaultRoofFile, FollowsTheBaseDirectories) {
  const Variable home("HOME", "/home/someone");
  {
    const Variable data("XDG_DATA_HOME", "/data");
    EXPECT_EQ(default_roof_file(), "/data/dachlast/roofs.json");
  }
  {
    const Variable data("XDG_DATA_HOME", "relative");  // to be ignored, says the specification
    EXPECT_EQ(default_roof_file(), "/home/someone/.local/share/dachlast/roofs.json");
  }
  const Variable data("XDG_DATA_HOME", "");
  const Variable no_home("HOME", "");
  EXPECT_THROW(default_roof_file(), Error);
}

}  // namespace
}  // namespace dachlast
