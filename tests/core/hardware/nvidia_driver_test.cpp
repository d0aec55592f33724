#include "core/hardware/nvidia_driver.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace dachlast {
namespace {

/// A setting of the fake driver for one test.
class Setting {
 public:
  Setting(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Setting() { unsetenv(name_); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  const char* name_;
};

TEST(NvidiaDriver, IsAbsentWhereItsLibraryIs) {
  const NvidiaDriver driver = read_nvidia_driver("libno-such-driver.so.1");
  EXPECT_FALSE(driver.cuda_version);
  EXPECT_TRUE(driver.gpus.empty());
  EXPECT_EQ(driver.reason, "no NVIDIA driver (libno-such-driver.so.1 is not there)");
}

TEST(NvidiaDriver, AnotherLibraryIsNoDriver) {
  const NvidiaDriver driver = read_nvidia_driver("libm.so.6");
  EXPECT_FALSE(driver.cuda_version);
  EXPECT_EQ(driver.reason, "libm.so.6 lacks functions of the CUDA driver");
}

TEST(NvidiaDriver, DescribesItsGpus) {
  const NvidiaDriver driver = read_nvidia_driver(DACHLAST_FAKE_CUDA_DRIVER);
  EXPECT_EQ(driver.cuda_version, 13000);
  ASSERT_EQ(driver.gpus.size(), 1u);
  EXPECT_EQ(driver.gpus[0].name, "NVIDIA Fake 100");
  EXPECT_EQ(driver.gpus[0].memory_bytes, 80.0 * 1073741824.0);
  EXPECT_EQ(driver.gpus[0].compute_capability, 90);  // 9 and 0
  EXPECT_EQ(driver.reason, "");
}

TEST(NvidiaDriver, SaysWhyThereIsNoGpu) {
  {
    const Setting none("FAKE_CUDA_GPUS", "0");
    EXPECT_EQ(read_nvidia_driver(DACHLAST_FAKE_CUDA_DRIVER).reason, "the driver finds no GPU");
  }
  {
    const Setting no_device("FAKE_CUDA_INIT", "100");
    const NvidiaDriver driver = read_nvidia_driver(DACHLAST_FAKE_CUDA_DRIVER);
    EXPECT_EQ(driver.reason, "the driver finds no GPU");
    EXPECT_EQ(driver.cuda_version, 13000);
    EXPECT_TRUE(driver.gpus.empty());
  }
  {
    const Setting broken("FAKE_CUDA_INIT", "999");
    EXPECT_EQ(read_nvidia_driver(DACHLAST_FAKE_CUDA_DRIVER).reason, "the driver does not start (cuInit: error 999)");
  }
  const Setting silent("FAKE_CUDA_ATTRIBUTE", "1");
  const NvidiaDriver driver = read_nvidia_driver(DACHLAST_FAKE_CUDA_DRIVER);
  EXPECT_TRUE(driver.gpus.empty());
  EXPECT_EQ(driver.reason, "the driver does not describe GPU 0");
}

}  // namespace
}  // namespace dachlast
