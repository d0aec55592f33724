#include "core/workbench/device_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <set>

#include "core/base/error.h"
#include "core/base/nearest_name.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast {
namespace {

using viewmodel::Align;
using viewmodel::Cell;
using viewmodel::Measure;
using viewmodel::Rounding;
using viewmodel::Table;
using viewmodel::TableBuilder;
using Values = std::vector<std::optional<double>>;

template <class Unit>
std::optional<double> number_of(const std::optional<Unit>& value) {
  return value ? std::optional(value->value) : std::nullopt;
}

template <class Figure>
std::vector<std::string> text_of_each(std::span<const DeviceSpec> devices, Figure figure) {
  std::vector<std::string> texts;
  for (const DeviceSpec& device : devices) texts.emplace_back(figure(device));
  return texts;
}

template <class Figure>
Values number_of_each(std::span<const DeviceSpec> devices, Figure figure) {
  Values values;
  for (const DeviceSpec& device : devices) values.push_back(figure(device));
  return values;
}

/// GiB, rounded down: a limit that is not there helps nobody.
std::vector<Cell> capacity_cells(std::span<const DeviceSpec> devices) {
  std::vector<Cell> cells;
  for (const DeviceSpec& device : devices) {
    const auto capacity = device.main_memory().capacity;
    cells.push_back(capacity ? viewmodel::number_cell(
                                   capacity->value,
                                   viewmodel::in_unit(capacity->value, {.text = "GiB", .base = kGiB}, Rounding::kDown),
                                   Origin::kDatasheet)
                             : viewmodel::missing_cell());
  }
  return cells;
}

Values peaks_of(std::span<const DeviceSpec> devices, ComputeType type) {
  return number_of_each(devices, [&](const DeviceSpec& device) { return number_of(device.peak(type)); });
}

/// Rows of "field, value, remark". In machine formats a field is a key with its unit and its value the plain number.
class FieldRows {
 public:
  void text(const char* key, const char* title, const std::string& value, const std::string& remark = {}) {
    if (!value.empty()) add(key, title, viewmodel::text_cell(value), remark);
  }

  void figure(const std::string& key, const std::string& title, Measure measure, std::optional<double> value,
              const std::string& remark, Origin origin = Origin::kDatasheet) {
    if (!value) return;
    const auto rounding = measure == Measure::kCapacity ? Rounding::kDown : Rounding::kNearest;
    add(key, title, viewmodel::number_cell(*value, viewmodel::format(measure, *value, rounding), origin), remark);
  }

  void number(const char* key, const std::string& title, std::optional<double> value, const std::string& text,
              const std::string& remark = {}) {
    if (value) add(key, title, viewmodel::number_cell(*value, text, Origin::kDatasheet), remark);
  }

  Table build(const DeviceSpec& device) && {
    Table table{.id = "fields", .title = device.name, .columns = {}, .rows = std::move(rows_), .notes = {}};
    const auto column = [](const char* key, const char* title, int drop) {
      return viewmodel::Column{
          .key = key, .title = title, .unit = {}, .description = {}, .align = Align::kLeft, .drop_priority = drop};
    };
    table.columns = {column("field", "Field", 0), column("value", "Value", 0), column("remark", "Remark", 1)};
    return table;
  }

 private:
  void add(const std::string& key, const std::string& title, Cell value, const std::string& remark) {
    rows_.push_back({Cell{key, title, {}}, std::move(value), viewmodel::text_cell(remark)});
  }

  std::vector<std::vector<Cell>> rows_;
};

void add_memory(FieldRows& rows, const DeviceSpec& device) {
  for (std::size_t i = 0; i < device.memory.size(); ++i) {
    const MemoryPool& pool = device.memory[i];
    const std::string key = fmt::format("memory_{}", i);
    constexpr const char* kTitles[] = {"Device memory", "Unified memory", "Host memory"};
    const std::string title = kTitles[static_cast<int>(pool.kind)];
    std::string basis(name_of(pool.basis));
    if (pool.basis == CapacityBasis::kReported && device.origin == DeviceOrigin::kCatalog) basis += " by the driver";
    if (pool.marketing_gb) basis += fmt::format("; sold as {:g} GB", *pool.marketing_gb);
    rows.figure(key + "_capacity_bytes", title, Measure::kCapacity, number_of(pool.capacity), basis);
    rows.figure(key + "_bandwidth_bytes_per_s", title + " bandwidth", Measure::kBandwidth, number_of(pool.bandwidth),
                "");
  }
}

void add_compute(FieldRows& rows, const DeviceSpec& device) {
  for (const ComputePeak& peak : device.peaks) {
    const bool integers = peak.type == ComputeType::kInt8;
    rows.figure(fmt::format("peak_{}_{}_per_s", name_of(peak.type), integers ? "op" : "flop"),
                fmt::format("{} peak", display_name_of(peak.type)), Measure::kWorkRate, peak.rate.value,
                integers ? "dense; counts operations" : "dense");
  }
  for (const AchievedRate& best : device.achieved)
    rows.figure(fmt::format("achieved_{}_flop_per_s", name_of(best.type)),
                fmt::format("{} best measured", display_name_of(best.type)), Measure::kWorkRate, best.rate.value,
                best.shape, Origin::kMeasured);
}

void add_links(FieldRows& rows, const DeviceSpec& device) {
  if (const auto& link = device.interconnect) {
    rows.text("interconnect", "Interconnect", link->name);
    rows.figure("interconnect_bytes_per_s", "Interconnect rate", Measure::kBandwidth, number_of(link->per_direction),
                "per direction, all links together");
    rows.figure("interconnect_per_peer_bytes_per_s", "Rate to one peer", Measure::kBandwidth, number_of(link->per_peer),
                "per direction");
  }
  if (const auto& link = device.host_link) {
    rows.text("host_link", "Host link", link->name);
    rows.figure("host_link_bytes_per_s", "Host link rate", Measure::kBandwidth, number_of(link->per_direction),
                "per direction, practical");
  }
}

void add_prices(FieldRows& rows, const DeviceSpec& device) {
  for (const DevicePrice& price : device.prices)
    rows.number("usd_per_hour", "Price, " + price.provider, price.usd_per_hour,
                fmt::format("{:.2f} USD/h", price.usd_per_hour), fmt::format("{}, {}", price.kind, price.as_of));
}

std::string listed(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : "; ") + text;
  return list;
}

std::string sources_of(const DeviceSpec& device) {
  std::set<std::string> sources(device.sources.begin(), device.sources.end());
  for (const AchievedRate& best : device.achieved) sources.insert(best.source);
  for (const DevicePrice& price : device.prices) sources.insert(price.source);
  return listed({sources.begin(), sources.end()});
}

std::vector<std::string> notes_of(const DeviceSpec& device) {
  std::vector<std::string> notes;
  if (!device.notes.empty()) notes.push_back("Note: " + device.notes + ".");
  if (device.n_devices > 1)
    notes.push_back(fmt::format("One package, {} devices to the operating system; all figures are of the package.",
                                device.n_devices));
  if (!device.unverified.empty())
    notes.push_back("One source, derived or general knowledge only: " + listed(device.unverified) + ".");
  if (const std::string sources = sources_of(device); !sources.empty()) notes.push_back("Sources: " + sources + ".");
  if (device.main_memory().basis == CapacityBasis::kReported && device.main_memory().kind == PoolKind::kDevice)
    notes.emplace_back("A framework sees slightly less than the driver lists: 79.18 of 79.65 GiB on an H100.");
  if (device.main_memory().capacity && device.main_memory().basis == CapacityBasis::kNominal)
    notes.emplace_back("Capacity is the number it is sold with; the driver lists a little less.");
  return notes;
}

bool same_letters(const std::string& a, const std::string& b) {
  return edit_distance(a, b) == 0;  // upper and lower case count as equal
}

void check_vendor(const std::vector<DeviceSpec>& devices, const std::string& vendor) {
  std::set<std::string> vendors;
  for (const DeviceSpec& device : devices)
    if (!device.vendor.empty()) vendors.insert(device.vendor);
  const std::vector<std::string> names(vendors.begin(), vendors.end());
  if (std::any_of(names.begin(), names.end(), [&](const auto& name) { return same_letters(name, vendor); })) return;
  throw Error(ErrorKind::kUsage, "--vendor " + vendor, "no device is of that vendor.", "Known: " + listed(names) + ".");
}

}  // namespace

std::vector<DeviceSpec> devices_that_pass(const DeviceFilter& filter) {
  std::vector<DeviceSpec> devices = list_devices();
  if (!filter.vendor.empty()) check_vendor(devices, filter.vendor);
  std::erase_if(devices, [&](const DeviceSpec& device) {
    const auto capacity = device.main_memory().capacity;
    return (!filter.vendor.empty() && !same_letters(device.vendor, filter.vendor)) ||
           (filter.min_memory && !(capacity && *capacity >= *filter.min_memory));
  });
  return devices;
}

Table devices_table(std::span<const DeviceSpec> devices) {
  TableBuilder table("gpus", "Devices");
  table.text({"id", "Id", "", ""}, text_of_each(devices, [](const auto& d) { return d.id; }));
  table.text({"name", "Name", "", "", Align::kLeft, 3}, text_of_each(devices, [](const auto& d) { return d.name; }));
  table.text({"vendor", "Vendor", "", "", Align::kLeft, 5},
             text_of_each(devices, [](const auto& d) { return d.vendor; }));
  table.cells({"memory_bytes", "Memory", "GiB", "As the driver lists it, rounded down."}, capacity_cells(devices));
  table.text({"memory_basis", "Basis", "", "Reported by the driver, or the number it is sold with.", Align::kLeft, 4},
             text_of_each(devices, [](const auto& d) {
               return d.main_memory().capacity ? name_of(d.main_memory().basis) : std::string_view();
             }));
  table.measure({"bandwidth_bytes_per_s", "Bandwidth", "", ""}, Measure::kBandwidth,
                number_of_each(devices, [](const auto& d) { return number_of(d.main_memory().bandwidth); }),
                Origin::kDatasheet);
  table.measure({"bf16_flop_per_s", "BF16", "", "Dense peak."}, Measure::kWorkRate,
                peaks_of(devices, ComputeType::kBf16), Origin::kDatasheet);
  table.measure({"fp8_flop_per_s", "FP8", "", "Dense peak.", Align::kRight, 1}, Measure::kWorkRate,
                peaks_of(devices, ComputeType::kFp8), Origin::kDatasheet);
  table.measure({"interconnect_bytes_per_s", "Link", "", "One direction, all links of a device.", Align::kRight, 2},
                Measure::kBandwidth,
                number_of_each(devices,
                               [](const auto& d) {
                                 return d.interconnect ? number_of(d.interconnect->per_direction) : std::nullopt;
                               }),
                Origin::kDatasheet);
  table.text({"origin", "Origin", "", "", Align::kLeft, 6},
             text_of_each(devices, [](const auto& d) { return name_of(d.origin); }));
  table.note(devices.empty() ? "No device passes the filter."
                             : "Peaks are dense, as listed by the makers. `dachlast gpus show ID` names the sources.");
  return table.build();
}

Table device_table(const DeviceSpec& device) {
  FieldRows rows;
  rows.text("id", "Id", device.id, std::string(name_of(device.origin)));
  rows.text("name", "Name", device.name);
  rows.text("vendor", "Vendor", device.vendor);
  rows.text("architecture", "Architecture", device.architecture);
  add_memory(rows, device);
  add_compute(rows, device);
  if (const auto& cache = device.last_level_cache)
    rows.figure("last_level_cache_bytes", cache->name, Measure::kCapacity, std::optional(cache->size.value), "");
  if (device.n_units)
    rows.number("n_units", "Units", static_cast<double>(*device.n_units), viewmodel::format_count(*device.n_units),
                "SMs, compute units or cores");
  if (device.tdp_w) rows.number("tdp_w", "Power limit", device.tdp_w, fmt::format("{:g} W", *device.tdp_w));
  add_links(rows, device);
  add_prices(rows, device);
  Table table = std::move(rows).build(device);
  table.notes = notes_of(device);
  return table;
}

}  // namespace dachlast
