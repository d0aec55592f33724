#include "core/viewmodel/format.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dachlast::viewmodel {
namespace {

std::string plain(std::string_view text) {
  return plain_spaces(text);
}
std::string plain(Measure measure, double value, Rounding rounding = Rounding::kNearest) {
  return plain_spaces(format(measure, value, rounding));
}

TEST(Format, ThreeSignificantDigits) {
  EXPECT_EQ(plain(Measure::kTime, 8.2149e-3), "8.21 ms");
  EXPECT_EQ(plain(Measure::kTime, 0.412), "412 ms");
  EXPECT_EQ(plain(Measure::kTime, 1.0), "1.00 s");
  EXPECT_EQ(plain(Measure::kTime, 1234.0), "1,230 s");
  EXPECT_EQ(plain(Measure::kBandwidth, 3.02e12), "3.02 TB/s");
  EXPECT_EQ(plain(Measure::kWorkRate, 98.7e9), "98.7 GFLOP/s");
  EXPECT_EQ(plain(Measure::kIntensity, 0.4986), "0.499 FLOP/B");
}

TEST(Format, TimesScaleFromNanosecondsToSeconds) {
  EXPECT_EQ(plain(Measure::kTime, 1.5e-9), "1.50 ns");
  EXPECT_EQ(plain(Measure::kTime, 2.5e-6), "2.50 µs");
  EXPECT_EQ(plain(Measure::kTime, 999.6e-6), "1.00 ms");  // not 1,000 µs
  EXPECT_EQ(plain(Measure::kTime, 9.996e-3), "10.0 ms");  // rounding adds a digit in front
}

TEST(Format, UnitsFollowANonBreakingSpace) {
  EXPECT_EQ(format(Measure::kTime, 1e-3), "1.00\u00a0ms");
}

TEST(Format, GibibytesHaveTwoDecimalsBelowAHundredAndOneAbove) {
  EXPECT_EQ(plain(Measure::kCapacity, 22.2249 * kGiB), "22.22 GiB");
  EXPECT_EQ(plain(Measure::kCapacity, 0.5 * kGiB), "0.50 GiB");
  EXPECT_EQ(plain(Measure::kCapacity, 140.04 * kGiB), "140.0 GiB");
  EXPECT_EQ(plain(Measure::kCapacity, 128 * kKiB), "128 KiB");
  EXPECT_EQ(plain(Measure::kCapacity, 512), "512 B");
  EXPECT_EQ(in_unit(kGiB, {"MiB", kMiB}), "1,024");
}

TEST(Format, NeedsRoundUpAndLimitsDown) {
  EXPECT_EQ(plain(Measure::kCapacity, 9.771 * kGiB, Rounding::kUp), "9.78 GiB");
  EXPECT_EQ(plain(Measure::kCapacity, 9.779 * kGiB, Rounding::kDown), "9.77 GiB");
  EXPECT_EQ(plain(Measure::kCapacity, 9.78 * kGiB, Rounding::kUp), "9.78 GiB");  // already there
}

TEST(Format, PercentIsWholeWithOneDecimalBelowTen) {
  EXPECT_EQ(plain(format_percent(0.8349)), "83 %");
  EXPECT_EQ(plain(format_percent(0.0819)), "8.2 %");
  EXPECT_EQ(plain(format_percent(0.0996)), "10 %");  // not 10.0 %
  EXPECT_EQ(plain(format_percent(0.0)), "0 %");
  EXPECT_EQ(plain(format_percent(1.18)), "118 %");
  EXPECT_EQ(plain(format_percent(0.0001)),
            "<\u2009"
            "0.1 %");  // something, not nothing
}

TEST(Format, ChangesCarryTheirSign) {
  EXPECT_EQ(plain(format_change(0.079)), "+7.9 %");
  EXPECT_EQ(plain(format_change(-0.18)), "\u221218 %");
  EXPECT_EQ(plain(format_change(0.0001)), "±0.0 %");
}

TEST(Format, TokensAreWholeAndGrouped) {
  EXPECT_EQ(format_count(55520), "55,520");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(plain(counted(1, "token", "tokens")), "1 token");
}

TEST(Format, MissingIsADashNeverZero) {
  EXPECT_EQ(format(Measure::kTime, std::nan("")), "–");
  EXPECT_EQ(format(Measure::kTime, std::optional<double>()), "–");
  EXPECT_EQ(format_percent(INFINITY), "–");
}

TEST(Format, AColumnHasOneUnit) {
  const double values[] = {0.3e-3, 12e-3, 2.0e-6};
  const Unit unit = unit_for(Measure::kTime, values);
  EXPECT_EQ(unit.text, "ms");
  EXPECT_EQ(in_unit(values[2], unit), "0.00200");
}

TEST(Format, AColumnOfUnlikeValuesTakesTheUnitThatShowsAll) {
  const double values[] = {31.3e-3, 1.57};
  EXPECT_EQ(unit_for_all(Measure::kTime, values).text, "ms");
  const double far_apart[] = {31.3e-6, 1570.0};  // ms would need seven digits
  EXPECT_EQ(unit_for_all(Measure::kTime, far_apart).text, "s");
}

TEST(Format, ParametersAsModelsAreNamed) {
  EXPECT_EQ(plain(format_parameters(124439808)), "124 M");
  EXPECT_EQ(plain(format_parameters(8.03e9)), "8.03 B");
}

TEST(Format, DatesReadInUtc) {
  EXPECT_EQ(format_date("2026-03-01T14:05:00Z"), "2026-03-01 14:05 UTC");
  EXPECT_EQ(format_date("yesterday"), "yesterday");
}

}  // namespace
}  // namespace dachlast::viewmodel
