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
