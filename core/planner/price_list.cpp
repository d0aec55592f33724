#include "core/planner/price_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/csv.h"
#include "core/base/error.h"
#include "core/hardware/data_object.h"
#include "core/hardware/device_catalog.h"
#include "core/hardware/yaml_file.h"

namespace dachlast {
namespace {

constexpr double kMostPerHour = 1e6;
constexpr const char* kColumns[] = {"device", "per_hour", "currency", "date", "source"};

/// "2026-05-07".
bool is_date(std::string_view text) {
  constexpr std::string_view kPattern = "0000-00-00";
  if (text.size() != kPattern.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kPattern[i] == '0' ? !digit : text[i] != '-') return false;
  }
  const std::string_view month = text.substr(5, 2);
  const std::string_view day = text.substr(8, 2);
  return month >= "01" && month <= "12" && day >= "01" && day <= "31";
}

[[noreturn]] void refuse(const std::filesystem::path& file, int line, const std::string& reason) {
  throw Error(ErrorKind::kInput, fmt::format("{}, line {}", file.string(), line), reason,
              "Each row needs device, per_hour, currency, date (YYYY-MM-DD) and source.");
}

double price_in(const std::string& text, const std::filesystem::path& file, int line) {
  double value = 0.0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || !(value > 0.0) || value > kMostPerHour)
    refuse(file, line, fmt::format("\"{}\" is no price above 0.", text));
  return value;
}

PriceList read_csv_prices(const std::filesystem::path& file) {
  const CsvTable table = read_csv(file);
  std::size_t at[std::size(kColumns)] = {};
  for (std::size_t i = 0; i < std::size(kColumns); ++i) {
    const auto column = table.find_column(kColumns[i]);
    if (!column) refuse(file, 1, fmt::format("the column \"{}\" is missing.", kColumns[i]));
    at[i] = *column;
  }
  PriceList list;
  for (const CsvRow& row : table.rows) {
    for (const std::size_t column : at)
      if (row.cells[column].empty()) refuse(file, row.line, fmt::format("{} is empty.", table.columns[column]));
    const std::string& currency = row.cells[at[2]];
    if (!list.currency.empty() && currency != list.currency)
      refuse(file, row.line, fmt::format("prices in {} and {} cannot be compared.", list.currency, currency));
    list.currency = currency;
    if (!is_date(row.cells[at[3]])) refuse(file, row.line, fmt::format("\"{}\" is no date.", row.cells[at[3]]));
    list.prices.push_back({find_device(row.cells[at[0]]).id, price_in(row.cells[at[1]], file, row.line),
                           row.cells[at[3]], row.cells[at[4]]});
  }
  return list;
}

HourlyPrice read_entry(DataObject& entry, const std::string& date, const std::string& source) {
  HourlyPrice price;
  price.device = find_device(entry.text("device")).id;
  price.per_hour = entry.number("per_hour", kMostPerHour).value_or(0.0);
  if (!(price.per_hour > 0.0)) entry.fail("per_hour", "is no price above 0");
  price.as_of = entry.text_or("date", date);
  price.source = entry.text_or("source", source);
  if (!is_date(price.as_of)) entry.fail("date", "is no date", "Give the day of the price as YYYY-MM-DD.");
  if (price.source.empty()) entry.fail("source", "is missing", "Say where the price was read.");
  entry.finish();
  return price;
}

PriceList read_object_prices(const std::filesystem::path& file) {
  const nlohmann::json document = read_data_file(file);
  DataObject object(document, file);
  if (object.text("schema") != "dachlast.prices/1") object.fail("schema", "is not \"dachlast.prices/1\"");
  PriceList list;
  list.currency = object.text("currency");
  const std::string date = object.text_or("date", "");
  const std::string source = object.text_or("source", "");
  for (DataObject& entry : object.objects_or_none("prices")) list.prices.push_back(read_entry(entry, date, source));
  object.finish();
  return list;
}

}  // namespace

const HourlyPrice* PriceList::of(std::string_view device) const {
  const HourlyPrice* lowest = nullptr;
  for (const HourlyPrice& price : prices)
    if (price.device == device && (lowest == nullptr || price.per_hour < lowest->per_hour)) lowest = &price;
  return lowest;
}

PriceList read_price_file(const std::filesystem::path& file) {
  PriceList list = is_data_file_name(file) ? read_object_prices(file) : read_csv_prices(file);
  if (list.prices.empty())
    throw Error(ErrorKind::kInput, file.string(), "holds no prices.", "Add a row for each device.");
  return list;
}

PriceList catalog_prices(std::span<const DeviceSpec> devices) {
  PriceList list{.currency = "USD", .prices = {}};
  for (const DeviceSpec& device : devices)
    for (const DevicePrice& price : device.prices)
      list.prices.push_back({device.id, price.usd_per_hour, price.as_of,
                             fmt::format("{}, {}: {}", price.provider, price.kind, price.source)});
  return list;
}

}  // namespace dachlast
