// A run on the emulated GPU, from the plan to the file: what `run --gpu cuda` does once the device is open.
#include "core/workbench/gpu_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/base/error.h"
#include "core/engine/open_device.h"
#include "core/hardware/host.h"
#include "core/store/roof_store.h"
#include "core/viewmodel/gpu_roof_view.h"
#include "core/viewmodel/timeline.h"
#include "core/workbench/calibrate_gpu.h"
#include "core/workbench/workbench.h"
#include "tests/core/engine/cuda/emulated_engine.h"
#include "tests/emulation/queues.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

class Silent : public JobObserver {
 public:
  void began(const std::string&, int, int) override {}
  void point_finished(const Run&, const MeasuredPoint&) override {}
  void remarked(const Remark&) override {}
};

/// The bundled model; a file of its folder alone names it without its weights, which then are random.
std::string stories(std::string_view file = "") {
  return (fs::path(DACHLAST_TEST_DATA_DIR).parent_path().parent_path() / "core/model/catalog/stories-260k" / file)
      .string();
}

RunRequest request_on_gpu() {
  RunRequest request;
  request.model = stories("config.json");
  request.contexts = {12};
  request.kv = parse_kv_spec("--kv", "paged:16");
  request.repeats = 2;
  request.prompt = "Once upon a time";
  request.device = emulated_device();
  request.gpu_probes = {.bytes = 4096, .product_side = 32, .n_repeats = 2};  // what the host can do in no time
  return request;
}

Run run_of(const RunRequest& request, const std::string& name) {
  Silent silent;
  const fs::path file = fs::temp_directory_path() / name;
  const Run run = execute_run(plan_run(request, silent, {}), {file, IfExists::kOverwrite}, silent, {});
  fs::remove(file);
  return run;
}

bool has(const std::vector<Remark>& remarks, std::string_view code) {
  return std::ranges::any_of(remarks, [&](const Remark& remark) { return remark.code == code; });
}

TEST(GpuRun, MeasuresPlansAndRemembersTheGpu) {
  RunRequest request = request_on_gpu();
  request.phases = {Phase::kDecode};
  const dachlast::Run run = run_of(request, "dachlast-gpu-run-test.dachlast");
  EXPECT_TRUE(run.complete);
  EXPECT_EQ(run.host.cpu_name, "emulated on the host");
  EXPECT_EQ(run.roofs.bandwidths.size(), 2u);
  EXPECT_EQ(run.roofs.computes.size(), 2u);
  EXPECT_TRUE(has(run.warnings, "cuda_untried"));
  ASSERT_EQ(run.points.size(), 1u);
  for (const MeasuredPoint& point : run.points) {
    EXPECT_EQ(point.samples_s.size(), 2u);
    // embed, norm, qkv_proj, rope, kv_write, attention, o_proj, residual, mlp_up, mlp_act, mlp_down, lm_head, sample
    EXPECT_EQ(point.ops.size(), 13u);
    for (const OpMeasurement& op : point.ops) EXPECT_GT(op.time.value, 0.0) << name_of(op.op);
  }
  ASSERT_TRUE(run.memory.has_value());
  EXPECT_EQ(run.memory->unaccounted_bytes(), 0.0);  // what the GPU holds is what was planned, to the byte
}

TEST(GpuRun, ItsTimelineSaysWhichRowsAreMissingAndWhy) {
  RunRequest request = request_on_gpu();
  request.phases = {Phase::kDecode};
  request.full_timeline = true;
  Silent silent;
  const fs::path file = fs::temp_directory_path() / "dachlast-gpu-timeline-test.dachlast";
  execute_run(plan_run(request, silent, {}), {file, IfExists::kOverwrite}, silent, {});
  const std::vector<std::string> missing = viewmodel::missing_rows(timeline_of(file));
  fs::remove(file);
  ASSERT_EQ(missing.size(), 3u);
  EXPECT_NE(missing[0].find("dachlast attach -- dachlast run"), std::string::npos);
  EXPECT_TRUE(missing[1].starts_with("No clock: ")) << missing[1];  // there is no NVML here, or none of this GPU
  EXPECT_TRUE(missing[2].starts_with("No power: ")) << missing[2];
}

TEST(GpuRun, WritesAStory) {
  RunRequest request = request_on_gpu();
  request.model = stories();
  request.phases = {};
  const dachlast::Run on_gpu = run_of(request, "dachlast-gpu-story-test.dachlast");
  ASSERT_TRUE(on_gpu.generation.has_value());
  EXPECT_NE(on_gpu.generation->text.find("Once upon a time"), std::string::npos);
  EXPECT_EQ(on_gpu.generation->generated_ids.size(), 60u);
}

TEST(GpuRun, HoldsAWhatIfAgainstTheModelAsItIs) {
  for (const char* text : {"shared-layers:2", "swiftkv:3"}) {
    RunRequest request = request_on_gpu();
    request.what_if = parse_what_if("--what-if", text);
    const dachlast::Run run = run_of(request, "dachlast-gpu-what-if-test.dachlast");
    ASSERT_TRUE(run.what_if.has_value()) << text;
    EXPECT_EQ(run.what_if->points.size(), run.points.size()) << text;
    for (const auto& point : run.what_if->points) EXPECT_GT(point.as_is_s, 0.0) << text;
  }
}

TEST(GpuRun, ServesRequests) {
  RunRequest request = request_on_gpu();
  request.phases = {};
  request.serving = ServingRequest{.n_requests = 3, .at_once = 2, .prompt_tokens = 8, .generate = 4};
  const dachlast::Run run = run_of(request, "dachlast-gpu-serve-test.dachlast");
  ASSERT_TRUE(run.serving.has_value());
  EXPECT_EQ(run.serving->requests.size(), 3u);
}

TEST(GpuRun, WhatDoesNotFitTheGpuIsNotMeasured) {
  RunRequest request = request_on_gpu();
  emulation::set_device_bytes(48 << 20);  // cuBLASLt's workspace takes 32 MiB of it
  request.device = emulated_device();
  Silent silent;
  const RunPlan small = plan_run(request, silent, {});
  request.contexts = {512};
  request.batches = {64};
  // Keys and values of 64 sequences: 5 layers · 2 · 4 heads · 8 · 4 B · 64 · 512 tokens = 40 MiB.
  const RunPlan large = plan_run(request, silent, {});
  emulation::set_device_bytes(std::size_t{1} << 30);
  EXPECT_TRUE(small.fits());
  EXPECT_FALSE(large.fits());
}

TEST(GpuRun, RefusesWhatRunsOnTheCpuOnly) {
  Silent silent;
  RunRequest request = request_on_gpu();
  request.n_threads = 2;
  EXPECT_THROW(plan_run(request, silent, {}), Error);
  request = request_on_gpu();
  request.break_even = true;
  EXPECT_THROW(plan_run(request, silent, {}), Error);
}

TEST(OpenDevice, ReadsTheNamesOfDevices) {
  EXPECT_EQ(parse_device("--gpu", "cpu").cuda_device, std::nullopt);
  EXPECT_EQ(parse_device("--gpu", "cuda").cuda_device, 0);
  EXPECT_EQ(parse_device("--gpu", "cuda:3").cuda_device, 3);
  for (const char* text : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda:99999999999999999999", "CUDA"})
    EXPECT_THROW(parse_device("--gpu", text), Error) << text;
}

TEST(OpenDevice, TheCpuIsNoDevice) {
  EXPECT_EQ(open_device({}), nullptr);
}

// -------- calibrate --gpu cuda

class Watching : public Silent {
 public:
  void began(const std::string& what, int, int) override { all.push_back(what); }
  std::vector<std::string> all;
};

GpuCalibrationPlan small_calibration() {
  return {.dram_bytes = 1 << 16,
          .link_bytes = 1 << 12,
          .gemm_size = 16,
          .n_repeats = 2,
          .n_launches = 3,
          .cache_traffic_bytes = 1 << 16};
}

TEST(CalibrateDevice, MeasuresStoresAndShowsTheRoofsOfAGpu) {
  const fs::path folder = fs::temp_directory_path() / "dachlast-calibrate-gpu-test";
  setenv("XDG_DATA_HOME", folder.c_str(), 1);
  Watching watch;
  const GpuRoofs roofs = calibrate_device(*emulated_device(), watch, {}, small_calibration());
  const auto stored = RoofStore().latest_of_gpu(host_id(), 0, "emulated on the host");
  unsetenv("XDG_DATA_HOME");
  fs::remove_all(folder);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->measured_at, roofs.measured_at);
  EXPECT_EQ(stored->peaks.size(), 6u);
  EXPECT_EQ(watch.all.front(), "Measuring roofs: DRAM");
  const viewmodel::Table table = viewmodel::gpu_roof_table(roofs);
  EXPECT_EQ(table.rows.size(), 7u + 6u + 3u);
  EXPECT_EQ(table.rows[0][0].text, "DRAM write");
  EXPECT_NE(table.rows[0][2].text.find("B/s"), std::string::npos);
  EXPECT_NE(table.rows[8][2].text.find("FLOP/s"), std::string::npos);
  EXPECT_NE(table.notes.back().find("one GPU"), std::string::npos);
}

TEST(CalibrateDevice, StopsBetweenProbesAndStoresNothing) {
  const fs::path folder = fs::temp_directory_path() / "dachlast-calibrate-gpu-stopped";
  setenv("XDG_DATA_HOME", folder.c_str(), 1);
  Silent silent;
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_THROW(calibrate_device(*emulated_device(), silent, stopped.get_token(), small_calibration()), Error);
  unsetenv("XDG_DATA_HOME");
  EXPECT_FALSE(fs::exists(folder));
}

}  // namespace
}  // namespace dachlast
