#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hardware/device_spec.h"
#include "core/roofline/op_time.h"

namespace dachlast {

/// Where the efficiency of an operation comes from, the nearest first.
enum class EfficiencyOrigin : std::uint8_t { kDevice, kFamily, kGeneric };

constexpr std::string_view name_of(EfficiencyOrigin origin) {
  constexpr std::string_view names[] = {"measured on this device", "measured on its family",
                                        "measured on other devices"};
  return names[static_cast<int>(origin)];
}

/// A curve, where it comes from, and the peak its compute share is one of.
struct ChosenCurve {
  const EfficiencyCurve* curve = nullptr;
  EfficiencyOrigin origin = EfficiencyOrigin::kDevice;
  double peak = 0.0;  // FLOP/s on the device asked for

  friend bool operator==(const ChosenCurve&, const ChosenCurve&) = default;
};

/// All efficiency curves that data files hold.
class EfficiencyCatalog {
 public:
  /// Errors   throws `Error` (kInput) naming file and key.
  explicit EfficiencyCatalog(const std::filesystem::path& folder);

  /// Plain roofs times one share each for memory and compute, whatever the shape: what simpler models assume.
  static EfficiencyCatalog with_constant_shares(double memory, double compute);

  /// The curve for kernels of `type` on a device: its own, else its family's, else the nearest other's; of the kernels in the order
  /// asked for. A type nobody measured is replaced by the next wider one.
  /// Errors   throws `Error` (kDevice) where the device lists no peak to take a share of.
  ChosenCurve choose(OpLaw law, std::string_view type, std::span<const std::string> kernels,
                     const DeviceSpec& device) const;
  /// The curve of a collective over `n_devices`, or over the largest measured number below.
  ChosenCurve collective(OpLaw law, int n_devices, std::span<const std::string> kernels,
                         const DeviceSpec& device) const;

 private:
  EfficiencyCatalog() = default;
  const EfficiencyCurve* find(OpLaw law, std::string_view type, std::span<const std::string> kernels,
                              std::string_view device) const;

  std::vector<EfficiencyCurve> curves_;
};

/// Listed rates of a device that laws take shares of.
/// Errors   throws `Error` (kDevice) where its data file lists no bandwidth.
DeviceRates device_rates(const DeviceSpec& device);

/// The peak of the unit that multiplies operands of a curve's type: "fp8_block" the FP8 one. Devices without that unit widen.
double peak_for_type(const DeviceSpec& device, std::string_view type);

}  // namespace dachlast
