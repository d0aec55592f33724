#include "core/model/storage_format.h"

#include <algorithm>
#include <cmath>

#include "core/base/nearest_name.h"

namespace dachlast {
namespace {

constexpr StorageFormat kFormats[] = {
    {.name = "f32", .title = "FP32", .bits = 32},
    {.name = "f16", .title = "FP16", .bits = 16},
    {.name = "bf16", .title = "BF16", .bits = 16},
    {.name = "fp8",
     .title = "FP8, a scale a row",
     .bits = 8,
     .row_bits = 32,
     .source = "vllm-project/compressed-tensors: float-quantized, strategy channel"},
    {.name = "fp8-tensor",
     .title = "FP8, a scale a matrix",
     .bits = 8,
     .tensor_bits = 64,  // of the weights and of the inputs, FP32 each
     .source = "NVIDIA/TensorRT-Model-Optimizer: FP8_DEFAULT_CFG"},
    {.name = "fp8-block",
     .title = "FP8, a scale for 128 × 128",
     .bits = 8,
     .group_columns = 128,
     .group_rows = 128,
     .group_bits = 32,
     .source = "deepseek-ai/DeepSeek-V3: README_WEIGHTS.md, weight_scale_inv"},
    {.name = "int8",
     .title = "INT8, a scale a row",
     .bits = 8,
     .row_bits = 32,
     .source = "vllm-project/compressed-tensors: int-quantized, strategy channel"},
    {.name = "awq",
     .title = "INT4 in groups of 128, zero points (AWQ)",
     .bits = 4,
     .group_columns = 128,
     .group_bits = 16 + 4,  // FP16 scale, 4-bit zero
     .source = "casper-hansen/AutoAWQ: WQLinear_GEMM (qweight, qzeros, scales)"},
    {.name = "gptq",
     .title = "INT4 in groups of 128, zero points (GPTQ)",
     .bits = 4,
     .group_columns = 128,
     .group_bits = 16 + 4,
     .column_bits = 32,  // g_idx
     .source = "AutoGPTQ/AutoGPTQ: QuantLinear (qweight, qzeros, scales, g_idx)"},
    {.name = "int4",
     .title = "INT4 in groups of 32, symmetric",
     .bits = 4,
     .group_columns = 32,
     .group_bits = 16,
     .source =
         "vllm-project/compressed-tensors: pack-quantized, strategy group; moonshotai/Kimi-K2-Thinking: config.json"},
    {.name = "mxfp4",
     .title = "MXFP4",
     .bits = 4,
     .group_columns = 32,
     .group_bits = 8,  // E8M0
     .source = "OCP Microscaling Formats 1.0, section 5.3"},
    {.name = "nvfp4",
     .title = "NVFP4",
     .bits = 4,
     .group_columns = 16,
     .group_bits = 8,    // E4M3
     .tensor_bits = 96,  // FP32 scales of the weights, of the inputs, and their product
     .source = "NVIDIA/TensorRT-Model-Optimizer: NVFP4_DEFAULT_CFG"},
    {.name = "nf4",
     .title = "NF4 in groups of 64, scales quantized again (bitsandbytes)",
     .bits = 4,
     .group_columns = 64,
     .group_bits = 8 + 32.0 / 256,  // INT8 scale, one FP32 for 256 of them
     .source = "Dettmers et al. 2023, arXiv:2305.14314, section 3"},
};

}  // namespace

std::span<const StorageFormat> storage_formats() {
  return kFormats;
}

const StorageFormat* storage_format(std::string_view name) {
  const auto found = std::ranges::find_if(kFormats, [&](const auto& format) { return same_name(format.name, name); });
  return found == std::end(kFormats) ? nullptr : &*found;
}

double stored_bytes(const StorageFormat& format, double rows, double columns) {
  double bits =
      rows * columns * format.bits + rows * format.row_bits + columns * format.column_bits + format.tensor_bits;
  if (format.group_columns > 0)
    bits += std::ceil(rows / format.group_rows) * std::ceil(columns / format.group_columns) * format.group_bits;
  return bits / 8;
}

}  // namespace dachlast
