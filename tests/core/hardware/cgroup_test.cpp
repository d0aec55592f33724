#include "core/hardware/cgroup.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace dachlast {
namespace {

namespace fs = std::filesystem;

/// A fake root directory that goes away with the test.
class Root {
 public:
  Root() {
    std::string pattern = (fs::temp_directory_path() / "dachlast_cgroup_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Root() { fs::remove_all(path_); }
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;

  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(Cgroup, WithoutFilesThereAreNoLimits) {
  const Root root;
  const CgroupLimits limits = read_cgroup_limits(root.path());
  EXPECT_EQ(limits.memory_bytes, std::nullopt);
  EXPECT_EQ(limits.cpus, std::nullopt);
}

TEST(Cgroup, Version2TakesTheTightestGroupUpwards) {
  const Root root;
  root.write("proc/self/cgroup", "0::/slice/job\n");
  root.write("sys/fs/cgroup/slice/job/memory.max", "max\n");
  root.write("sys/fs/cgroup/slice/job/memory.current", "700\n");
  root.write("sys/fs/cgroup/slice/job/cpu.max", "max 100000\n");
  root.write("sys/fs/cgroup/slice/memory.max", "10000\n");
  root.write("sys/fs/cgroup/slice/memory.current", "4000\n");
  root.write("sys/fs/cgroup/slice/memory.stat", "anon 1\ninactive_file 1500\n");
  root.write("sys/fs/cgroup/slice/cpu.max", "50000 20000\n");
  const CgroupLimits limits = read_cgroup_limits(root.path());
  EXPECT_EQ(limits.memory_bytes, 7500.0);  // 10000 − (4000 − 1500)
  EXPECT_EQ(limits.cpus, 2.5);             // 50000 / 20000
}

TEST(Cgroup, Version1OfAContainerLiesAtTheMountItself) {
  const Root root;
  root.write("proc/self/cgroup", "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "8000\n");
  root.write("sys/fs/cgroup/memory/memory.usage_in_bytes", "3000\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  const CgroupLimits limits = read_cgroup_limits(root.path());
  EXPECT_EQ(limits.memory_bytes, 5000.0);
  EXPECT_EQ(limits.cpus, 3.0);
}

TEST(Cgroup, AnOverdrawnGroupLeavesNothingRatherThanLessThanNothing) {
  const Root root;
  root.write("proc/self/cgroup", "0::/\n");
  root.write("sys/fs/cgroup/memory.max", "1000\n");
  root.write("sys/fs/cgroup/memory.current", "1200\n");
  EXPECT_EQ(read_cgroup_limits(root.path()).memory_bytes, 0.0);
}

}  // namespace
}  // namespace dachlast
