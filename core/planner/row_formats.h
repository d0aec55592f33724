#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/model/model_spec.h"
#include "core/model/weight_format.h"
#include "core/planner/rank_load.h"

namespace dachlast {

/// Types of weights as a row states them, in its type cell or in the model's name.
struct RowWeights {
  WeightFormat format;
  /// First and last layer keep 16 bits (Meta's FP8 checkpoints).
  bool ends_in_16_bits = false;
  std::string assumption = {};
};

/// "fp8" and "Qwen/Qwen3-32B-FP8" is block-wise FP8, as Qwen publishes it; "awq 4-bit", "int4", "mxfp4", "fp16". Where nothing
/// is stated the weights are those of the model's own config. Empty where the words name a type that is not known.
std::optional<RowWeights> row_weights(std::string_view model_text, std::string_view dtype, const WeightFormat& own);

/// "auto" and an empty cell are the 16 bits of the activations; "fp8_e4m3" is FP8. Empty for unknown types.
std::optional<CacheFormat> row_cache(std::string_view kv_dtype);

/// Bytes of every weight of the model in `format`, on one device.
double total_weight_bytes(const ModelSpec& model, const RowWeights& weights, const CacheFormat& cache);

}  // namespace dachlast
