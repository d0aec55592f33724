#include "core/planner/known_load.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace dachlast {
namespace {

ServedLoad load(int prompt, int output, int n_sequences) {
  return {.prompt_tokens = prompt, .output_tokens = output, .n_sequences = n_sequences};
}

ServedSpeed speed(double ttft_s, std::optional<double> tpot_s, double tokens_s) {
  ServedSpeed speed;
  speed.ttft_s.value = ttft_s;
  if (tpot_s) speed.tpot_s = SpeedFigure{*tpot_s, {}};
  speed.output_tokens_s.value = tokens_s;
  return speed;
}

PredictedFigure figure(const char* id, double predicted, double published, const ServedLoad& at) {
  return {.id = id,
          .component = "ttft",
          .item = "ttft_ms",
          .predicted = predicted,
          .published = published,
          .at = ServedAt{.deployment = "one", .load = at}};
}

TEST(KnownLoad, ClientsCountBeforeLengths) {
  const ServedLoad known = load(1024, 256, 8);
  EXPECT_EQ(distance_between(known, load(1024, 256, 32)), LoadDistance::kNear);
  EXPECT_EQ(distance_between(known, load(1024, 256, 2)), LoadDistance::kNear);
  EXPECT_EQ(distance_between(known, load(1100, 256, 8)), LoadDistance::kNear);  // 7 % longer
  EXPECT_EQ(distance_between(known, load(8192, 256, 8)), LoadDistance::kOtherLengths);
  EXPECT_EQ(distance_between(known, load(1024, 512, 8)), LoadDistance::kOtherLengths);
  EXPECT_EQ(distance_between(known, load(1024, 256, 33)), LoadDistance::kFar);
  EXPECT_EQ(distance_between(known, load(8192, 256, 1)), LoadDistance::kFar);
}

// Measured 1.5 and 1.2 times the prediction: 0.2 s become 0.3, 10 ms become 12. A request of 101 tokens took
// 0.2 + 100 · 0.01 = 1.2 s and takes 0.3 + 100 · 0.012 = 1.5 s: 100 tokens/s become 100 · 1.2 / 1.5 = 80.
TEST(KnownLoad, TimesAreHeldToTheMeasurementAndTheRateFollows) {
  const MeasuredSpeed measured{.load = load(64, 101, 4), .ttft_s = 0.15, .tpot_s = 0.012};
  const ServedSpeed held = held_to(speed(0.2, 0.01, 100.0), load(64, 101, 8), speed(0.1, 0.01, 60.0), measured);
  EXPECT_DOUBLE_EQ(held.ttft_s.value, 0.3);
  EXPECT_DOUBLE_EQ(held.tpot_s->value, 0.012);
  EXPECT_DOUBLE_EQ(held.output_tokens_s.value, 80.0);
  const KnownLoadRatios ratios = *known_load_ratios(LoadDistance::kNear);
  EXPECT_DOUBLE_EQ(held.ttft_s.interval->low, 0.3 * ratios.ttft.low);
  EXPECT_DOUBLE_EQ(held.tpot_s->interval->high, 0.012 * ratios.tpot.high);
  // The slowest request makes the lowest rate.
  EXPECT_DOUBLE_EQ(held.output_tokens_s.interval->low,
                   120.0 / (0.3 * ratios.ttft.high + 100.0 * 0.012 * ratios.tpot.high));
}

TEST(KnownLoad, WhatWasNotMeasuredStaysAsPredicted) {
  const MeasuredSpeed measured{.load = load(64, 101, 4), .ttft_s = {}, .tpot_s = 0.02};
  const ServedSpeed held = held_to(speed(0.2, 0.01, 100.0), load(64, 101, 8), speed(0.1, 0.01, 60.0), measured);
  EXPECT_DOUBLE_EQ(held.ttft_s.value, 0.2);
  EXPECT_FALSE(held.ttft_s.interval.has_value());
  EXPECT_DOUBLE_EQ(held.tpot_s->value, 0.02);
}

TEST(KnownLoad, AFarLoadCorrectsNothing) {
  const MeasuredSpeed measured{.load = load(64, 101, 1), .ttft_s = 1.0, .tpot_s = 1.0};
  const ServedSpeed held = held_to(speed(0.2, 0.01, 100.0), load(64, 101, 8), speed(0.1, 0.01, 60.0), measured);
  EXPECT_DOUBLE_EQ(held.ttft_s.value, 0.2);
  EXPECT_DOUBLE_EQ(held.output_tokens_s.value, 100.0);
}

TEST(KnownLoad, AnswersOfOneTokenHaveNoTpot) {
  const MeasuredSpeed measured{.load = load(64, 1, 4), .ttft_s = 0.1, .tpot_s = 0.01};
  EXPECT_THROW(held_to(speed(0.2, {}, 5.0), load(64, 1, 8), speed(0.1, {}, 5.0), measured), Error);
}

// Predicted half of what was published at 8 and 16 clients: each follows from the other exactly. At 64 clients the publication is
// 1.25 of twice the prediction: held predictions miss it by 1/1.25 − 1 = 20 %, those held to it miss the others by 25 %.
TEST(KnownLoad, ErrorsAreThoseOfEachRowHeldToEachOther) {
  Validation validation;
  validation.add(figure("a", 100.0, 200.0, load(1024, 1024, 8)));
  validation.add(figure("b", 150.0, 300.0, load(1024, 1024, 16)));
  validation.add(figure("c", 400.0, 1000.0, load(1024, 1024, 64)));
  const std::vector<KnownLoadErrors> errors = known_load_errors(validation);
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].distance, LoadDistance::kNear);  // a with b, b with c
  EXPECT_EQ(errors[0].n, 4);
  EXPECT_DOUBLE_EQ(errors[0].median_abs, 0.1);        // of 0, 0, 0.2 and 0.25
  EXPECT_EQ(errors[1].distance, LoadDistance::kFar);  // a with c
  EXPECT_EQ(errors[1].n, 2);
  EXPECT_NEAR(errors[1].median_abs, 0.225, 1e-12);
}

TEST(KnownLoad, OneRowOfADeploymentSaysNothing) {
  Validation validation;
  validation.add(figure("a", 100.0, 200.0, load(1024, 1024, 8)));
  EXPECT_TRUE(known_load_errors(validation).empty());
}

}  // namespace
}  // namespace dachlast
