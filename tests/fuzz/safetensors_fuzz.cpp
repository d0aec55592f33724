// Feeds bytes to the safetensors reader and to what counts its result. Errors are an answer; anything else is a find.
#include "core/base/error.h"
#include "core/model/safetensors.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const dachlast::MemoryFile bytes(data, size);
  try {
    const dachlast::SafetensorsFile file(bytes.path());
    for (const auto& [name, tensor] : file.tensors()) file.bytes(tensor);
  } catch (const dachlast::Error&) {
    return 0;
  }
  return 0;
}
