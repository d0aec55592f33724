#include "core/planner/row_formats.h"

#include <algorithm>
#include <array>

#include "core/model/weight_slots.h"
#include "core/planner/row_words.h"

namespace dachlast {
namespace {

const StorageFormat& sixteen_bits() {
  return *storage_format("bf16");
}

WeightFormat scheme(std::string_view name) {
  return weight_format(name, sixteen_bits());
}

bool is_plain_16_bit(std::string_view dtype) {
  constexpr std::array<std::string_view, 6> kNames = {"bf16", "fp16", "f16", "float16", "bfloat16", "bf16/fp16"};
  return std::ranges::find(kNames, dtype) != kNames.end();
}

/// Who publishes FP8 checkpoints, and with which scales.
struct Fp8Custom {
  std::string_view name_has;
  std::string_view format;
};
// Sources  config.json of RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic (compressed-tensors, strategy channel), of
//          Qwen/Qwen3-32B-FP8, deepseek-ai/DeepSeek-V3, zai-org/GLM-4.6-FP8 and MiniMaxAI/MiniMax-M2 (weight_block_size
//          128 × 128), of nvidia/Llama-3.1-8B-Instruct-FP8 (modelopt, per tensor)
constexpr Fp8Custom kFp8Customs[] = {{"redhatai", "fp8"},      {"neuralmagic", "fp8"}, {"dynamic", "fp8"},
                                     {"nvidia", "fp8-tensor"}, {"qwen3", "fp8-block"}, {"deepseek", "fp8-block"},
                                     {"glm", "fp8-block"},     {"kimi", "fp8-block"},  {"minimax", "fp8-block"}};

/// Meta quantizes the MLPs alone, a scale a row, and neither those of the first nor of the last layer.
/// Source   Llama 3 herd of models, arXiv:2407.21783, section 6.2; config.json of meta-llama/Llama-3.1-405B-Instruct-FP8
bool is_metas_fp8(std::string_view model) {
  return has(model, "405b") && has(model, "fp8") && (has(model, "meta-llama") || has(model, "meta "));
}

RowWeights fp8_weights(std::string_view model, const WeightFormat& own) {
  if (is_metas_fp8(model)) {
    WeightFormat format = scheme("fp8");
    format.covered = MatrixKinds().with(MatrixKind::kMlp);
    return {.format = format, .ends_in_16_bits = true, .assumption = {}};
  }
  if (own.is_quantized() && own.quantized.bits == 8) return {.format = own, .ends_in_16_bits = false, .assumption = {}};
  for (const Fp8Custom& custom : kFp8Customs)
    if (has(model, custom.name_has)) return {scheme(custom.format), false, {}};
  return {scheme("fp8"), false, "FP8 with a scale a row"};
}

RowWeights four_bit_floats(std::string_view text, const WeightFormat& own) {
  if (has(text, "mxfp4"))
    return {own.is_quantized() && own.quantized.name == "mxfp4" ? own : scheme("mxfp4"), false, {}};
  return {own.is_quantized() && own.quantized.bits == 4 ? own : scheme("nvfp4"), false, {}};
}

/// INT4 names no scheme by itself.
RowWeights four_bit_integers(std::string_view text) {
  if (has(text, "native")) {
    WeightFormat format = scheme("int4");
    format.covered = MatrixKinds().with(MatrixKind::kExpert);  // moonshotai/Kimi-K2-Thinking:config.json, "ignore"
    return {format, false, {}};
  }
  if (has(text, "awq")) return {scheme("awq"), false, {}};
  if (has(text, "gptq") || has(text, "autoround")) return {scheme("gptq"), false, {}};
  if (has(text, "w4a16")) return {scheme("int4:128"), false, {}};  // compressed-tensors, preset "W4A16"
  return {scheme("gptq"), false, "INT4 in groups of 128"};
}

}  // namespace

std::optional<RowWeights> row_weights(std::string_view model_text, std::string_view dtype, const WeightFormat& own) {
  const std::string model = lower_case(model_text);
  const std::string type = lower_case(dtype);
  const std::string both = model + " " + type;
  if (is_plain_16_bit(type)) return RowWeights{plain_weights(sixteen_bits()), false, {}};
  if (type == "float32" || type == "f32" || type == "fp32")
    return RowWeights{plain_weights(*storage_format("f32")), false, {}};
  if (has(both, "mxfp4") || has(both, "nvfp4") || has(type, "fp4") || has(model, "-fp4"))
    return four_bit_floats(both, own);
  if (has(both, "nf4") || has(both, "bnb") || has(both, "bitsandbytes")) return RowWeights{scheme("nf4"), false, {}};
  if (has(both, "int4") || has(both, "w4a16") || has(type, "4-bit") || has(both, "awq") || has(both, "gptq"))
    return four_bit_integers(both);
  if (has(type, "fp8") || has(model, "fp8")) return fp8_weights(model, own);
  if (has(type, "int8") || has(model, "w8a8")) return RowWeights{scheme("int8"), false, {}};
  if (type.empty() || has(type, "not stated") || type == "auto")
    return RowWeights{own, false, "weights as in the model's config"};
  return std::nullopt;
}

std::optional<CacheFormat> row_cache(std::string_view kv_dtype) {
  const std::string type = lower_case(kv_dtype);
  if (type.empty() || type == "auto" || type == "fp16" || type == "float16" || type == "bfloat16")
    return *cache_format("bf16");
  if (type.starts_with("fp8")) return *cache_format("fp8");
  const std::string_view first = std::string_view(type).substr(0, type.find(' '));
  const CacheFormat* format = cache_format(first);
  return format == nullptr ? std::nullopt : std::optional(*format);
}

double total_weight_bytes(const ModelSpec& model, const RowWeights& weights, const CacheFormat& cache) {
  double bytes = 0.0;
  for (const RankLoad& rank : rank_loads(model, weights.format, cache, Layout{})) bytes += rank.weight_bytes;
  if (!weights.ends_in_16_bits) return bytes;
  for (const WeightSlot& slot : weight_slots(model)) {
    const bool mlp = slot.role == WeightRole::kMlpUp || slot.role == WeightRole::kMlpDown;
    const bool end = slot.layer == 0 || slot.layer == model.n_layers() - 1;
    if (mlp && end && slot.part == WeightPart::kMatrix) bytes += static_cast<double>(slot.size());  // 16 − 8 bits each
  }
  return bytes;
}

}  // namespace dachlast
