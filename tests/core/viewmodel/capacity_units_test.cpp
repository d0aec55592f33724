#include "core/viewmodel/capacity_units.h"

#include <gtest/gtest.h>

#include "core/viewmodel/format.h"
#include "core/viewmodel/localise.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

std::string english(std::string_view text) {
  return in_decimal_units(text, Language::kEnglish);
}

TEST(CapacityUnits, AreWrittenAnewInSentences) {
  // 22.22 · 1.073741824 = 23.8585; 80 · 1.073741824 = 85.899; 128 · 1.024 = 131.07; 523 · 1.048576 = 548.4
  EXPECT_EQ(english("FITS with 22.22 GiB spare."), "FITS with 23.86 GB spare.");
  EXPECT_EQ(english("80 GiB"), "85.90 GB");
  EXPECT_EQ(english("32 layers × 2 B = 128 KiB per token; 523 MiB in all"),
            "32 layers × 2 B = 131 kB per token; 548 MB in all");
}

TEST(CapacityUnits, KeepDecimalsSpacesAndSigns) {
  // 95.00 · 1.073741824 = 102.0: from 100 on one decimal. 1,024 · 1.048576 = 1,073.7
  EXPECT_EQ(english("≈95.00\u00a0GiB"), "≈102.0\u00a0GB");
  EXPECT_EQ(english("−1,024 MiB"), "−1,074 MB");
  EXPECT_EQ(english("16 × 1 TiB"), "16 × 1.10 TB");  // 1.024⁴ = 1.0995
}

TEST(CapacityUnits, AUnitCountsForBothNumbersBeforeIt) {
  // 79.18 · 1.073741824 = 85.019, 79.65 · 1.073741824 = 85.524
  EXPECT_EQ(english("79.18 of 79.65 GiB on an H100."), "85.02 of 85.52 GB on an H100.");
  EXPECT_EQ(english("The largest of 80 GiB"), "The largest of 85.90 GB");
  EXPECT_EQ(english("8 of 80 GiB devices"), "8 of 85.90 GB devices");  // a count, not an amount
}

TEST(CapacityUnits, LeaveAloneWhatIsNoAmount) {
  for (const std::string_view text :
       {"GiB", "GiB per GPU", "3 GiB/s", "a4 GiBs", "Write it like 80 or \"80 GiB\".", "iB", "H100 80 GB", "kiB 5 iB"})
    EXPECT_EQ(english(text), text);
}

TEST(CapacityUnits, FollowTheSeparatorsOfTheLanguage) {
  const Words& words = Words::of(Language::kGerman, CapacityUnits::kSi);
  EXPECT_EQ(words("22.22\u00a0GiB"), "23,86\u00a0GB");
  EXPECT_EQ(words.number("1,234\u00a0MiB"), "1.294\u00a0MB");  // 1,234 · 1.048576 = 1,293.9
  EXPECT_EQ(Words::of(Language::kGerman)("22.22\u00a0GiB"), "22,22\u00a0GiB");
}

TEST(CapacityUnits, AColumnChangesItsHeadAndItsNumbersOnly) {
  TableBuilder builder("segments", "Memory");
  builder.text({"name", "Segment", "", ""}, {"weights 1", "free"});
  builder.measure({"bytes", "Size", "", ""}, Measure::kCapacity, {14.96 * kGiB, std::nullopt}, Origin::kExact);
  const Table table = in_language(builder.build(), Words::of(Language::kEnglish, CapacityUnits::kSi));
  EXPECT_EQ(table.columns[1].unit, "GB");
  EXPECT_EQ(table.rows[0][0].text, "weights 1");
  EXPECT_EQ(table.rows[0][1].text, "16.06");  // 14.96 · 1.073741824 = 16.063
  EXPECT_EQ(table.rows[1][1].text, kMissing);
  EXPECT_EQ(std::get<double>(table.rows[0][1].raw), 14.96 * kGiB);  // machine formats keep bytes
}

TEST(CapacityUnits, AreSpelledAsTheOptionSpellsThem) {
  EXPECT_EQ(units_from_code("si"), CapacityUnits::kSi);
  EXPECT_EQ(units_from_code("iec"), CapacityUnits::kIec);
  EXPECT_EQ(units_from_code("GB"), std::nullopt);
}

}  // namespace
}  // namespace dachlast::viewmodel
