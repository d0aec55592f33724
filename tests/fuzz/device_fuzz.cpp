// Feeds bytes to the reader of device files, as YAML. Errors are an answer; anything else is a find.
#include <cstdint>
#include <string>

#include "core/base/error.h"
#include "core/hardware/device_spec.h"
#include "core/hardware/yaml_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    dachlast::read_device(dachlast::parse_yaml("input", std::string(reinterpret_cast<const char*>(data), size)),
                          "input");
  } catch (const dachlast::Error&) {
    return 0;
  }
  return 0;
}
