#pragma once

#include "core/model/config_object.h"
#include "core/model/weight_format.h"

namespace dachlast {

/// Reads "quantization_config" (older files: "compression_config") of a config; plain weights in `native` where there is
/// none. A scheme that is not known is said and counted as `native`, an upper bound.
/// Source   huggingface/transformers:src/transformers/utils/quantization_config.py;
///          vllm-project/compressed-tensors:src/compressed_tensors/quantization/quant_config.py
WeightFormat read_quantization(ConfigObject& config, const StorageFormat& native);

}  // namespace dachlast
