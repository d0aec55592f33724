#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/dtype.h"

namespace dachlast {

/// An element type the format knows, whether or not this program can use it.
struct StoredType {
  std::string_view name;       // as the header spells it
  int bits;                    // per element
  std::optional<DType> dtype;  // empty: recognised, but weights of this type are refused
};

/// Type of that name; nullptr where the format has none.
const StoredType* stored_type(std::string_view name);

/// One entry of a header, checked against itself: size of shape and type equals end − begin.
struct TensorInfo {
  const StoredType* type = nullptr;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0;  // bytes from the start of the data
  std::uint64_t end = 0;
};

using TensorTable = std::map<std::string, TensorInfo, std::less<>>;

/// Checks and reads the JSON header of a safetensors file: an object of tensors, and `__metadata__` with texts.
/// Together the tensors must cover the `data_bytes` behind the header exactly once, as the format demands.
/// Errors   throws `Error` (kInput) naming `subject` (the file), the tensor and the reason; for any bytes whatsoever.
/// Source   https://github.com/huggingface/safetensors, README "Format".
TensorTable read_safetensors_header(std::string_view json, std::uint64_t data_bytes, const std::string& subject);

/// Reads `weight_map` of a model.safetensors.index.json: tensor name to file name.
/// Errors   throws `Error` (kInput) naming `subject` and the reason, names that lead out of the folder included.
std::map<std::string, std::string> read_safetensors_index(std::string_view json, const std::string& subject);

/// "[2, 3]".
std::string shape_text(const std::vector<std::uint64_t>& shape);

}  // namespace dachlast
