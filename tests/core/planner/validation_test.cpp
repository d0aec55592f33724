#include "core/planner/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/csv.h"
#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"

namespace dachlast {
namespace {

RowCatalog catalog() {
  return {read_preset_sources(data_dir() / "models" / "SOURCES.csv"), list_devices()};
}

MemoryKvRow row_of(std::string id) {
  MemoryKvRow row;
  row.source.id = std::move(id);
  row.source.notes = "vLLM 0.11.0";
  row.model = "meta-llama/Llama-3.1-8B-Instruct";
  row.gpu = "H100 80GB (79.18 GiB reported)";
  row.tp = 1;
  row.pp = 1;
  row.dtype = "bf16";
  row.kv_dtype = "auto";
  row.gpu_mem_util = 0.9;
  row.max_model_len = 4096;
  row.gpu_total_gib = 79.18;
  return row;
}

Validation validate_one(const MemoryKvRow& row) {
  RowCatalog known = catalog();
  return validate_memory_kv({&row, 1}, known);
}

Validation with_errors(std::initializer_list<double> errors) {
  Validation validation;
  int id = 0;
  for (const double error : errors) validation.add({std::to_string(++id), "weights", "", 100.0 * (1.0 + error), 100.0});
  return validation;
}

TEST(Validation, ErrorsAreSummedUpByComponent) {
  const ComponentErrors errors = component_errors(with_errors({-0.01, 0.02, 0.03, -0.04, 0.10})).front();
  EXPECT_EQ(errors.n, 5);
  EXPECT_NEAR(errors.median_abs, 0.03, 1e-12);
  EXPECT_NEAR(errors.p90_abs, 0.076, 1e-12);  // h = 4 · 0.9 = 3.6: 0.04 + 0.6 · (0.10 − 0.04)
  EXPECT_NEAR(errors.worst_abs, 0.10, 1e-12);
  EXPECT_NEAR(errors.signed_median, 0.02, 1e-12);
}

TEST(Validation, TheWorstComeFirst) {
  const auto worst = worst_figures(with_errors({-0.01, 0.02, -0.04}), 2);
  ASSERT_EQ(worst.size(), 2u);
  EXPECT_EQ(worst[0].id, "3");
  EXPECT_EQ(worst[1].id, "2");
}

TEST(Validation, AFigureOfZeroIsSkippedWithItsReason) {
  Validation validation;
  validation.add({"z", "non_torch", "", 1.0, 0.0});
  EXPECT_TRUE(validation.figures.empty());
  EXPECT_EQ(validation.skipped.front().component, "non_torch");
}

TEST(Validation, SkippedFiguresAreGroupedByReason) {
  Validation validation;
  validation.skipped = {{"a", "all", "x"}, {"b", "fit", "y"}, {"c", "fit", "y"}};
  const auto groups = skip_groups(validation);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].reason, "y");
  EXPECT_EQ(groups[0].n, 2);
  EXPECT_EQ(groups[0].first_id, "b");
}

TEST(MemoryKvRows, TokensFollowFromThePublishedRoom) {
  MemoryKvRow row = row_of("x1");
  row.kv_gib_per_gpu = 10.0;
  // 10 GiB over 2 · 32 layers · 8 heads · 128 · 2 B = 128 KiB a token: 81,920 tokens, whole blocks of 16.
  row.kv_tokens_total = 81'920;
  const Validation validation = validate_one(row);
  ASSERT_EQ(validation.figures.size(), 2u);
  EXPECT_EQ(validation.figures[1].component, "kv_tokens");
  EXPECT_DOUBLE_EQ(validation.figures[1].predicted, 81'920.0);
}

TEST(MemoryKvRows, AnUnknownModelIsNamedAndCounted) {
  MemoryKvRow row = row_of("x2");
  row.model = "somebody/Nonesuch-9000B";
  const Validation validation = validate_one(row);
  EXPECT_EQ(validation.n_rows, 1);
  ASSERT_EQ(validation.skipped.size(), 1u);
  EXPECT_EQ(validation.skipped[0].id, "x2");
  EXPECT_EQ(validation.skipped[0].component, "all");
  EXPECT_NE(validation.skipped[0].reason.find("Nonesuch"), std::string::npos);
}

TEST(MemoryKvRows, ARoomWithoutAFractionIsSkippedWithItsReason) {
  MemoryKvRow row = row_of("x3");
  row.kv_gib_per_gpu = 40.0;
  row.gpu_mem_util.reset();
  const Validation validation = validate_one(row);
  ASSERT_FALSE(validation.skipped.empty());
  EXPECT_EQ(validation.skipped[0].reason, "the memory fraction is not stated");
}

TEST(MemoryKvRows, AnUnknownTypeLeavesTheRestOfTheRow) {
  MemoryKvRow row = row_of("x6");
  row.kv_dtype = "turbo3";
  row.weights_gib_per_gpu = 14.99;
  row.kv_tokens_total = 1000;
  const Validation validation = validate_one(row);
  ASSERT_EQ(validation.figures.size(), 1u);
  EXPECT_EQ(validation.figures[0].component, "weights");
  EXPECT_NEAR(validation.figures[0].predicted, 14.99, 0.005);  // 14.96 GiB and 32 MiB of position tables
  ASSERT_FALSE(validation.skipped.empty());
  EXPECT_EQ(validation.skipped[0].component, "kv_tokens");
}

TEST(MemoryKvRows, ARowThatContradictsItselfIsNoMeasure) {
  MemoryKvRow row = row_of("x7");
  row.source.notes = "vLLM 0.11.0; nvidia-smi 20238 MiB per process";  // 0.9 · 79.18 GiB would be 72,972
  row.kv_tokens_total = 1000;
  const Validation validation = validate_one(row);
  ASSERT_FALSE(validation.skipped.empty());
  EXPECT_THAT(validation.skipped[0].reason, testing::HasSubstr("contradicts itself"));
}

TEST(MemoryKvRows, ARefusedStartMustBePredicted) {
  MemoryKvRow row = row_of("x4");
  row.source.notes = "vLLM 0.11.0; start refused";
  row.gpu = "RTX 4090 24GB";
  row.gpu_total_gib.reset();
  row.max_model_len = 131'072;  // 16 GiB of cache beside 15 GiB of weights
  const Validation validation = validate_one(row);
  ASSERT_EQ(validation.fits.size(), 1u);
  EXPECT_TRUE(validation.fits[0].right());
  EXPECT_EQ(validation.fits[0].predicted, FitVerdict::kDoesNotFit);
}

TEST(MemoryKvRows, ALayoutTheModelCannotBeCutIntoIsAVerdict) {
  MemoryKvRow row = row_of("x5");
  row.tp = 3;  // 32 heads
  const Validation validation = validate_one(row);
  ASSERT_EQ(validation.fits.size(), 1u);
  EXPECT_FALSE(validation.fits[0].right());
}

TEST(KvTableRows, BytesPerTokenAndTotals) {
  KvTableRow row;
  row.source.id = "y1";
  row.model = "Llama 3.1 8B";
  row.context_tokens = 1000;
  row.batch = 2;
  row.dtype = "fp16";
  row.kv_gib = 1.0;
  row.kv_bytes_per_token = 1.0;
  RowCatalog known = catalog();
  const Validation validation = validate_kv_tables({&row, 1}, known);
  ASSERT_EQ(validation.figures.size(), 2u);
  EXPECT_DOUBLE_EQ(validation.figures[0].predicted, 131'072.0);  // 2 · 32 · 8 · 128 · 2 B
  EXPECT_NEAR(validation.figures[1].predicted, 0.2441, 1e-4);    // 2 · 1,000 · 128 KiB
}

TEST(ThroughputRows, WhatRanMustFitAndAQuestionWithoutLengthsIsNone) {
  ThroughputRow row;
  row.source.id = "t1";
  row.source.notes = "static batching";
  row.engine = "TensorRT-LLM";
  row.engine_version = "0.9.0";
  row.model = "LLaMA 3.1 70B";
  row.gpu = "H100 80GB HBM3";
  row.n_gpus = row.tp = row.pp = 1;
  row.weight_dtype = "bf16";
  row.metric = "ttft_ms";
  row.batch_or_concurrency = "1";
  RowCatalog known = catalog();
  const Validation validation = validate_throughput({&row, 1}, known);
  EXPECT_EQ(validation.skipped[0].component, "ttft");
  ASSERT_EQ(validation.fits.size(), 1u);
  EXPECT_FALSE(validation.fits[0].right());  // 131 GiB of weights on 80 GB: we say it cannot have run
}

}  // namespace
}  // namespace dachlast
