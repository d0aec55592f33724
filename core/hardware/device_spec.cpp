#include "core/hardware/device_spec.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/hardware/data_object.h"
#include "core/hardware/yaml_file.h"

namespace dachlast {
namespace {

constexpr const char* kSchema = "dachlast.device/1";

template <class Unit>
std::optional<Unit> unit_or_none(std::optional<double> value) {
  return value ? std::optional(Unit{*value}) : std::nullopt;
}

/// Ids name files and stand in commands: lower-case letters, digits, dots, dashes.
std::string read_id(DataObject& device) {
  const std::string id = device.text("id");
  const bool clean = std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
  if (!clean || id.front() == '.' || id.size() > 64)
    device.fail("id", fmt::format("is \"{}\"", id), "Use up to 64 lower-case letters, digits and dashes.");
  return id;
}

MemoryPool read_pool(DataObject pool) {
  MemoryPool read;
  read.kind =
      pool.has("kind") ? static_cast<PoolKind>(pool.choice("kind", {"device", "unified", "host"})) : PoolKind::kDevice;
  read.capacity = unit_or_none<Bytes>(pool.size("capacity", Dimension::kCapacity));
  if (pool.has("capacity_basis"))
    read.basis = static_cast<CapacityBasis>(pool.choice("capacity_basis", {"reported", "nominal"}));
  read.marketing_gb = pool.number("marketing_gb", 1e9);
  read.bandwidth = unit_or_none<BytesPerSecond>(pool.size("bandwidth", Dimension::kBandwidth));
  pool.finish();
  return read;
}

std::vector<MemoryPool> read_memory(DataObject& device) {
  std::vector<MemoryPool> pools;
  for (DataObject& pool : device.objects_or_none("memory")) pools.push_back(read_pool(std::move(pool)));
  if (pools.empty()) device.fail("memory", "names no memory", "Give a list with at least one capacity and bandwidth.");
  return pools;
}

std::vector<ComputePeak> read_peaks(DataObject& device) {
  std::vector<ComputePeak> peaks;
  if (!device.has("peak_dense")) return peaks;
  DataObject object = device.object("peak_dense");
  for (const ComputeType type : kAllComputeTypes)
    if (const auto rate = object.size(std::string(name_of(type)), Dimension::kRate)) peaks.push_back({type, {*rate}});
  object.finish();
  return peaks;
}

std::vector<AchievedRate> read_achieved(DataObject& device) {
  std::vector<AchievedRate> list;
  for (DataObject& row : device.objects_or_none("achieved_matmul")) {
    const auto type = row.choice("type", {"fp32", "tf32", "fp16", "bf16", "fp8", "int8", "fp4"});
    const auto rate = row.size("rate", Dimension::kRate);
    if (!rate) row.fail("rate_tflops", "is missing");
    list.push_back({static_cast<ComputeType>(type),
                    {*rate},
                    row.text_or("shape_mnk", ""),
                    row.text("source"),
                    row.text_or("notes", "")});
    row.finish();
  }
  return list;
}

std::vector<DevicePrice> read_prices(DataObject& device) {
  constexpr double kHighest = 1e6;  // USD per hour
  std::vector<DevicePrice> prices;
  for (DataObject& row : device.objects_or_none("prices")) {
    const auto usd = row.number("usd_per_hour", kHighest);
    if (!usd) row.fail("usd_per_hour", "is missing");
    prices.push_back({row.text("provider"), *usd, row.text("kind"), row.text("as_of"), row.text("source"),
                      row.text_or("notes", "")});
    row.finish();
  }
  return prices;
}

std::optional<Cache> read_cache(DataObject& device) {
  if (!device.has("last_level_cache")) return std::nullopt;
  DataObject cache = device.object("last_level_cache");
  const auto size = cache.size("size", Dimension::kCapacity);
  if (!size) cache.fail("size_mib", "is missing");
  Cache read{cache.text("name"), {*size}};
  cache.finish();
  return read;
}

std::optional<Interconnect> read_interconnect(DataObject& device) {
  if (!device.has("interconnect")) return std::nullopt;
  DataObject link = device.object("interconnect");
  Interconnect read{link.text("name"), unit_or_none<BytesPerSecond>(link.size("per_direction", Dimension::kBandwidth)),
                    unit_or_none<BytesPerSecond>(link.size("per_peer", Dimension::kBandwidth))};
  link.finish();
  return read;
}

std::optional<HostLink> read_host_link(DataObject& device) {
  if (!device.has("host_link")) return std::nullopt;
  DataObject link = device.object("host_link");
  HostLink read{link.text("name"), unit_or_none<BytesPerSecond>(link.size("per_direction", Dimension::kBandwidth))};
  link.finish();
  return read;
}

void read_identity(DataObject& device, DeviceSpec& spec) {
  if (device.has("schema") && device.text("schema") != kSchema)
    device.fail("schema", fmt::format("is not \"{}\"", kSchema), "Another version of the program wrote this file.");
  spec.id = read_id(device);
  spec.name = device.text_or("name", spec.id);
  spec.vendor = device.text_or("vendor", "");
  spec.architecture = device.text_or("architecture", "");
  spec.aliases = device.texts_or_none("aliases");
  spec.sources = device.texts_or_none("sources");
  spec.unverified = device.texts_or_none("unverified");
  spec.notes = device.text_or("notes", "");
}

template <class Value>
void divide(std::optional<Value>& value, int n) {
  if (value) *value = *value / static_cast<double>(n);
}

}  // namespace

std::optional<FlopsPerSecond> DeviceSpec::peak(ComputeType type) const {
  for (const ComputePeak& row : peaks)
    if (row.type == type) return row.rate;
  return std::nullopt;
}

std::optional<FlopsPerSecond> DeviceSpec::best_achieved(ComputeType type) const {
  std::optional<FlopsPerSecond> best;
  for (const AchievedRate& row : achieved)
    if (row.type == type && (!best || row.rate > *best)) best = row.rate;
  return best;
}

DeviceSpec per_device(DeviceSpec package) {
  const int n = package.n_devices;
  if (n == 1) return package;
  for (MemoryPool& pool : package.memory) {
    if (pool.kind == PoolKind::kHost) continue;
    divide(pool.capacity, n);
    divide(pool.marketing_gb, n);
    divide(pool.bandwidth, n);
  }
  for (ComputePeak& peak : package.peaks) peak.rate = peak.rate / n;
  for (AchievedRate& rate : package.achieved) rate.rate = rate.rate / n;
  for (DevicePrice& price : package.prices) price.usd_per_hour /= n;
  if (package.last_level_cache) package.last_level_cache->size = package.last_level_cache->size / n;
  if (package.n_units) *package.n_units /= n;
  divide(package.tdp_w, n);
  if (package.interconnect) divide(package.interconnect->per_direction, n);
  if (package.host_link) divide(package.host_link->per_direction, n);
  package.n_devices = 1;
  return package;
}

DeviceSpec read_device(const nlohmann::json& document, const std::filesystem::path& file) {
  constexpr int kMostUnits = 1 << 24;
  constexpr int kMostDevices = 1024;
  constexpr double kHighestPower = 1e7;  // watts
  DataObject device(document, file);
  DeviceSpec spec;
  read_identity(device, spec);
  spec.memory = read_memory(device);
  spec.peaks = read_peaks(device);
  spec.achieved = read_achieved(device);
  spec.last_level_cache = read_cache(device);
  spec.n_units = device.count("n_units", kMostUnits);
  spec.tdp_w = device.number("tdp_w", kHighestPower);
  spec.interconnect = read_interconnect(device);
  spec.host_link = read_host_link(device);
  spec.prices = read_prices(device);
  spec.n_devices = device.count("n_devices", kMostDevices).value_or(1);
  device.finish();
  spec.origin = DeviceOrigin::kFile;
  spec.file = file;
  return spec;
}

DeviceSpec read_device_file(const std::filesystem::path& path) {
  return read_device(read_data_file(path), path);
}

}  // namespace dachlast
