#include "core/store/run_json.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

constexpr std::string_view kRun = R"({
  "schema": "dachlast.run/1", "id": "one", "created_at": "2026-03-01T14:05:00Z", "program_version": "0.1.0",
  "command": "dachlast run", "complete": true, "planned_points": 1, "bound_threshold": 0.6,
  "device": {"name": "cpu", "threads": 2, "host": {"cpu": "A CPU", "cores": 2, "memory_bytes": 8e9, "isa": ["AVX2"]},
    "roofs": {"device": "A CPU", "host_id": "ab", "measured_at": "", "bandwidths": [
      {"level": "DRAM", "pattern": "read", "threads": 2, "working_set_bytes": 1e9, "bytes_per_s": 2e10,
       "bytes_per_s_min": 1e10, "bytes_per_s_max": 3e10, "n": 5, "origin": "measured"}], "computes": [
      {"dtype": "f32", "instruction": "FMA", "threads": 2, "ops_per_s": 1e11, "ops_per_s_min": 1e11,
       "ops_per_s_max": 1e11, "n": 5, "origin": "measured"}]}},
  "model": {"name": "m", "architecture": "gpt2", "parameters": 10, "weight_bytes": 40, "config_hash": "h",
    "weights": "w", "random_weights": false, "max_context_tokens": 64, "dtype": "f32", "kv_dtype": "f32"},
  "points": [{"phase": "decode", "context_tokens": 8, "batch": 1, "kv_cache": "contiguous", "samples_s": [0.1, 0.2],
    "flops": 100, "weight_bytes": 40, "activation_bytes": 4, "kv_read_bytes": 2, "kv_write_bytes": 1,
    "busy_share": 0.9, "stop_reason": "converged", "remarks": [{"code": "c", "text": "t"}],
    "ops": [{"op": "attention", "calls": 2, "time_s": 0.05, "arithmetic": "f32", "flops": 100, "weight_bytes": 40,
      "activation_bytes": 4, "kv_read_bytes": 2, "kv_write_bytes": 1}]}],
  "warnings": [], "assumptions": [{"code": "a", "text": "b"}]
})";

std::string with(std::string_view from, std::string_view to) {
  std::string text(kRun);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void expect_refused(const std::string& text, const std::string& reason) {
  try {
    run_from_document("file.html", text);
    FAIL() << "accepted: " << reason;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(error.subject(), "file.html");
    EXPECT_NE(error.reason().find(reason), std::string::npos) << error.reason();
    EXPECT_FALSE(error.way_out().empty());
  }
}

TEST(RunDocument, ReadsWhatTheSchemaHolds) {
  const StoredRun stored = run_from_document("file.json", kRun);
  const auto& run = stored.run;
  EXPECT_TRUE(stored.skipped.empty());
  EXPECT_EQ(run.n_threads, 2);
  EXPECT_EQ(run.host.isa, std::vector<std::string>{"AVX2"});
  EXPECT_DOUBLE_EQ(run.roofs.bandwidths.at(0).bytes_per_s.max, 3e10);
  ASSERT_EQ(run.points.size(), 1u);
  EXPECT_EQ(run.points[0].samples_s, (std::vector<double>{0.1, 0.2}));
  EXPECT_EQ(run.points[0].ops.at(0).op, OpKind::kAttention);
  EXPECT_DOUBLE_EQ(run.points[0].cost.bytes().value, 47.0);  // 40 + 4 + 2 + 1
  EXPECT_EQ(run.points[0].remarks.at(0).text, "t");
  EXPECT_EQ(run.assumptions.at(0).code, "a");
  EXPECT_EQ(stored.timelines.size(), 1u);
}

TEST(RunDocument, ReadsTheElementOfAReport) {
  const std::string html = "<!DOCTYPE html><script>x</script><script type=\"application/json\" id=\"dachlast-data\">" +
                           std::string(kRun) + "</script></html>";
  EXPECT_EQ(run_from_document("file.html", html).run.id, "one");
}

TEST(RunDocument, ReadsOperationsAsColumnsToo) {
  std::string text(kRun);
  const std::size_t at = text.find("\"ops\": [");
  const std::string columns =
      R"("ops": {"op": ["attention", "norm"], "calls": [2, 3], "time_s": [0.05, null], "arithmetic": ["f32", "bf16"],
         "flops": [100, 7], "weight_bytes": [40, 0], "activation_bytes": [4, 0], "kv_read_bytes": [2, 0],
         "kv_write_bytes": [1, 0], "bound": ["memory", null]})";
  const std::string list = text.substr(at, text.find("]}],", at) + 1 - at);
  const StoredRun stored = run_from_document("file.json", with(list, columns));
  const auto& ops = stored.run.points.at(0).ops;
  ASSERT_EQ(ops.size(), 2u);
  EXPECT_EQ(ops[0].op, OpKind::kAttention);
  EXPECT_EQ(ops[0].n_calls, 2);
  EXPECT_DOUBLE_EQ(ops[0].time.value, 0.05);
  EXPECT_DOUBLE_EQ(ops[0].cost.bytes().value, 47.0);  // 40 + 4 + 2 + 1
  EXPECT_EQ(ops[1].op, OpKind::kNorm);
  EXPECT_EQ(ops[1].n_calls, 3);
  EXPECT_EQ(ops[1].arithmetic, DType::kBF16);
  EXPECT_DOUBLE_EQ(ops[1].time.value, 0.0);  // as a list whose row lacks the key
  expect_refused(with(list, R"("ops": {"op": ["attention", "norm"], "calls": [2]})"), "not equally long");
  expect_refused(with(list, R"("ops": {"op": 7})"), "not equally long");
  EXPECT_TRUE(run_from_document("file.json", with(list, R"("ops": {})")).run.points.at(0).ops.empty());
}

TEST(RunDocument, ReadsWhatOnlySomeRunsHold) {
  const StoredRun stored = run_from_document("file.json", with("\"warnings\": []", R"("warnings": [],
  "what_if": {"what_if": "swiftkv:3", "outputs": "not the model's", "points": [
    {"phase": "decode", "context_tokens": 512, "batch": 2, "as_is_s": 0.5, "what_if_s": 0.25, "kv_as_is_bytes": 4096,
     "kv_what_if_bytes": 2048}, {"phase": "rethink", "context_tokens": 1}]},
  "kv_break_even": {"tier": "file", "tier_text": "a file of 12 MiB", "layers": 16, "chunk_tokens": 256,
    "chunk_bytes": 524288, "transfer_per_layer_s": 1e-5, "transfer_per_chunk_s": 2e-4, "recompute_flops_per_token": 2e9,
    "recompute_flops_per_pair": 1e5, "recompute_flops_per_s": 4e11, "share_of_roofs": 0.75, "rate_tokens": 4096,
    "fetch_faster_at_tokens": 256, "points": [{"context_tokens": 512, "recomputed_tokens": 496, "kept_s": 0.01,
      "fetch_predicted_s": 0.02, "fetch_s": 0.021, "recompute_predicted_s": 0.3, "recompute_s": 0.31}]},
  "serving": {"max_sequences": 4, "step_tokens": 256, "steps": 8, "seconds": 1.25, "kv": {"blocks": 64},
    "requests": [{"prompt_tokens": 9, "ttft_s": 0.5, "itl_s": [0.01]}],
    "kv_traffic": {"steps": 8, "reads": 5, "writes": 3, "read_bytes_per_step": 512, "waited_s_per_step": 0.25,
      "recomputed_tokens_per_step": 1.5}})"));
  EXPECT_EQ(stored.skipped, std::vector<std::string>{"what-if of phase rethink"});
  const auto& run = stored.run;
  EXPECT_EQ(*run.what_if,
            (WhatIfRun{.text = "swiftkv:3", .points = {{Phase::kDecode, 512, 2, 0.5, 0.25, 4096, 2048}}}));
  EXPECT_EQ(run.break_even->n_layers, 16);
  EXPECT_EQ(run.break_even->fetch_faster_at, 256);
  EXPECT_EQ(run.break_even->break_even_bytes_per_s, std::nullopt);
  EXPECT_EQ(run.break_even->points.at(0), (KvBreakEvenPoint{512, 496, 0.01, 0.02, 0.021, 0.3, 0.31}));
  const KvTrafficPerStep& traffic = *run.serving->kv_traffic;
  EXPECT_EQ(traffic.total.n_reads, 5);
  EXPECT_DOUBLE_EQ(traffic.total.read_bytes, 4096.0);  // 8 steps of 512
  EXPECT_EQ(traffic.total.n_recomputed_tokens, 12);    // 8 steps of 1.5
}

TEST(RunDocument, IsOpenedAsARunFileIs) {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "run.json";
  std::ofstream(file) << kRun;
  EXPECT_EQ(read_run(file).run.id, "one");
}

TEST(RunDocument, RefusesWhatIsNoRun) {
  expect_refused("<html></html>", "no report");
  expect_refused("", "no report");
  expect_refused("{}", "no data");
  expect_refused(R"({"schema": "dachlast.plan/1"})", "dachlast.plan/1");
  expect_refused(R"({"schema": 7})", "damaged");
  expect_refused("{\"schema\"", "damaged");
}

TEST(RunDocument, RefusesFiguresThatCannotBe) {
  expect_refused(with("\"context_tokens\": 8", "\"context_tokens\": -8"), "context_tokens");
  expect_refused(with("\"context_tokens\": 8", "\"context_tokens\": 1e300"), "context_tokens");
  expect_refused(with("[0.1, 0.2]", "[0.1, -0.2]"), "samples_s");
  expect_refused(with("[0.1, 0.2]", "\"many\""), "damaged");
  expect_refused(with("\"dtype\": \"f32\", \"kv_dtype\"", "\"dtype\": \"f9\", \"kv_dtype\""), "f9");
}

TEST(RunDocument, SaysWhatANewerVersionHolds) {
  const StoredRun newer = run_from_document("file.json", with("dachlast.run/1", "dachlast.run/2"));
  EXPECT_EQ(newer.skipped, std::vector<std::string>{"what is new in dachlast.run/2"});
  const StoredRun unknown = run_from_document("file.json", with("\"op\": \"attention\"", "\"op\": \"teleport\""));
  EXPECT_EQ(unknown.skipped, std::vector<std::string>{"operation teleport"});
  EXPECT_TRUE(unknown.run.points.at(0).ops.empty());
}

}  // namespace
}  // namespace dachlast
