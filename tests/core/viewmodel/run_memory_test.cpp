#include "core/viewmodel/run_memory.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/sample_run.h"

namespace dachlast::viewmodel {
namespace {

/// Width of what each hit box of the figure stands for.
std::map<std::string, double> widths_of(const figure::Figure& figure) {
  std::map<std::string, double> widths;
  for (const auto& primitive : figure.primitives)
    if (const auto* hit = std::get_if<figure::HitBox>(&primitive)) widths[hit->datum] = hit->amount->value;
  return widths;
}

double sum_of_row(const std::map<std::string, double>& widths, const std::string& row) {
  double sum = 0.0;
  for (const auto& [datum, bytes] : widths)
    if (datum.starts_with(row)) sum += bytes;
  return sum;
}

const MemorySegment kPlanned[] = {{.name = "weights", .bytes = Bytes{200e6}, .origin = Origin::kExact, .formula = ""},
                                  {.name = "KV cache", .bytes = Bytes{50e6}, .origin = Origin::kExact, .formula = ""}};

TEST(RunMemory, BothBarsAddUpToWhatTheyStandFor) {
  auto run = test::sample_run();
  run.memory = MemoryReading{.modelled_bytes = 260e6, .program_bytes = 12e6, .resident_bytes = 281e6};
  const auto widths = widths_of(run_memory_bars(run, kPlanned, {700.0, 126.0}, "m"));
  EXPECT_DOUBLE_EQ(sum_of_row(widths, "Planned"), 250e6);
  EXPECT_DOUBLE_EQ(sum_of_row(widths, "Measured"), 281e6);
  EXPECT_DOUBLE_EQ(widths.at("Measured|counted beyond the plan"), 10e6);  // 260 − 200 − 50
  EXPECT_DOUBLE_EQ(widths.at("Measured|unaccounted"), 9e6);               // 281 − 12 − 260
}

TEST(RunMemory, APointSmallerThanThePlanIsNotToldApart) {
  auto run = test::sample_run();
  run.memory = MemoryReading{.modelled_bytes = 240e6, .program_bytes = 12e6, .resident_bytes = 251e6};
  const auto widths = widths_of(run_memory_bars(run, kPlanned, {700.0, 126.0}, "m"));
  EXPECT_DOUBLE_EQ(widths.at("Measured|as the memory model counts"), 240e6);
  EXPECT_FALSE(widths.contains("Measured|unaccounted"));  // 251 − 12 − 240 = −1: less than counted
}

TEST(RunMemory, WhatIsNotKnownHasNoBar) {
  const auto run = test::sample_run();
  EXPECT_FALSE(has_memory_bars(run, {}));
  EXPECT_TRUE(run_memory_bars(run, {}, {700.0, 126.0}, "m").primitives.empty());
  EXPECT_EQ(sum_of_row(widths_of(run_memory_bars(run, kPlanned, {700.0, 126.0}, "m")), "Measured"), 0.0);
}

}  // namespace
}  // namespace dachlast::viewmodel
