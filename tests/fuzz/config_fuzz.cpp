// Feeds bytes to the reader of config.json and to what counts its result. Errors are an answer; anything else is a find.
#include "core/base/error.h"
#include "core/model/layer_cache.h"
#include "core/model/model_source.h"
#include "core/model/weight_slots.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const dachlast::MemoryFile file(data, size);
  try {
    std::vector<dachlast::ConfigWarning> warnings;
    const dachlast::ModelSpec model = dachlast::read_model_spec(file.path(), warnings);
    dachlast::weight_slots(model);
    dachlast::extra_weight_slots(model);
    for (const auto& layer : model.layers) dachlast::layer_cache(layer);
  } catch (const dachlast::Error&) {
    return 0;
  }
  return 0;
}
