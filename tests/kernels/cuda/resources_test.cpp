// Holds the reviewed table of registers, shared memory and occupancy (tests/data/cuda/resources.csv, written by
// scripts/cuda-resources.py) against the launches and against NVIDIA's own calculation.
#include <cuda_occupancy.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/weight_gemv.h"
#include "tests/emulation/grid.h"
#include "tests/kernels/cuda/device_cache.h"

namespace dachlast::kernels::cuda {
namespace {

using testing::DeviceArray;

struct Row {
  std::string kernel, arch;
  int registers, spilled_bytes, threads;
  std::size_t shared_bytes;
  int blocks, occupancy_percent;
};

/// Kernel names hold commas and then stand in quotes.
std::string next_field(std::istringstream& line) {
  std::string field;
  if (line.peek() != '"') {
    std::getline(line, field, ',');
    return field;
  }
  line.get();
  std::getline(line, field, '"');
  line.get();
  return field;
}

std::vector<Row> table() {
  std::ifstream file(std::string(DACHLAST_TEST_DATA_DIR) + "/cuda/resources.csv");
  std::string text;
  std::getline(file, text);
  std::vector<Row> rows;
  while (std::getline(file, text)) {
    std::istringstream line(text);
    Row row{next_field(line), next_field(line), 0, 0, 0, 0, 0, 0};
    char comma = 0;
    line >> row.registers >> comma >> row.spilled_bytes >> comma >> row.threads >> comma >> row.shared_bytes >> comma >>
        row.blocks >> comma >> row.occupancy_percent;
    rows.push_back(row);
  }
  return rows;
}

/// Source   CUDA C++ programming guide, technical specifications per compute capability.
cudaOccDeviceProp device_of(const std::string& arch) {
  constexpr std::size_t kKiB = 1024;
  cudaOccDeviceProp device;
  device.computeMajor = std::stoi(arch.substr(3)) / 10;
  device.computeMinor = 0;
  device.maxThreadsPerBlock = 1024;
  device.maxThreadsPerMultiprocessor = arch == "sm_120" ? 1536 : 2048;
  device.regsPerBlock = device.regsPerMultiprocessor = 65536;
  device.warpSize = 32;
  device.sharedMemPerBlock = 48 * kKiB;
  device.sharedMemPerMultiprocessor = (arch == "sm_80" ? 164 : arch == "sm_120" ? 100 : 228) * kKiB;
  device.sharedMemPerBlockOptin = device.sharedMemPerMultiprocessor - kKiB;
  device.reservedSharedMemPerBlock = kKiB;
  device.numSms = 1;
  return device;
}

int blocks_by_nvidia(const Row& row) {
  const cudaOccDeviceProp device = device_of(row.arch);
  cudaOccFuncAttributes function;
  function.maxThreadsPerBlock = row.threads;
  function.numRegs = row.registers;
  function.sharedSizeBytes = 0;
  function.partitionedGCConfig = PARTITIONED_GC_OFF;
  function.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
  function.maxDynamicSharedSizeBytes = row.shared_bytes;
  function.numBlockBarriers = 1;
  const cudaOccDeviceState state;
  cudaOccResult result{};
  EXPECT_EQ(cudaOccMaxActiveBlocksPerMultiprocessor(&result, &device, &function, &state, row.threads, row.shared_bytes),
            CUDA_OCC_SUCCESS)
      << row.kernel;
  return result.activeBlocksPerMultiprocessor;
}

TEST(CudaResources, NothingIsSpilled) {
  const std::vector<Row> rows = table();
  ASSERT_GT(rows.size(), 4u * 20u);  // or the table was not read
  for (const Row& row : rows) EXPECT_EQ(row.spilled_bytes, 0) << row.kernel << ", " << row.arch;
}

TEST(CudaResources, OccupancyIsWhatNvidiaCalculates) {
  for (const Row& row : table()) {
    EXPECT_EQ(row.blocks, blocks_by_nvidia(row)) << row.kernel << ", " << row.arch;
    EXPECT_GE(row.blocks, 1) << row.kernel << " does not fit " << row.arch;
    const int warps = device_of(row.arch).maxThreadsPerMultiprocessor / 32;
    EXPECT_EQ(row.occupancy_percent, std::lround(100.0 * row.blocks * row.threads / 32 / warps)) << row.kernel;
  }
}

void attend(std::string_view variant, int width, KvValues values = KvValues::kOwnRows) {
  const KvLayout layout{KvFormat::kBF16, KeyScales::kPerToken, values, 1, 16, width, width};
  const testing::AttentionProblem problem(testing::AttentionPlan{layout, 1, {{1, 3}}});
  const testing::DeviceCall device(problem.call({}, {}));
  testing::run_attention(device, variant);
}

void run_norm() {
  const DeviceArray<float> x(std::vector<float>(4096, 2.0f)), w(std::vector<float>(4096, 1.0f));
  DeviceArray<float> out(4096);
  norm({1, 4096, NormKind::kRms}, {1e-3f, 0.0f}, x.span(), 4096, w.span(), {}, out.span(), 4096, nullptr);
}

void run_argmax() {
  const DeviceArray<float> logits(std::vector<float>(10, 1.0f));
  DeviceArray<std::int32_t> ids(1);
  sample({1, 10}, logits.span(), ids.span(), nullptr);
}

void run_draw() {
  const DeviceArray<float> logits(std::vector<float>(10, 1.0f)), uniforms(std::vector<float>{0.5f});
  DeviceArray<std::int32_t> ids(1);
  sample_softmax({1, 10}, 1.0f, logits.span(), uniforms.span(), ids.span(), nullptr);
}

void run_gemv() {
  const DeviceArray<float> x(std::vector<float>(32, 1.0f));
  const DeviceArray<std::byte> w(std::vector<std::byte>(PanelLayout(kInt8Rows, 32).panel_bytes()));
  DeviceArray<float> y(32);
  weight_gemv({1, 32, 32, kInt8Rows}, x.span(), {kInt8Rows, 32, 32, w.span()}, {}, y.span(), nullptr);
}

TEST(CudaResources, ThreadsAndSharedMemoryAreThoseOfTheLaunches) {
  const std::pair<std::string_view, std::function<void()>> launches[] = {
      {"norm_kernel", run_norm},
      {"argmax_kernel", run_argmax},
      {"softmax_sample_kernel", run_draw},
      {"gemv_kernel<8>", run_gemv},
      {"stream_kernel<128>", [] { attend("stream", 128); }},
      {"stream_kernel<256>", [] { attend("stream", 256); }},
      {"tensor_kernel<64", [] { attend("tensor", 64); }},
      {"tensor_kernel<128", [] { attend("tensor", 128); }},
      {"latent_kernel", [] { attend("latent", 64, KvValues::kInKeys); }}};
  const std::vector<Row> rows = table();
  for (const auto& [kernel, run] : launches) {
    run();
    int n_found = 0;
    for (const Row& row : rows) {
      if (!std::string_view(row.kernel).starts_with(kernel)) continue;
      ++n_found;
      EXPECT_EQ(row.threads, static_cast<int>(emulation::last_launch().block.x)) << row.kernel;
      EXPECT_EQ(row.shared_bytes, emulation::last_launch().shared_bytes) << row.kernel;
    }
    EXPECT_GE(n_found, 4) << kernel << ": a row an architecture";
  }
}

}  // namespace
}  // namespace dachlast::kernels::cuda
