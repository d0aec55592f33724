#include "core/model/families/quantization_config.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace dachlast {
namespace {

StorageFormat known(std::string_view name) {
  return *storage_format(name);
}

StorageFormat grouped(std::string_view name, int group_columns) {
  StorageFormat format = known(name);
  format.group_columns = group_columns;
  return format;
}

/// "fp8" of DeepSeek, Qwen, MiniMax: with blocks where their size is given, else one scale a matrix.
StorageFormat read_fp8(ConfigObject& scheme) {
  if (!scheme.has_value("weight_block_size")) return known("fp8-tensor");
  const std::vector<double> block = scheme.positive_list("weight_block_size", 2);
  StorageFormat format = known("fp8-block");
  format.group_rows = static_cast<int>(block[0]);
  format.group_columns = static_cast<int>(block[1]);
  return format;
}

/// AWQ and GPTQ: packed integers with a scale and a zero point for each group; -1 means one group a row.
StorageFormat read_groups(ConfigObject& scheme, std::string_view name) {
  StorageFormat format = known(name);
  const int bits = scheme.size_or(scheme.first_of({"bits", "w_bit"}), 4, 16);
  format.bits = bits;
  format.group_bits = 16 + bits;
  const std::string key = scheme.first_of({"group_size", "q_group_size"});
  format.group_columns =
      scheme.is_marker(key, -1) ? size_limit::kFfWidth : scheme.size_or(key, 128, size_limit::kFfWidth);
  return format;
}

StorageFormat read_bitsandbytes(ConfigObject& scheme) {
  if (scheme.flag_or("load_in_8bit", false)) return known("int8");
  StorageFormat format = known("nf4");
  if (!scheme.flag_or("bnb_4bit_use_double_quant", false)) format.group_bits = 32;
  return format;
}

/// The "weights" object of a compressed-tensors group.
std::optional<StorageFormat> read_compressed_weights(ConfigObject& weights) {
  const int bits = weights.size_or("num_bits", 8, 16);
  const std::string type = weights.text_or("type", "int");
  const std::string strategy = weights.text_or("strategy", "tensor");
  const bool floats = type == "float";
  if (strategy == "tensor_group" && floats && bits == 4) return known("nvfp4");
  if (strategy == "block" && floats && bits == 8) return read_fp8(weights);
  if (strategy == "group") {
    const int size = weights.size_or("group_size", 128, size_limit::kFfWidth);
    if (floats && bits == 4) return grouped(size == 32 ? "mxfp4" : "nvfp4", size);
    StorageFormat format = grouped("int4", size);
    format.bits = bits;
    if (!weights.flag_or("symmetric", true)) format.group_bits += bits;
    return format;
  }
  if (bits != 8) return std::nullopt;
  if (strategy == "tensor") return floats ? known("fp8-tensor") : known("int8");
  return floats ? known("fp8") : known("int8");
}

std::optional<StorageFormat> read_compressed_tensors(ConfigObject& scheme) {
  if (!scheme.has_value("config_groups")) return std::nullopt;
  ConfigObject groups = scheme.object("config_groups");
  const std::string first = groups.first_of({"group_0", "group_1", "FP8_BLOCK"});
  if (!groups.has_value(first)) return std::nullopt;
  ConfigObject group = groups.object(first);
  if (!group.has_value("weights")) return std::nullopt;
  ConfigObject weights = group.object("weights");
  return read_compressed_weights(weights);
}

std::optional<StorageFormat> read_modelopt(ConfigObject& scheme) {
  const std::string algorithm = scheme.text_or("quant_algo", "");
  if (algorithm == "NVFP4") return known("nvfp4");
  if (algorithm == "FP8") return known("fp8-tensor");
  if (algorithm == "W4A16_AWQ" || algorithm == "W4A8_AWQ")
    return grouped("awq", scheme.size_or("group_size", 128, size_limit::kFfWidth));
  return std::nullopt;
}

std::optional<StorageFormat> read_format(ConfigObject& scheme) {
  const std::string method = scheme.text_or("quant_method", "");
  if (method == "fp8" || method == "fbgemm_fp8") return method == "fp8" ? read_fp8(scheme) : known("fp8");
  if (method == "mxfp4") return known("mxfp4");
  if (method == "awq") return read_groups(scheme, "awq");
  if (method == "gptq" || method == "auto-round") return read_groups(scheme, "gptq");
  if (method == "bitsandbytes") return read_bitsandbytes(scheme);
  if (method == "compressed-tensors") return read_compressed_tensors(scheme);
  if (method == "modelopt" || method == "modelopt_fp4") return read_modelopt(scheme);
  return std::nullopt;
}

/// What the lists of left-out modules name. One projection of a kind stands for all of them: schemes leave out kinds of layers,
/// not single ones; a tower's entries do not count.
MatrixKinds read_covered(ConfigObject& scheme) {
  MatrixKinds covered = kProjections;
  for (const char* key : {"modules_to_not_convert", "ignore", "exclude_modules"}) {
    if (!scheme.has_value(key)) continue;
    for (const std::string& entry : scheme.text_list(key)) {
      const auto names = [&](std::string_view part) { return entry.find(part) != std::string::npos; };
      if (names("vision") || names("visual") || names("audio")) continue;
      if (names("self_attn") || names("attention")) covered = covered.without(MatrixKind::kAttention);
      if (names("shared_expert")) covered = covered.without(MatrixKind::kSharedExpert);
    }
  }
  return covered;
}

}  // namespace

WeightFormat read_quantization(ConfigObject& config, const StorageFormat& native) {
  const std::string key = config.first_of({"quantization_config", "compression_config"});
  if (!config.has_value(key)) return plain_weights(native);
  ConfigObject scheme = config.object(key);
  const auto format = read_format(scheme);
  if (!format) {
    config.warn("unknown_quantization",
                fmt::format("{} is a scheme this program does not know: weights are counted in {}, an upper bound", key,
                            native.title));
    return plain_weights(native);
  }
  WeightFormat weights{.quantized = *format, .rest = native, .covered = read_covered(scheme)};
  if (format->name == "mxfp4" && scheme.text_or("quant_method", "") == "mxfp4")
    weights.covered = MatrixKinds().with(MatrixKind::kExpert);  // gpt-oss lists all but its experts
  return weights;
}

}  // namespace dachlast
