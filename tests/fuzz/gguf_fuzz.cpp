// Feeds bytes to the GGUF reader and to what reads its result. Errors are an answer; anything else is a find.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/model/gguf_model.h"
#include "core/model/weight_inventory.h"

namespace dachlast {
namespace {

void read(std::span<const std::byte> bytes, GgufExtent extent) {
  const GgufFile file = GgufFile::in_memory(bytes, "input", extent);
  const WeightInventory inventory = weight_inventory(file);
  if (extent == GgufExtent::kWholeFile)
    for (const GgufTensor& tensor : file.first().tensors)
      if (can_dequantize(*tensor.type)) dequantize(*tensor.type, file.first().bytes(tensor));
  std::vector<ConfigWarning> warnings;
  model_spec_from_gguf(file, warnings);
}

}  // namespace
}  // namespace dachlast

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  for (const auto extent : {dachlast::GgufExtent::kWholeFile, dachlast::GgufExtent::kHeaderOnly}) {
    try {
      dachlast::read(bytes, extent);
    } catch (const dachlast::Error&) {
      continue;
    }
  }
  return 0;
}
