#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hardware/device_spec.h"

namespace dachlast {

/// What an hour of one device costs, by whom and when.
struct HourlyPrice {
  std::string device;  // its id
  double per_hour = 0.0;
  std::string as_of;  // ISO 8601 date
  std::string source;
};

/// Prices in one currency; none has no date or source.
struct PriceList {
  std::string currency;  // "EUR"
  std::vector<HourlyPrice> prices;

  /// The lowest price of a device; null where none is listed.
  const HourlyPrice* of(std::string_view device) const;
};

/// Reads prices: CSV with the columns device, per_hour, currency, date, source, or YAML and JSON with the keys schema
/// ("dachlast.prices/1"), currency, date, source and prices, a list of device and per_hour, with date and source of their own where
/// they differ. Devices are named as everywhere.
/// Errors   throws `Error` (kInput) naming file, line or key: missing or empty figures, prices that are not positive, dates other
///          than YYYY-MM-DD, several currencies; as `find_device` for unknown devices.
PriceList read_price_file(const std::filesystem::path& file);

/// The examples in the device files, which are no quotes; each has its date and source.
PriceList catalog_prices(std::span<const DeviceSpec> devices);

}  // namespace dachlast
