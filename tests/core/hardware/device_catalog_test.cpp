#include "core/hardware/device_catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "core/base/error.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Each test has a user folder of its own, empty at first.
class DeviceCatalog : public testing::Test {
 protected:
  DeviceCatalog() { setenv("XDG_DATA_HOME", user_.path().c_str(), 1); }
  ~DeviceCatalog() override { unsetenv("XDG_DATA_HOME"); }

  static std::string id_of(const std::string& typed) { return find_device(typed).id; }

  TempFolder user_;
  TempFolder files_;
};

constexpr const char* kRoof = R"(id: roof-of-2030
name: Roof of 2030
memory:
  - {capacity: 1 TiB, bandwidth: 64 TB/s}
  - {kind: host, capacity: 2 TiB, bandwidth: 800 GB/s}
peak_dense: {bf16: 20 PFLOP/s}
)";

TEST_F(DeviceCatalog, HoldsTheFortyFourDevicesWithIdsLikeTheirFiles) {
  const auto devices = list_devices();
  EXPECT_EQ(devices.size(), 44u);
  std::set<std::string> ids;
  for (const auto& device : devices) {
    EXPECT_EQ(device.file.stem().string(), device.id);
    EXPECT_EQ(device.origin, DeviceOrigin::kCatalog);
    ids.insert(device.id);
  }
  EXPECT_EQ(ids.size(), devices.size());
}

TEST_F(DeviceCatalog, EveryDeviceHasANameItsSourcesAndBandwidth) {
  for (const auto& device : list_devices()) {
    EXPECT_FALSE(device.name.empty() || device.vendor.empty() || device.architecture.empty()) << device.id;
    EXPECT_FALSE(device.sources.empty()) << device.id;
    // From the slowest processor in the list (307 GB/s) up to HBM3e; the T4 is slower only by its bus.
    ASSERT_TRUE(device.main_memory().bandwidth) << device.id;
    EXPECT_GE(device.main_memory().bandwidth->value, 300e9) << device.id;
    EXPECT_LE(device.main_memory().bandwidth->value, 8000e9) << device.id;
  }
}

TEST_F(DeviceCatalog, CapacityIsBelowTheMarketingNumberReadAsGiB) {
  for (const auto& device : list_devices()) {
    const MemoryPool& memory = device.main_memory();
    if (memory.kind == PoolKind::kHost) {  // a processor's memory is what the board holds
      EXPECT_FALSE(memory.capacity) << device.id;
      continue;
    }
    ASSERT_TRUE(memory.capacity && memory.marketing_gb) << device.id;
    const double gib = memory.capacity->value / kGiB;
    // At most 7 % go to in-band ECC and the driver; B300's 288 GB list only 268.59 GiB (6.7 %). GH200's 141/144 GB is
    // nominal.
    EXPECT_LE(gib, *memory.marketing_gb) << device.id;
    EXPECT_GE(gib, 0.93 * *memory.marketing_gb) << device.id;
    if (memory.basis == CapacityBasis::kReported) {
      EXPECT_DOUBLE_EQ(gib * 1024, std::round(gib * 1024)) << device.id;  // drivers list whole MiB
    }
  }
}

TEST_F(DeviceCatalog, NarrowerTypesAreNeverSlowerThanBf16) {
  for (const auto& device : list_devices()) {
    const auto bf16 = device.peak(ComputeType::kBf16);
    if (!bf16) continue;
    if (const auto fp8 = device.peak(ComputeType::kFp8)) {
      EXPECT_GE(fp8->value, bf16->value) << device.id;
    }
    if (const auto fp4 = device.peak(ComputeType::kFp4)) {
      EXPECT_GE(fp4->value, 2 * bf16->value) << device.id;
    }
    if (const auto best = device.best_achieved(ComputeType::kBf16)) {
      EXPECT_LT(best->value, bf16->value) << device.id;
    }
  }
}

TEST_F(DeviceCatalog, H100HasTheDriversCapacityAndDensePeaks) {
  const DeviceSpec h100 = find_device("h100-sxm");
  EXPECT_DOUBLE_EQ(h100.main_memory().capacity->value, 81559.0 * 1024 * 1024);  // nvidia-smi: 81559MiB = 79.65 GiB
  EXPECT_EQ(h100.main_memory().basis, CapacityBasis::kReported);
  EXPECT_DOUBLE_EQ(h100.main_memory().bandwidth->value, 3.35e12);
  EXPECT_DOUBLE_EQ(h100.peak(ComputeType::kBf16)->value, 989.4e12);  // half of the sparse 1,979
  EXPECT_FALSE(h100.peak(ComputeType::kFp4));                        // Hopper has none: absent, not 0
  EXPECT_DOUBLE_EQ(h100.interconnect->per_direction->value, 450e9);  // 18 links × 25 GB/s
  EXPECT_DOUBLE_EQ(h100.best_achieved(ComputeType::kBf16)->value, 794.5e12);
  EXPECT_EQ(h100.prices.size(), 6u);
}

TEST_F(DeviceCatalog, OneDieOfAPackageOfTwoIsHalf) {
  const DeviceSpec die = per_device(find_device("mi250x"));
  EXPECT_DOUBLE_EQ(die.main_memory().capacity->value, 64 * kGiB);
  EXPECT_DOUBLE_EQ(die.peak(ComputeType::kBf16)->value, 383e12 / 2);
  EXPECT_EQ(*die.n_units, 110);
  EXPECT_EQ(die.n_devices, 1);
  EXPECT_EQ(per_device(find_device("h100")).n_units, 132);
}

TEST_F(DeviceCatalog, FindsDevicesByForgivingSpellings) {
  EXPECT_EQ(id_of("h100"), "h100-sxm");
  EXPECT_EQ(id_of("H100 SXM 80GB"), "h100-sxm");
  EXPECT_EQ(id_of("NVIDIA H100 80GB HBM3"), "h100-sxm");
  EXPECT_EQ(id_of("H100 80GB (79.18 GiB reported)"), "h100-sxm");
  EXPECT_EQ(id_of("NVIDIA H100 PCIe"), "h100-pcie");
  EXPECT_EQ(id_of("A100-80GB (4x)"), "a100-sxm-80gb");
  EXPECT_EQ(id_of("NVIDIA A100-PCIE-40GB"), "a100-pcie-40gb");
  EXPECT_EQ(id_of("RTX 3090 24GB"), "rtx3090");
  EXPECT_EQ(id_of("RTX4090"), "rtx4090");
  EXPECT_EQ(id_of("L40S 48 GB"), "l40s");
  EXPECT_EQ(id_of("MI300X"), "mi300x");
  EXPECT_EQ(id_of("b200"), "b200-sxm");
  EXPECT_EQ(id_of("Tesla V100-SXM2-16GB"), "v100-sxm2-16gb");
  EXPECT_EQ(id_of("RTX 6000 Pro Blackwell Server Edition"), "rtx-pro-6000-bw");
  EXPECT_EQ(id_of("M2 Ultra 76-Core GPU 192GB"), "m2-ultra");
  EXPECT_EQ(id_of("NVIDIA GH200 480GB"), "gh200-96gb");  // 480 GB are the processor's
  EXPECT_EQ(id_of("Custom PC (Nvidia RTX 4090)"), "rtx4090");
}

TEST_F(DeviceCatalog, EveryNameAndAliasFindsItsOwnDevice) {
  for (const auto& device : list_devices()) {
    EXPECT_EQ(id_of(device.name), device.id);
    for (const auto& alias : device.aliases) EXPECT_EQ(id_of(alias), device.id) << alias;
  }
}

TEST_F(DeviceCatalog, AmbiguousAndUnknownNamesSayWhatThereIs) {
  try {
    find_device("a100");
    FAIL() << "a100 has four forms";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.reason(), AllOf(HasSubstr("a100-pcie-40gb"), HasSubstr("a100-sxm-80gb")));
  }
  try {
    find_device("h1oo-sxm");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.way_out(), HasSubstr("\"h100-sxm\""));
  }
  for (const char* typed : {"", "   ", "(8x)", "quantum", "H100 24GB", "64GB", "M1 Max GPU (64GB)", "../h100-sxm"})
    EXPECT_THROW(find_device(typed), Error) << typed;
}

TEST_F(DeviceCatalog, AFileStandsForADevice) {
  const DeviceSpec roof = find_device(files_.write("roof.yaml", kRoof).string());
  EXPECT_EQ(roof.id, "roof-of-2030");
  EXPECT_EQ(roof.origin, DeviceOrigin::kFile);
  ASSERT_EQ(roof.memory.size(), 2u);
  EXPECT_DOUBLE_EQ(roof.memory[0].capacity->value, 1024 * kGiB);
  EXPECT_DOUBLE_EQ(roof.memory[1].bandwidth->value, 800e9);
  EXPECT_EQ(roof.memory[1].kind, PoolKind::kHost);
}

TEST_F(DeviceCatalog, ImportedDevicesAreFoundByIdAndNeverReplacedSilently) {
  const auto file = files_.write("roof.yaml", kRoof);
  EXPECT_EQ(import_device(file, IfDeviceExists::kRefuse).file, user_.path() / "dachlast/devices/roof-of-2030.yaml");
  EXPECT_EQ(find_device("roof-of-2030").origin, DeviceOrigin::kImported);
  EXPECT_EQ(id_of("Roof of 2030"), "roof-of-2030");
  EXPECT_EQ(list_devices().size(), 45u);
  EXPECT_THROW(import_device(file, IfDeviceExists::kRefuse), Error);

  const auto json = files_.write("roof.json", R"({"id": "roof-of-2030", "memory": [{"capacity_gib": 3}]})");
  import_device(json, IfDeviceExists::kReplace);
  EXPECT_DOUBLE_EQ(find_device("roof-of-2030").main_memory().capacity->value, 3 * kGiB);
  EXPECT_EQ(list_devices().size(), 45u);  // the YAML file of the same id is gone
}

TEST_F(DeviceCatalog, ImportingOverACatalogDeviceNeedsForceAndWinsThen) {
  const auto file =
      files_.write("t4.json", R"({"id": "t4", "name": "T4 with ECC off", "memory": [{"capacity_gib": 16}]})");
  EXPECT_THROW(import_device(file, IfDeviceExists::kRefuse), Error);
  import_device(file, IfDeviceExists::kReplace);
  EXPECT_EQ(find_device("t4").name, "T4 with ECC off");
  EXPECT_EQ(list_devices().size(), 44u);
}

}  // namespace
}  // namespace dachlast
