#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/hardware/device_catalog.h"
#include "core/viewmodel/table.h"

namespace dachlast {

/// Which devices a list shows; an empty filter shows all.
struct DeviceFilter {
  std::string vendor;  // in any case; empty: all
  std::optional<Bytes> min_memory;
};

/// Catalog and imported devices that pass the filter, by id. A device whose capacity is not known does not pass a limit
/// on memory.
/// Errors   throws `Error` (kUsage) naming the known vendors where there is none of that name.
std::vector<DeviceSpec> devices_that_pass(const DeviceFilter& filter);

/// One device a row, with what people choose by; the empty list says what was asked for.
viewmodel::Table devices_table(std::span<const DeviceSpec> devices);

/// Everything known of one device, each figure with its remark: basis, source, or that it is unverified.
viewmodel::Table device_table(const DeviceSpec& device);

}  // namespace dachlast
