#pragma once

#include <span>
#include <string>
#include <string_view>

namespace dachlast {

/// How a matrix of weights lies in memory: `bits` per element, and what a quantization scheme keeps beside them. Rows are the
/// outputs of a projection, columns its inputs.
struct StorageFormat {
  std::string_view name;      // as options and configs spell it: "bf16", "fp8", "awq"
  std::string_view title;     // as people read it: "BF16", "FP8, a scale a row"
  double bits;                // per element
  int group_columns = 0;      // elements of a row that share a scale; 0: none; the last group of a row may be short
  int group_rows = 1;         // rows that share it too: 128 in block-wise FP8
  double group_bits = 0;      // scale, and zero point where there is one
  double row_bits = 0;        // scale of a whole row
  double column_bits = 0;     // GPTQ's group index of each input
  double tensor_bits = 0;     // scale of the whole matrix
  std::string_view source{};  // where the layout stands
};

/// Every format by name, plain types first. Block types of GGUF files are in quantization.h.
std::span<const StorageFormat> storage_formats();

/// Format of that name; nullptr where there is none. Names compare without case.
const StorageFormat* storage_format(std::string_view name);

/// Bytes of one matrix: rows · columns · bits, and the scales:
///   ⌈rows / group_rows⌉ · ⌈columns / group_columns⌉ · group_bits + rows · row_bits + columns · column_bits + tensor_bits
double stored_bytes(const StorageFormat& format, double rows, double columns);

}  // namespace dachlast
