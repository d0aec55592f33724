#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace dachlast {

/// One tensor type of ggml: the elements of a row are stored in blocks, each with its own scales.
struct GgmlType {
  std::uint32_t id;         // as a GGUF file states it
  std::string_view name;    // "Q4_K"
  int block_elements;       // 1: not quantized in blocks
  int block_bytes;          // scales included
  int row_bytes = 0;        // beside the blocks, once a row
  int tensor_bytes = 0;     // beside the blocks, once a tensor
  std::string_view source;  // where the numbers stand

  /// Bits per element, blocks only: 8 · block_bytes / block_elements.
  constexpr double bits_per_weight() const { return 8.0 * block_bytes / block_elements; }
};

/// Every type that published files or the programs that write them use, by id. Of ids that two programs use for
/// different types, the one that published files contain.
std::span<const GgmlType> ggml_types();

/// Type of that id or name; nullptr where there is none. Names compare without case.
const GgmlType* ggml_type(std::uint32_t id);
const GgmlType* ggml_type(std::string_view name);

/// Bytes of a tensor of `rows` rows of `columns` elements:
///   tensor_bytes + rows · (row_bytes + columns / block_elements · block_bytes)
/// Empty where a row is no whole number of blocks or the result leaves 64 bits.
std::optional<std::uint64_t> tensor_bytes(const GgmlType& type, std::uint64_t columns, std::uint64_t rows);

/// Name of `general.file_type`, the type most of a file's weights have: "Q4_K_M"; empty where the number is unknown.
std::string_view ggml_file_type_name(std::uint32_t file_type);

/// True for the types that `dequantize` reads: F32, F16, BF16, F64, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q6_K.
bool can_dequantize(const GgmlType& type);

/// Elements of a tensor as floats; `blocks` holds whole blocks.
/// Numbers  exact but for the one rounding of scale times integer; F64 rounds to nearest.
/// Errors   throws `Error` (kInput) naming the type where it cannot be read, or where bytes are left over.
std::vector<float> dequantize(const GgmlType& type, std::span<const std::byte> blocks);

}  // namespace dachlast
