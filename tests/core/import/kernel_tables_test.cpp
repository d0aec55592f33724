#include "core/import/kernel_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/model_source.h"

namespace dachlast {
namespace {

using ::testing::HasSubstr;

const NameRules& shipped_rules() {
  static const NameRules rules(data_dir() / "rules");
  return rules;
}

CsvTable sample(const std::string& name) {
  return read_csv(std::filesystem::path(DACHLAST_TEST_DATA_DIR) / "profiles" / name, ShortRows::kFill);
}

TEST(NsysKernelSum, AddsUpByFamily) {
  const CsvTable table = sample("deepseek-ocr-decode.cuda_gpu_kern_sum.csv");
  ASSERT_TRUE(is_nsys_kernel_sum(table));
  const GpuProfile profile = read_nsys_kernel_sum(table, shipped_rules());
  EXPECT_EQ(profile.kernels.at(0).times.total_ns, 61'602'133);  // first row of the file
  EXPECT_EQ(profile.kernels.at(0).times.n, 16'448);
  EXPECT_EQ(profile.families.at(0).family, KernelFamily::kGemm);
  EXPECT_TRUE(profile.timelines.empty());
}

TEST(NcuDetails, ReadsCountersWithTheirUnits) {
  const CsvTable table = sample("kernel_0002.details.csv");
  ASSERT_TRUE(is_ncu_details(table));
  const GpuProfile profile = read_ncu_details(table, shipped_rules());
  ASSERT_EQ(profile.counters.size(), 1U);
  const CounterKernel& kernel = profile.counters[0];
  EXPECT_DOUBLE_EQ(kernel.read_bytes->value, 17.57e6);  // "17.57" Mbyte
  EXPECT_DOUBLE_EQ(kernel.written_bytes->value, 0.0);
  EXPECT_NEAR(kernel.time->value, 18.34e-6, 1e-12);
  EXPECT_DOUBLE_EQ(*kernel.memory_share, 0.5436);
  EXPECT_DOUBLE_EQ(*kernel.compute_share, 0.2247);
  EXPECT_FALSE(kernel.flops);  // flop counts are "n/a" there
  EXPECT_EQ(judge_counters(kernel, 0.6)->bound, Bound::kLatency);
  EXPECT_EQ(judge_counters(kernel, 0.5)->bound, Bound::kMemory);
}

CsvTable details(const std::string& rows) {
  return parse_csv("ID,Kernel Name,Metric Name,Metric Unit,Metric Value\n" + rows, "details.csv");
}

TEST(NcuDetails, WorkNeedsBothTensorAndFloatCounters) {
  const std::string floats =
      "0,k,smsp__sass_thread_inst_executed_op_ffma_pred_on.sum,inst,\"1,000\"\n"
      "0,k,smsp__sass_thread_inst_executed_op_fadd_pred_on.sum,inst,10\n"
      "0,k,smsp__sass_thread_inst_executed_op_fmul_pred_on.sum,inst,5\n";
  EXPECT_FALSE(read_ncu_details(details(floats), shipped_rules()).counters.at(0).flops);
  const std::string tensor = "0,k,sm__ops_path_tensor_src_bf16_dst_fp32.sum,,4000\n";
  // 2 · 1,000 + 10 + 5 + 4,000
  EXPECT_DOUBLE_EQ(read_ncu_details(details(floats + tensor), shipped_rules()).counters.at(0).flops->value, 6015.0);
}

std::string complaint(const std::string& rows) {
  try {
    read_ncu_details(details(rows), shipped_rules());
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(NcuDetails, NamesLineAndColumnOfWhatIsWrong) {
  EXPECT_THAT(complaint("0,k,gpu__time_duration.sum,fortnight,1\n"), HasSubstr("line 2, column 'Metric Unit'"));
  EXPECT_THAT(complaint("0,k,gpu__time_duration.sum,us,soon\n"), HasSubstr("line 2, column 'Metric Value'"));
  EXPECT_EQ(complaint("0,k,something else,fortnight,soon\n"), "");  // never read
}

}  // namespace
}  // namespace dachlast
