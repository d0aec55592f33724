#include "core/planner/row_words.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

ReferenceSource source_with(std::string notes, std::string repo = "somebody/logs") {
  ReferenceSource source;
  source.id = "x1";
  source.repo = std::move(repo);
  source.notes = std::move(notes);
  return source;
}

RowEngine engine_of(std::string notes, std::optional<double> fraction = std::nullopt) {
  return row_engine("", "", source_with(std::move(notes)), fraction);
}

TEST(RowEngine, TakesTheVersionThatNotesState) {
  EXPECT_EQ(engine_of("approximate; vLLM 0.20.0 (sliding layers charged as full)").version, "0.20.0");
  EXPECT_EQ(engine_of("vLLM v0.9.1; TP=2").version, "0.9.1");
  EXPECT_EQ(engine_of("vLLM 0.29.1rc1.dev17; 1.22x").version, "0.29.1");
}

TEST(RowEngine, TurnsADateIntoTheReleaseOfItsTime) {
  const RowEngine engine = engine_of("vLLM 2025-10; --max-num-batched-tokens 1024");
  EXPECT_EQ(engine.id, "vllm");
  EXPECT_EQ(engine.version, "0.11");
  EXPECT_EQ(engine_of("vLLM 2024-07-24 log").version, "0.5");
}

TEST(RowEngine, TheOldEngineIsTheVersionBeforeItsEnd) {
  EXPECT_EQ(engine_of("vLLM V0, 2025-04 log").version, "0.6");
}

TEST(RowEngine, TheFractionTellsErasWhereNothingElseDoes) {
  EXPECT_EQ(engine_of("vLLM; no word of a version", 0.9).version, "0.20");
  EXPECT_EQ(engine_of("vLLM; no word of a version", 0.92).version, "");
}

TEST(RowEngine, IssueNumbersStandForTheReleaseBeforeThem) {
  ReferenceSource source = source_with("start refused", "vllm-project/vllm");
  source.ref = "issue 10517#29k";
  EXPECT_EQ(row_engine("", "", source, 0.9).version, "0.6");
  source.ref = "PR 43308";
  EXPECT_EQ(row_engine("", "", source, std::nullopt).version, "0.21");
}

TEST(RowEngine, OtherEnginesAreNamed) {
  EXPECT_EQ(engine_of("SGLang, mem_fraction_static 0.93").id, "sglang");
  EXPECT_EQ(row_engine("TensorRT-LLM (Triton backend)", "0.14.0", source_with(""), std::nullopt).id, "tensorrt-llm");
  EXPECT_EQ(row_engine("TensorRT-LLM (Triton backend)", "0.14.0", source_with(""), std::nullopt).version, "0.14.0");
  const RowEngine unknown = row_engine("MyEngine", "3", source_with("compared with vLLM"), std::nullopt);
  EXPECT_EQ(unknown.id, "");
  EXPECT_EQ(unknown.name, "MyEngine");
}

TEST(RowNotes, ReadsSettings) {
  const RowNotes notes =
      read_notes("vLLM; --block-size 128; --max-num-batched-tokens=1024; max_num_seqs 2; --enforce-eager");
  EXPECT_EQ(notes.block_tokens, 128);
  EXPECT_EQ(notes.max_num_batched_tokens, 1024);
  EXPECT_EQ(notes.max_num_seqs, 2);
  EXPECT_TRUE(notes.eager);
  EXPECT_FALSE(notes.refused);
}

TEST(RowNotes, ReadsRefusalsAndRemarks) {
  EXPECT_TRUE(read_notes("start refused: 23648 tokens < max_model_len").refused);
  EXPECT_TRUE(read_notes("Failed start: no KV room").refused);
  EXPECT_TRUE(read_notes("GPU not empty at start").shared_gpu);
  EXPECT_TRUE(read_notes("Marlin weight-only path").marlin);
  EXPECT_EQ(read_notes("checkpoint of that date had 16 KV heads (doubled)").n_kv_heads, 16);
  // Heads that are part of a description are no override.
  EXPECT_EQ(read_notes("16 of 64 layers hold KV, 4 kv heads x 256").n_kv_heads, std::nullopt);
}

TEST(RowNotes, ReadsHowExpertsAndDraftersAreServed) {
  const RowNotes notes = read_notes("--data-parallel-size 8 --enable-expert-parallel; MTP drafter on");
  EXPECT_EQ(notes.data_parallel, 8);
  EXPECT_TRUE(notes.whole_experts);
  EXPECT_TRUE(notes.drafter);
  EXPECT_FALSE(read_notes("no MTP").drafter);
  EXPECT_EQ(read_notes("").data_parallel, 1);
}

TEST(RowNotes, NumbersThatAreTooLargeAreNone) {
  EXPECT_EQ(read_notes("--block-size 99999999999999999999").block_tokens, std::nullopt);
  EXPECT_EQ(read_notes("--block-size -3").block_tokens, std::nullopt);
}

TEST(RowDevice, ReadsCountAndCapacity) {
  const RowDevice reported = read_device_words("H100 80GB (79.18 GiB reported)");
  EXPECT_EQ(reported.name, "H100 80GB");
  EXPECT_DOUBLE_EQ(*reported.reported_gib, 79.18);
  EXPECT_EQ(read_device_words("A100-80GB (4x)").n_devices, 4);
  EXPECT_EQ(read_device_words("H200 (8x, ~140.4 GB)").n_devices, 8);
}

TEST(RowDevice, TurnsARequestAtAFractionIntoACapacity) {
  // 36.33 GiB / 0.92 = 39.489 GiB
  EXPECT_NEAR(*read_device_words("A100 (requested 36.33 GiB at util 0.92)").reported_gib, 39.489, 0.001);
  EXPECT_EQ(read_device_words("A100 (requested 36.33 GiB at util 0)").reported_gib, std::nullopt);
}

}  // namespace
}  // namespace dachlast
