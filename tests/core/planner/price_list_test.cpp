#include "core/planner/price_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/hardware/device_catalog.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

using testing::HasSubstr;

std::string refusal(const std::filesystem::path& file) {
  try {
    read_price_file(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "read";
}

constexpr const char* kHead = "device,per_hour,currency,date,source\n";

TEST(PriceList, ReadsCsvAndTakesTheLowestOfADevice) {
  const TempFolder folder;
  const PriceList list = read_price_file(folder.write(
      "p.csv", std::string(kHead) + "h100,3.5,EUR,2026-05-01,offer A\nH100 SXM,2.5,EUR,2026-06-01,offer B\n"));
  EXPECT_EQ(list.currency, "EUR");
  ASSERT_NE(list.of("h100-sxm"), nullptr);
  EXPECT_DOUBLE_EQ(list.of("h100-sxm")->per_hour, 2.5);
  EXPECT_EQ(list.of("h100-sxm")->source, "offer B");
  EXPECT_EQ(list.of("l40s"), nullptr);
}

TEST(PriceList, ReadsYamlWithOneDateAndSourceForAll) {
  const TempFolder folder;
  const PriceList list =
      read_price_file(folder.write("p.yaml",
                                   "schema: dachlast.prices/1\ncurrency: USD\ndate: \"2026-05-01\"\n"
                                   "source: own contract\nprices:\n  - device: l40s\n    per_hour: 0.8\n"));
  ASSERT_NE(list.of("l40s"), nullptr);
  EXPECT_EQ(list.of("l40s")->as_of, "2026-05-01");
  EXPECT_EQ(list.of("l40s")->source, "own contract");
}

TEST(PriceList, NoPriceWithoutDateAndSource) {
  const TempFolder folder;
  const std::string head = kHead;
  EXPECT_THAT(refusal(folder.write("a.csv", head + "h100,3,EUR,,offer\n")), HasSubstr("date is empty"));
  EXPECT_THAT(refusal(folder.write("b.csv", head + "h100,3,EUR,2026-05-01,\n")), HasSubstr("source is empty"));
  EXPECT_THAT(refusal(folder.write("c.csv", head + "h100,3,EUR,May,offer\n")), HasSubstr("no date"));
  EXPECT_THAT(refusal(folder.write("d.csv", head + "h100,-3,EUR,2026-05-01,x\n")), HasSubstr("no price above 0"));
  EXPECT_THAT(refusal(folder.write("e.csv", head + "h100,nan,EUR,2026-05-01,x\n")), HasSubstr("no price above 0"));
  EXPECT_THAT(refusal(folder.write("f.csv", head + "h100,3,EUR,2026-05-01,x\nl4,1,USD,2026-05-01,x\n")),
              HasSubstr("cannot be compared"));
  EXPECT_THAT(refusal(folder.write("g.csv", head + "nothing-1,3,EUR,2026-05-01,x\n")), HasSubstr("nothing-1"));
  EXPECT_THAT(refusal(folder.write("h.csv", "device,per_hour\nh100,3\n")), HasSubstr("\"currency\" is missing"));
  EXPECT_THAT(refusal(folder.write("i.csv", head)), HasSubstr("no prices"));
  EXPECT_THAT(refusal(folder.write("j.yaml",
                                   "schema: dachlast.prices/1\ncurrency: USD\nsource: x\nprices:\n"
                                   "  - {device: l40s, per_hour: 1}\n")),
              HasSubstr("date"));
}

TEST(PriceList, EveryPriceThatComesAlongHasDateAndSource) {
  const std::vector<DeviceSpec> devices = list_devices();
  const PriceList list = catalog_prices(devices);
  EXPECT_FALSE(list.prices.empty());
  for (const HourlyPrice& price : list.prices) {
    EXPECT_FALSE(price.as_of.empty()) << price.device;
    EXPECT_FALSE(price.source.empty()) << price.device;
    EXPECT_GT(price.per_hour, 0.0) << price.device;
  }
}

}  // namespace
}  // namespace dachlast
