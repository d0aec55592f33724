#include "core/import/kineto_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "core/base/error.h"
#include "core/model/model_source.h"
#include "core/profile/gpu_profile.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

using ::testing::HasSubstr;

const NameRules& shipped_rules() {
  static const NameRules rules(data_dir() / "rules");
  return rules;
}

GpuProfile sample(const std::string& name) {
  const auto file = std::filesystem::path(DACHLAST_TEST_DATA_DIR) / "profiles" / name;
  return summarize(read_kineto_trace(file, shipped_rules()), shipped_rules());
}

std::int64_t kernel_sum_ns(const GpuProfile& profile) {
  return std::accumulate(profile.kernels.begin(), profile.kernels.end(), std::int64_t{0},
                         [](std::int64_t sum, const KernelTimes& kernel) { return sum + kernel.times.total_ns; });
}

std::int64_t kernel_count(const GpuProfile& profile) {
  return std::accumulate(profile.kernels.begin(), profile.kernels.end(), std::int64_t{0},
                         [](std::int64_t sum, const KernelTimes& kernel) { return sum + kernel.times.n; });
}

struct Golden {
  const char* file;
  std::int64_t n_kernels;
  double sum_us;    // of durations
  double union_us;  // of intervals, all streams together
};

// Counted from the files alone. Their decimals end at nanoseconds, and a union rounds at every edge.
constexpr Golden kGoldens[] = {
    {"qwen1.5-0.5b-h100.json.gz", 1465, 45432.698, 45432.706},
    {"qwen3-8b-sglang-decode.json.gz", 555, 9765.437, 9759.752},
    {"gpt-oss-vllm-decode.json.gz", 425, 10674.517, 10674.507},
    {"minitoy-mi250.json.gz", 14, 110.881, 110.881},
    {"alexnet-a100.json.gz", 79, 10692.0, 10630.0},
    {"triton.json.gz", 1, 1.76, 1.76},
};

class KinetoSamples : public ::testing::TestWithParam<Golden> {};

TEST_P(KinetoSamples, KernelTimesAreThoseOfTheFile) {
  const Golden& golden = GetParam();
  const GpuProfile profile = sample(golden.file);
  EXPECT_EQ(kernel_count(profile), golden.n_kernels);
  EXPECT_NEAR(static_cast<double>(kernel_sum_ns(profile)) / 1e3, golden.sum_us, 0.001);
  ASSERT_EQ(profile.timelines.size(), 1U);
  EXPECT_NEAR(static_cast<double>(profile.timelines[0].compute_ns) / 1e3, golden.union_us, 0.05);
}

INSTANTIATE_TEST_SUITE_P(Files, KinetoSamples, ::testing::ValuesIn(kGoldens));

const TracedOpTimes& op_of(const GpuProfile& profile, const std::string& name, const std::string& shape) {
  for (const TracedOpTimes& op : profile.ops)
    if (op.name == name && op.op.shape == shape) return op;
  throw std::runtime_error("no operator " + name + " " + shape);
}

struct ExpectedOp {
  const char* name;
  const char* shape;
  double gflop;   // of one call
  double mib;     // of one call
  double sum_us;  // of all calls
  std::int64_t n;
};

// TraceLens's tables of the same trace: GFLOPS_first, Data Moved (MB)_first, Kernel Time (µs)_sum, name_count. Its bmm has
// 32 batches of [32, 1] · [1, 559].
constexpr ExpectedOp kExpectedOps[] = {
    {"aten::mm", "m 8944 · n 2816 · k 1024", 51.581550592, 71.0078125, 4055.252, 48},
    {"aten::addmm", "m 8944 · n 1024 · k 1024", 18.766086144, 36.939453125, 2329.076, 72},
    {"aten::mm", "m 8944 · n 1024 · k 2816", 51.581550592, 71.0078125, 1835.287, 24},
    {"aten::mm", "m 8944 · n 1024 · k 1024", 18.756927488, 36.9375, 778.142, 24},
    {"aten::bmm", "m 32 · n 559 · k 1", 3.5776e-05, 0.07049179077148438, 3.520, 1},
    {"aten::_scaled_dot_product_flash_attention", "batch 16 · 16 heads on 16 · q 559 · kv 559 · head_dim 64 · causal",
     10.239377408, 69.875, 2722.704, 24},
};

TEST(KinetoTrace, OperatorsWithShapesMatchPublishedTables) {
  const GpuProfile profile = sample("qwen1.5-0.5b-h100.json.gz");
  EXPECT_EQ(profile.ops.size(), std::size(kExpectedOps));
  for (const ExpectedOp& expected : kExpectedOps) {
    const TracedOpTimes& op = op_of(profile, expected.name, expected.shape);
    EXPECT_NEAR(op.op.cost.flops.value / 1e9, expected.gflop, 1e-9 * expected.gflop) << expected.shape;
    EXPECT_NEAR(op.op.cost.bytes().value / 1048576.0, expected.mib, 1e-9 * expected.mib) << expected.shape;
    EXPECT_NEAR(static_cast<double>(op.calls.total_ns) / 1e3, expected.sum_us, 0.01) << expected.shape;
    EXPECT_EQ(op.calls.n, expected.n) << expected.shape;
  }
}

TEST(KinetoTrace, TimelineOfLaunchedWorkMatchesPublishedTables) {
  const GpuProfile profile = sample("qwen1.5-0.5b-h100.json.gz");
  ASSERT_EQ(profile.launched_timelines.size(), 1U);
  const DeviceTimeline& timeline = profile.launched_timelines[0];
  // gpu_timeline.csv counts fills as computing: 31.903 + 0.002 ms busy of 34.892 ms.
  EXPECT_NEAR(static_cast<double>(timeline.busy_ns()) / 1e6, 31.905483, 0.0002);
  EXPECT_NEAR(static_cast<double>(timeline.span_ns) / 1e6, 34.892419, 0.0002);
  EXPECT_NEAR(static_cast<double>(timeline.idle_ns()) / 1e6, 2.986936, 0.0002);
}

TEST(KinetoTrace, TimelinesOfReplayedGraphsMatchPublishedTables) {
  const DeviceTimeline vllm = sample("gpt-oss-vllm-decode.json.gz").timelines.at(0);
  EXPECT_NEAR(static_cast<double>(vllm.busy_ns()) / 1e6, 10.717697, 0.0002);
  EXPECT_NEAR(static_cast<double>(vllm.span_ns) / 1e6, 10.743182, 0.0002);
  EXPECT_NEAR(static_cast<double>(vllm.exposed_copy_ns) / 1e6, 0.043190, 0.0002);
  const DeviceTimeline sglang = sample("qwen3-8b-sglang-decode.json.gz").timelines.at(0);
  EXPECT_NEAR(static_cast<double>(sglang.busy_ns()) / 1e6, 9.772929, 0.0002);
  EXPECT_NEAR(static_cast<double>(sglang.span_ns) / 1e6, 473.749943, 0.0003);
}

TEST(KinetoTrace, AnnotationsOfEnginesNameThePhase) {
  const GpuProfile profile = sample("gpt-oss-vllm-decode.json.gz");
  ASSERT_EQ(profile.phases.size(), 1U);
  EXPECT_EQ(profile.phases[0].label, "decode");
  EXPECT_EQ(profile.phases[0].n_steps, 1);
  EXPECT_EQ(profile.phases[0].kv_tokens, 55086);
  EXPECT_EQ(profile.phases[0].families.at(0).family, KernelFamily::kMoe);
}

TEST(KinetoTrace, WorkFromGraphsHasNoShapesAndSaysSo) {
  const GpuProfile profile = sample("gpt-oss-vllm-decode.json.gz");
  ASSERT_EQ(profile.ops.size(), 1U);  // the head, which is launched outside of the graph
  EXPECT_NEAR(profile.ops[0].op.cost.flops.value, 37.06454016e9, 1.0);
  EXPECT_NEAR(static_cast<double>(profile.ops[0].calls.total_ns) / 1e3, 276.678, 0.001);
  ASSERT_EQ(profile.remarks.size(), 1U);
  EXPECT_EQ(profile.remarks[0].code, "graph_replay");
}

std::string complaint(const std::filesystem::path& file) {
  try {
    read_kineto_trace(file, shipped_rules());
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(KinetoTrace, SaysWhyThereIsNothingToShow) {
  const auto folder = std::filesystem::path(DACHLAST_TEST_DATA_DIR) / "profiles";
  EXPECT_THAT(complaint(folder / "cpu-only.json.gz"), HasSubstr("holds no GPU work"));
  EXPECT_THAT(complaint(folder / "profiler-ranges.json.gz"), HasSubstr("77 ranges of the counter profiler"));
}

class OwnTrace : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& events) {
    const auto file = folder_ / "trace.json";
    std::ofstream(file) << R"({"traceEvents": [)" << events << "]}";
    return file;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(OwnTrace, OrderOfMembersAndOfEventsDoesNotMatter) {
  const GpuTrace trace = read_kineto_trace(
      write(
          R"({"args": {"correlation": 7, "device": 3}, "dur": 2.5, "ts": 100.25, "name": "k", "cat": "kernel", "ph": "X"},
               {"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 1, "tid": 2, "ts": 11, "dur": 1,
                "args": {"correlation": 7}},
               {"ph": "X", "cat": "cpu_op", "name": "aten::mul", "pid": 1, "tid": 2, "ts": 10, "dur": 5, "args": {}})"),
      shipped_rules());
  ASSERT_EQ(trace.events.size(), 1U);
  EXPECT_EQ(trace.events[0].start_ns, 100'250);
  EXPECT_EQ(trace.events[0].duration_ns(), 2'500);
  EXPECT_EQ(trace.events[0].device, 3);
  ASSERT_EQ(trace.events[0].host_op, 0);
  EXPECT_EQ(trace.names[trace.host_ops[0].name], "aten::mul");
}

TEST_F(OwnTrace, KernelsKnowWhenTheirCallBegan) {
  const GpuTrace trace = read_kineto_trace(
      write(
          R"({"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 1, "tid": 2, "ts": 10.5, "dur": 1,
                "args": {"correlation": 7}},
             {"ph": "X", "cat": "cuda_runtime", "name": "cudaGraphLaunch", "pid": 1, "tid": 2, "ts": 20, "dur": 4,
                "args": {"correlation": 8}},
             {"ph": "X", "cat": "kernel", "name": "k", "ts": 15, "dur": 1, "args": {"correlation": 7}},
             {"ph": "X", "cat": "kernel", "name": "k", "ts": 30, "dur": 1, "args": {"correlation": 8}},
             {"ph": "X", "cat": "kernel", "name": "k", "ts": 32, "dur": 1, "args": {"correlation": 8}},
             {"ph": "X", "cat": "kernel", "name": "k", "ts": 40, "dur": 1, "args": {"correlation": 9}})"),
      shipped_rules());
  ASSERT_EQ(trace.events.size(), 4U);
  EXPECT_EQ(trace.events[0].launch_ns, 10'500);
  EXPECT_EQ(trace.events[1].launch_ns, 20'000);  // both of the graph were asked for by one call
  EXPECT_EQ(trace.events[2].launch_ns, 20'000);
  EXPECT_FALSE(trace.events[3].launch_ns);  // nobody recorded its call
  EXPECT_EQ(trace.events[3].launch, Launch::kMissing);
}

TEST(KinetoTrace, LaunchTimesAreThoseOfTheFile) {
  const auto file = std::filesystem::path(DACHLAST_TEST_DATA_DIR) / "profiles" / "qwen1.5-0.5b-h100.json.gz";
  const GpuTrace trace = read_kineto_trace(file, shipped_rules());
  std::int64_t n_known = 0;
  std::int64_t shortest_ns = INT64_MAX;
  for (const GpuEvent& event : trace.events) {
    if (!event.launch_ns) continue;
    ++n_known;
    shortest_ns = std::min(shortest_ns, event.start_ns - *event.launch_ns);
  }
  // Counted from the file alone: 1198 of 1707 events share a call's correlation; the quickest began 4.825 us behind it.
  EXPECT_EQ(n_known, 1198);
  EXPECT_NEAR(static_cast<double>(shortest_ns), 4825.0, 1.0);
}

TEST_F(OwnTrace, MicrosecondsSince1970KeepTheirNanoseconds) {
  const GpuTrace trace = read_kineto_trace(
      write(R"({"ph": "X", "cat": "kernel", "name": "k", "ts": 1695835542514261.123, "dur": 1, "args": {}})"),
      shipped_rules());
  EXPECT_EQ(trace.events[0].start_ns, 1'695'835'542'514'261'123);
}

TEST_F(OwnTrace, NamesTheEventThatIsWrong) {
  EXPECT_THAT(complaint(write(R"({"ph": "X", "cat": "kernel", "name": "k", "ts": "soon", "dur": 1, "args": {}})")),
              HasSubstr("event 1: 'k' has no valid \"ts\""));
  EXPECT_THAT(complaint(write(R"({"ph": "X", "cat": "kernel", "name": "k", "ts": 1, "dur": -1, "args": {}})")),
              HasSubstr("event 1"));
  EXPECT_THAT(complaint(write(R"({"ph": "X", "cat": "kernel" "name": 1})")), HasSubstr("is no JSON"));
}

}  // namespace
}  // namespace dachlast
