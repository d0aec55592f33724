#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hardware/device_spec.h"

namespace dachlast {

/// The devices a person can mean by `typed`, best reading first taken alone:
///   1. id, name or alias, written in any case, with or without blanks and dashes: "RTX 4090", "rtx4090"
///   2. every word of it among the words of id, name, aliases and memory size: "H100 SXM 80GB", "A100-PCIE-80GB"
/// Where the words outside brackets name nothing, those inside are tried: "Custom PC (RTX 4090)". Otherwise brackets,
/// vendors, "GeForce" and memory types say nothing that tells devices apart and are left out:
/// "NVIDIA H100 80GB HBM3 (8x)" is "H100 80GB". Empty where nothing matches.
std::vector<const DeviceSpec*> devices_meant(std::string_view typed, std::span<const DeviceSpec> devices);

}  // namespace dachlast
