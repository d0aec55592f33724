#include "core/roofline/op_time.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

using enum LawConstant;

// Round numbers on purpose: 1 TB/s, 100 units, 100 TFLOP/s.
constexpr DeviceRates kDevice{.bandwidth = 1e12, .cache_bytes = 10e6, .n_units = 100};
constexpr double kPeak = 100e12;

void set(EfficiencyCurve& curve, LawConstant constant, double value) {
  curve.constants[static_cast<std::size_t>(constant)] = value;
}

/// Roofs as listed, the larger of two terms counts, no floor.
EfficiencyCurve plain_curve() {
  EfficiencyCurve curve;
  for (const LawConstant constant : {kMemory, kCompute, kCached, kActivations, kSmallTile}) set(curve, constant, 1.0);
  set(curve, kJoin, 64.0);
  set(curve, kBlock, 1e9);
  set(curve, kGbS, 100.0);
  return curve;
}

TEST(OpTime, AProductOfOneRowReadsItsWeights) {
  const GemmCall call{.m = 1, .n = 1000, .k = 1000, .weight_bytes = 2.0, .peak = kPeak};
  // 1,000 · 1,000 · 2 B + 2 B · (1,000 + 1,000) = 2.004 MB over 1 TB/s
  EXPECT_NEAR(gemm_seconds(plain_curve(), kDevice, call), 2.004e-6, 1e-9);
}

TEST(OpTime, ALargeProductRunsAtThePeak) {
  const GemmCall call{.m = 12'800, .n = 25'600, .k = 4096, .weight_bytes = 2.0, .peak = kPeak};
  // 2 · 12,800 · 25,600 · 4,096 FLOP over 100 TFLOP/s; 100 · 100 tiles of 128 × 256 are whole waves
  EXPECT_NEAR(gemm_seconds(plain_curve(), kDevice, call), 2.0 * 12'800 * 25'600 * 4096 / 100e12, 1e-6);
}

TEST(OpTime, ATailWaveCostsItsShare) {
  EfficiencyCurve curve = plain_curve();
  set(curve, kTail, 1.0);
  set(curve, kSmallTile, 0.01);  // only the largest tile is worth taking
  const GemmCall whole{.m = 1280, .n = 2560, .k = 4096, .weight_bytes = 2.0, .peak = kPeak};  // 10 · 10 tiles: one wave
  GemmCall more = whole;
  more.m = 1281;  // 110 tiles: two waves
  EXPECT_NEAR(gemm_seconds(curve, kDevice, more) / gemm_seconds(curve, kDevice, whole), 2.0, 0.01);
}

TEST(OpTime, UnitsLimitWhatAVectorProductDraws) {
  EfficiencyCurve curve = plain_curve();
  set(curve, kUnitGbS, 5.0);  // 100 units · 5 GB/s = half of the bandwidth
  set(curve, kVectorRows, 8);
  const GemmCall call{.m = 1, .n = 1000, .k = 1000, .weight_bytes = 2.0, .peak = 1.0};
  EXPECT_NEAR(gemm_seconds(curve, kDevice, call), 2.004e6 / 500e9, 1e-9);  // the peak of 1 FLOP/s is not asked
}

TEST(OpTime, DecodeReadsTheCache) {
  const DecodeCall call{
      .batch = 100, .kv_len = 10'000, .kv_heads = 8, .group = 4, .dims = 256, .row_bytes = 512, .peak = 1e18};
  // 100 · 8 · 10,000 · 512 B = 4.096 GB over 1 TB/s
  EXPECT_NEAR(decode_seconds(plain_curve(), kDevice, call), 4.096e-3, 1e-6);
}

TEST(OpTime, SmallCachesAreReadFromTheLastLevel) {
  EfficiencyCurve curve = plain_curve();
  set(curve, kCached, 2.0);
  const DecodeCall call{
      .batch = 1, .kv_len = 1000, .kv_heads = 8, .group = 4, .dims = 256, .row_bytes = 512, .peak = 1e18};
  EXPECT_NEAR(decode_seconds(curve, kDevice, call), 4.096e6 / 2e12, 1e-9);  // 4.1 MB of 10
}

TEST(OpTime, PrefillSeesHalfOfItsKeys) {
  const PrefillCall call{.batch = 1,
                         .q_len = 12'800,
                         .kv_len = 12'800,
                         .n_heads = 100,
                         .kv_heads = 100,
                         .dims = 256,
                         .row_bytes = 512,
                         .peak = kPeak};
  // 2 · 256 FLOP · 100 heads · 12,800 queries · 6,400.5 keys over 100 TFLOP/s
  EXPECT_NEAR(prefill_seconds(plain_curve(), kDevice, call), 2.0 * 256 * 100 * 12'800 * 6'400.5 / 100e12, 1e-5);
}

TEST(OpTime, ScoresKeptInMemoryComeOnTopOfTheProducts) {
  const PrefillCall call{.batch = 1,
                         .q_len = 12'800,
                         .kv_len = 12'800,
                         .n_heads = 100,
                         .kv_heads = 100,
                         .dims = 256,
                         .row_bytes = 0,
                         .peak = kPeak};
  EfficiencyCurve curve = plain_curve();
  const double products = 2.0 * 256 * 100 * 12'800 * 6'400.5 / 100e12;
  set(curve, kJoin, 1.0);  // one kernel after the other
  const double fused = prefill_seconds(curve, kDevice, call);
  set(curve, kWidenBytes, 16.0);
  // 16 B · 100 heads · 12,800 queries · 6,400.5 keys over 1 TB/s
  EXPECT_NEAR(prefill_seconds(curve, kDevice, call) - fused, 16.0 * 100 * 12'800 * 6'400.5 / kDevice.bandwidth, 1e-6);
  EXPECT_GT(fused, products);
}

TEST(OpTime, AWindowBoundsWhatPrefillSees) {
  PrefillCall call{.batch = 1,
                   .q_len = 12'800,
                   .kv_len = 12'800,
                   .window = 128,
                   .n_heads = 100,
                   .kv_heads = 100,
                   .dims = 256,
                   .row_bytes = 0,
                   .peak = kPeak};
  // below the window (128 + 1) / 2 keys for 128 queries, 128 for the other 12,672
  const double pairs = 128 * 64.5 + 12'672 * 128.0;
  EXPECT_NEAR(prefill_seconds(plain_curve(), kDevice, call), std::max(2.0 * 256 * 100 * pairs / 100e12, 0.655e-3),
              1e-6);
}

TEST(OpTime, ExpertsReadWhatIsTouched) {
  const ExpertsCall call{.rows = 8,
                         .experts = 64,
                         .touched = 8,
                         .hidden = 1000,
                         .inter = 500,
                         .products = 3,
                         .weight_bytes = 1.0,
                         .peak = 1e18};
  // 8 · 3 · 1,000 · 500 B = 12 MB; activations 8 · (2 · 1,000 + 3 · 500) · 2 B = 56 kB
  EXPECT_NEAR(experts_seconds(plain_curve(), kDevice, call), 12.056e-6, 1e-9);
}

TEST(OpTime, MessagesPayFloorAndBytes) {
  EfficiencyCurve curve = plain_curve();
  set(curve, kFloorUs, 5.0);
  set(curve, kSqrtUs, 0.01);
  EXPECT_NEAR(message_seconds(curve, 1e6), 5e-6 + 0.01e-6 * 1000 + 1e6 / 100e9, 1e-12);
}

}  // namespace
}  // namespace dachlast
