#pragma once

#include <memory>
#include <optional>
#include <string_view>

namespace dachlast {

class EngineDevice;

/// A device as people name it: "cpu", or a GPU as "cuda" and "cuda:1".
struct DeviceChoice {
  std::optional<int> cuda_device;  // empty: the CPU
};

/// Errors   throws `Error` (kUsage) naming `option` and the text.
DeviceChoice parse_device(std::string_view option, std::string_view text);

/// The device, or none for the CPU. A GPU's part of the engine lies in a shared object, libdachlast_cuda.so, which is looked for
/// in $DACHLAST_LIB_DIR and where the installation puts it, and stays open until the program ends.
/// Errors   throws `Error` (kDevice) where this build has none, or where driver, GPU or cuBLASLt are missing.
std::shared_ptr<EngineDevice> open_device(const DeviceChoice& choice);

}  // namespace dachlast
