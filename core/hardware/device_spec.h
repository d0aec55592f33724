#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/units.h"

namespace dachlast {

/// Number format of a compute unit. Not a `DType`: TF32 is never stored, and one unit may read two storage types.
enum class ComputeType : std::uint8_t { kFp32, kTf32, kFp16, kBf16, kFp8, kInt8, kFp4 };

inline constexpr ComputeType kAllComputeTypes[] = {ComputeType::kFp32, ComputeType::kTf32, ComputeType::kFp16,
                                                   ComputeType::kBf16, ComputeType::kFp8,  ComputeType::kInt8,
                                                   ComputeType::kFp4};

/// Name as files spell it: "fp32", "tf32", …
constexpr std::string_view name_of(ComputeType type) {
  constexpr std::string_view names[] = {"fp32", "tf32", "fp16", "bf16", "fp8", "int8", "fp4"};
  return names[static_cast<int>(type)];
}

constexpr std::string_view display_name_of(ComputeType type) {
  constexpr std::string_view names[] = {"FP32", "TF32", "FP16", "BF16", "FP8", "INT8", "FP4"};
  return names[static_cast<int>(type)];
}

/// The unit that multiplies operands of `dtype`.
constexpr ComputeType compute_type_of(DType dtype) {
  switch (dtype) {
    case DType::kF32: return ComputeType::kFp32;
    case DType::kF16: return ComputeType::kFp16;
    case DType::kBF16: return ComputeType::kBf16;
    case DType::kI8: return ComputeType::kInt8;
  }
  return ComputeType::kFp32;
}

enum class PoolKind : std::uint8_t {
  kDevice,   // memory of the device itself
  kUnified,  // shared with the processor: what it takes, the device cannot
  kHost      // of the computer around it, reached over a link: room for offloading
};

constexpr std::string_view name_of(PoolKind kind) {
  constexpr std::string_view names[] = {"device", "unified", "host"};
  return names[static_cast<int>(kind)];
}

/// Where a capacity comes from. Reported: what the driver lists as total, a usable ceiling. Nominal: the number the
/// product is sold with, of which a driver lists a little less.
enum class CapacityBasis : std::uint8_t { kReported, kNominal };

constexpr std::string_view name_of(CapacityBasis basis) {
  constexpr std::string_view names[] = {"reported", "nominal"};
  return names[static_cast<int>(basis)];
}

/// One memory of a device. Figures nobody published are absent.
struct MemoryPool {
  PoolKind kind = PoolKind::kDevice;
  /// As the driver lists it. A framework sees slightly less: 79.18 GiB of the 79.65 GiB of an H100.
  std::optional<Bytes> capacity;
  CapacityBasis basis = CapacityBasis::kReported;
  std::optional<double> marketing_gb;  // the number in the product's name; decimal or binary as its maker pleased
  std::optional<BytesPerSecond> bandwidth;
};

/// Dense peak of the matrix units (FP32: of the vector units), as listed by the maker.
struct ComputePeak {
  ComputeType type;
  FlopsPerSecond rate;  // INT8: operations/s
};

/// The best rate somebody measured for a matrix product.
struct AchievedRate {
  ComputeType type;
  FlopsPerSecond rate;
  std::string shape;  // "2048x2048x13312": m × n × k
  std::string source;
  std::string notes;
};

struct Interconnect {
  std::string name;  // "NVLink4", "none"
  /// One direction, summed over all links of one device.
  std::optional<BytesPerSecond> per_direction;
  /// One direction, to any one peer; absent where the whole rate reaches each of them.
  std::optional<BytesPerSecond> per_peer;
};

struct HostLink {
  std::string name;  // "PCIe 5.0 x16"
  /// Practical, one direction.
  std::optional<BytesPerSecond> per_direction;
};

struct Cache {
  std::string name;  // "L2", "L3", "on-chip SRAM"
  Bytes size;
};

/// An example, not a quote.
struct DevicePrice {
  std::string provider;
  double usd_per_hour;  // of one device
  std::string kind;     // "serverless", "planner-catalog estimate"
  std::string as_of;    // ISO 8601 date
  std::string source;
  std::string notes;
};

enum class DeviceOrigin : std::uint8_t { kCatalog, kImported, kFile };

constexpr std::string_view name_of(DeviceOrigin origin) {
  constexpr std::string_view names[] = {"catalog", "imported", "file"};
  return names[static_cast<int>(origin)];
}

/// What is known of one kind of device: GPU, accelerator or processor. What no source gives is absent, never 0.
struct DeviceSpec {
  std::string id;    // "h100-sxm"
  std::string name;  // "H100 SXM5 80GB"
  std::string vendor;
  std::string architecture;
  std::vector<std::string> aliases;  // further spellings people use
  std::vector<MemoryPool> memory;    // at least one; the first holds weights and cache
  std::vector<ComputePeak> peaks;
  std::vector<AchievedRate> achieved;
  std::optional<Cache> last_level_cache;
  std::optional<int> n_units;  // SMs, compute units, cores
  std::optional<double> tdp_w;
  std::optional<Interconnect> interconnect;
  std::optional<HostLink> host_link;
  std::vector<DevicePrice> prices;
  int n_devices = 1;  // devices the operating system sees in one package; all figures are of the package
  std::vector<std::string> sources;
  std::vector<std::string> unverified;  // figures that rest on one source, a derivation or general knowledge
  std::string notes;
  DeviceOrigin origin = DeviceOrigin::kCatalog;
  std::filesystem::path file;

  /// The memory that holds weights and cache.
  const MemoryPool& main_memory() const { return memory.front(); }
  std::optional<FlopsPerSecond> peak(ComputeType type) const;
  std::optional<FlopsPerSecond> best_achieved(ComputeType type) const;
};

/// What the operating system sees as one device: an n-th of capacity, bandwidth, peaks and units of its package.
DeviceSpec per_device(DeviceSpec package);

/// Reads a device from the document of its file, which errors name.
/// Errors   as read_device_file.
DeviceSpec read_device(const nlohmann::json& document, const std::filesystem::path& file);

/// Reads a device file, YAML or JSON: the catalog's own or a user's, of devices that exist or are imagined.
/// Errors   throws `Error` (kInput) naming file, key and reason.
DeviceSpec read_device_file(const std::filesystem::path& path);

}  // namespace dachlast
