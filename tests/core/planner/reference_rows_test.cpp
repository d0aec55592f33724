#include "core/planner/reference_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

using testing::AllOf;
using testing::HasSubstr;

template <class Row>
std::vector<Row> bundled(const std::string& name) {
  return std::get<std::vector<Row>>(
      read_reference_rows(std::string(DACHLAST_TEST_DATA_DIR) + "/reference/" + name + "_dev.csv"));
}

constexpr const char* kKvHeader =
    "id,source_repo,source_ref,model,context_tokens,batch,dtype,kv_gib,kv_bytes_per_token,notes\n";

class ReferenceFile : public testing::Test {
 protected:
  std::vector<KvTableRow> read(const std::string& rows) {
    return std::get<std::vector<KvTableRow>>(read_reference_rows(folder_.write("kv.csv", kKvHeader + rows)));
  }

  void expect_refused(const std::string& text, const std::string& reason) {
    try {
      read_reference_rows(folder_.write("kv.csv", text));
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_THAT(error.subject(), HasSubstr("kv.csv"));
      EXPECT_THAT(error.reason(), HasSubstr(reason));
    }
  }

  TempFolder folder_;
};

TEST(ReferenceRows, TheBundledTablesAreReadWhole) {
  EXPECT_EQ(bundled<MemoryKvRow>("memory_kv").size(), 27u);
  EXPECT_EQ(bundled<LlamaCppRow>("memory_llamacpp").size(), 101u);
  EXPECT_EQ(bundled<KvTableRow>("kv_tables").size(), 19u);
  EXPECT_EQ(bundled<ThroughputRow>("throughput").size(), 1426u);
  EXPECT_EQ(bundled<ServingRow>("serving_silicon").size(), 2090u);
}

TEST(ReferenceRows, ServingRowsKnowTheirRanks) {
  const auto rows = bundled<ServingRow>("serving_silicon");
  EXPECT_EQ(rows[0].backend, "sglang");
  EXPECT_EQ(rows[0].ranks.tp, 8);
  EXPECT_EQ(rows[0].ranks.moe_ep, 8);
  EXPECT_FALSE(rows[0].prefill.tp);
  EXPECT_DOUBLE_EQ(*rows[0].ttft_ms, 319.8439);
}

TEST(ReferenceRows, CellsArriveWhereTheyBelong) {
  const auto rows = bundled<MemoryKvRow>("memory_kv");
  EXPECT_EQ(rows[0].source.id, "m001");
  EXPECT_EQ(rows[0].source.line, 2);
  EXPECT_EQ(rows[0].model, "openai/gpt-oss-20b");
  EXPECT_DOUBLE_EQ(*rows[0].activation_gib, 7.38);
  EXPECT_FALSE(rows[0].kv_tokens_total);
  EXPECT_EQ(rows[1].tp, 2);
  EXPECT_DOUBLE_EQ(*rows[1].cuda_graph_gib, -0.42);
  EXPECT_DOUBLE_EQ(*rows[3].kv_gib_per_gpu, -1.44);  // a start that was refused

  const auto logs = bundled<LlamaCppRow>("memory_llamacpp");
  EXPECT_EQ(logs[0].source.id, "l001");
  ASSERT_EQ(logs[0].compute_buffers_mib.size(), 1u);
  EXPECT_EQ(logs[0].compute_buffers_mib[0].device, "total");
  EXPECT_DOUBLE_EQ(logs[0].compute_buffers_mib[0].mib, 73.69);
  EXPECT_TRUE(logs[0].kv_buffers_mib.empty());
}

TEST(ReferenceRows, WordsForANumberAreKeptBesideAnAbsentFigure) {
  int n_words = 0;
  for (const auto& row : bundled<ThroughputRow>("throughput"))
    for (const auto& cell : row.source.words) {
      EXPECT_EQ(cell.column, "input_len");
      EXPECT_EQ(cell.words, "short prompt");
      EXPECT_FALSE(row.input_len);
      ++n_words;
    }
  EXPECT_GT(n_words, 0);
}

TEST(ReferenceRows, TheKindIsNamedByItsHeader) {
  EXPECT_EQ(kind_name(bundled<KvTableRow>("kv_tables")), "kv_tables");
  EXPECT_EQ(kind_name(bundled<LlamaCppRow>("memory_llamacpp")), "memory_llamacpp");
}

TEST_F(ReferenceFile, EmptyCellsAreAbsentAndFurtherColumnsLeftAside) {
  const auto rows = read("k1,r,s,M,4096,,fp16, 0.5 ,,\n");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].context_tokens, 4096);
  EXPECT_FALSE(rows[0].batch);
  EXPECT_DOUBLE_EQ(*rows[0].kv_gib, 0.5);
  const auto wide = read_reference_rows(
      folder_.write("wide.csv",
                    "extra,id,source_repo,source_ref,model,context_tokens,batch,dtype,kv_gib,kv_bytes_per_token,notes\n"
                    "x,k1,r,s,M,1,1,f16,1,1,n\n"));
  EXPECT_EQ(std::get<std::vector<KvTableRow>>(wide)[0].model, "M");
}

TEST_F(ReferenceFile, AHeaderOfNoKindNamesWhatIsMissingAndTheKnownTables) {
  try {
    read_reference_rows(
        folder_.write("kv.csv", "id,source_repo,source_ref,model,context_tokens,batch,dtype,kv_gib,notes\n"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.reason(), HasSubstr("for kv_tables it lacks kv_bytes_per_token."));
    EXPECT_THAT(error.way_out(), AllOf(HasSubstr("memory_kv"), HasSubstr("memory_llamacpp"), HasSubstr("throughput")));
  }
  expect_refused("a,b\n1,2\n", "columns of no known table");
}

TEST_F(ReferenceFile, AbsurdNumbersAreRefusedWithLineAndColumn) {
  const std::string header = kKvHeader;
  const std::string good = "k1,r,s,M,4096,1,fp16,0.5,,\n";
  expect_refused(header + good + "k2,r,s,M,4096,1,fp16,nan,,\n", "line 3, column \"kv_gib\": \"nan\"");
  expect_refused(header + "k2,r,s,M,4096,1,fp16,inf,,\n", "not a finite number");
  expect_refused(header + "k2,r,s,M,4096,1,fp16,1e400,,\n", "is no number");
  expect_refused(header + "k2,r,s,M,4096,1,fp16,-0.5,,\n", "lies outside 0");
  expect_refused(header + "k2,r,s,M,4096,1,fp16,1e9,,\n", "lies outside");
  expect_refused(header + "k2,r,s,M,4096.5,1,fp16,,,\n", "is no whole number");
  expect_refused(header + "k2,r,s,M,4k,1,fp16,,,\n", "\"4k\" is no number");
  expect_refused(header + "k2,r,s,M,99999999999999999999,1,fp16,,,\n", "column \"context_tokens\"");
  expect_refused(header + ",r,s,M,1,1,fp16,,,\n", "column \"id\": \"\" is missing");
}

TEST_F(ReferenceFile, BufferListsMustNameDevicesAndAmounts) {
  const std::string header =
      "id,source_repo,source_ref,engine,engine_build,model,model_params,file_type,model_size_gib,n_gpus,gpu,n_ctx,"
      "n_batch,n_ubatch,flash_attn,mla_mode,layers_offloaded,type_k,type_v,k_mib,v_mib,kv_self_mib,kv_buffers_mib,"
      "model_buffers_mib,compute_buffers_mib,output_buffers_mib,vram_model_mib,vram_total_mib,notes\n";
  const std::string before = "l1,r,s,llama.cpp,1,M,7 B,Q4_0,,,,512,,,,,all,f16,f16,,,,";
  const auto rows = std::get<std::vector<LlamaCppRow>>(
      read_reference_rows(folder_.write("l.csv", header + before + "CUDA0=288;CUDA1=256.5,,,,,,\n")));
  ASSERT_EQ(rows[0].kv_buffers_mib.size(), 2u);
  EXPECT_EQ(rows[0].kv_buffers_mib[1].device, "CUDA1");
  EXPECT_DOUBLE_EQ(rows[0].kv_buffers_mib[1].mib, 256.5);
  for (const char* bad : {"288", "=288", "CUDA0=", "CUDA0=-1", "CUDA0=nan", "CUDA0=1;;"})
    expect_refused(header + before + bad + ",,,,,,\n", "column \"kv_buffers_mib\"");
}

}  // namespace
}  // namespace dachlast
