#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/gguf.h"
#include "core/model/safetensors.h"

namespace dachlast {

/// Where in the model a tensor belongs, guessed from its name: what pipeline stages and reports divide weights by.
enum class WeightPlace { kEmbedding, kLayer, kHead, kOther };

std::string_view name_of(WeightPlace place);

/// One stored tensor.
struct WeightEntry {
  std::string name;
  std::string_view type;       // as its format spells it: "Q4_K", "BF16"
  std::uint64_t elements = 0;  // stored ones: packed formats keep several weights in an element
  std::uint64_t bytes = 0;
  WeightPlace place = WeightPlace::kOther;
  int layer = -1;  // -1 outside the layers
};

/// Everything of one type together.
struct WeightTypeTotal {
  std::string_view type;
  std::uint64_t n_tensors = 0;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
};

/// The weights of a model to the byte, from the headers of its files.
struct WeightInventory {
  std::filesystem::path path;
  std::string_view source = "exact";     // counted, not modelled
  std::vector<WeightEntry> entries;      // in file order; by name in safetensors
  std::vector<WeightTypeTotal> by_type;  // most bytes first
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;  // of all tensors, without headers and padding
};

WeightInventory weight_inventory(const GgufFile& file);
WeightInventory weight_inventory(const Checkpoint& checkpoint);

/// Opens a GGUF file (all its parts), a .safetensors file, an index, or a folder of safetensors, reading headers only.
/// Errors   throws `Error` (kInput) as `read_gguf` and `Checkpoint` do.
WeightInventory weight_inventory(const std::filesystem::path& path);

}  // namespace dachlast
