#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "core/planner/lever.h"

namespace dachlast {
namespace {

/// What an engine calls a narrower type of the weights or the cache; no row: it has none.
struct EngineType {
  std::string_view lever;
  std::string_view engine;
  std::string_view type;    // as `plan` spells it
  std::string_view option;  // as the engine is told
};

// Sources: vllm-project/vllm:docs/features/quantization, sgl-project/sglang:docs/advanced_features/quantization.md,
// NVIDIA/TensorRT-LLM:docs/source/features/quantization.md, ggml-org/llama.cpp:tools/quantize/README.md,
// core/base/weight_type.h
constexpr EngineType kWeightTypes[] = {
    {"weights-fp8", "vllm", "fp8", "--quantization fp8"},
    {"weights-fp8", "sglang", "fp8", "--quantization fp8"},
    {"weights-fp8", "tensorrt-llm", "fp8", "a checkpoint quantized to FP8"},
    {"weights-int8", "vllm", "int8", "a checkpoint quantized to w8a8 INT8"},
    {"weights-int8", "sglang", "int8", "--quantization w8a8_int8"},
    {"weights-int8", "llama.cpp", "Q8_0", "-m a file of type Q8_0"},
    {"weights-int8", "dachlast", "int8", "run --dtype int8"},
    {"weights-int4", "vllm", "awq", "a checkpoint quantized by AWQ"},
    {"weights-int4", "sglang", "awq", "a checkpoint quantized by AWQ"},
    {"weights-int4", "tensorrt-llm", "awq", "a checkpoint quantized by AWQ"},
    {"weights-int4", "llama.cpp", "Q4_K_M", "-m a file of type Q4_K_M"},
    {"weights-int4", "dachlast", "int4", "run --dtype int4"},
    {"weights-bf16", "dachlast", "bf16", "run --dtype bf16"},
};

const EngineType* type_for(std::span<const EngineType> types, const Lever& lever, std::string_view engine) {
  const auto found = std::ranges::find_if(
      types, [&](const EngineType& type) { return type.lever == lever.id && type.engine == engine; });
  return found == types.end() ? nullptr : &*found;
}

/// Narrower weights: at least a tenth less memory, or they are no narrower.
Advice narrower_weights(const Lever& lever, const LeverBench& bench) {
  constexpr double kNarrower = 0.9;
  const EngineType* type = type_for(kWeightTypes, lever, bench.engine_id());
  if (type == nullptr)
    return bench.stated(lever, AdviceState::kDoesNotApply,
                        fmt::format("{} runs no such weights", bench.scenario().engine.name));
  Configuration configuration = bench.base();
  configuration.weights = type->type;
  Advice advice = bench.changed(lever, configuration);
  advice.engine_option = type->option;
  if (!advice.memory_bytes) return advice;
  const double weights = bench.plan().planner->at(bench.base().context_tokens(), bench.base().batch_size).weights;
  if (weights + *advice.memory_bytes > kNarrower * weights)
    return bench.stated(lever, AdviceState::kInUse,
                        fmt::format("the weights are {} already", weights_title(bench.scenario())));
  return advice;
}

constexpr EngineType kCacheTypes[] = {
    {"cache-fp8", "vllm", "fp8", "--kv-cache-dtype fp8"},
    {"cache-fp8", "sglang", "fp8", "--kv-cache-dtype fp8_e4m3"},
    {"cache-fp8", "tensorrt-llm", "fp8", "kv_cache_config: dtype: fp8"},
    {"cache-fp8", "dachlast", "fp8", "run --kv fp8"},
    {"cache-int8", "tensorrt-llm", "int8", "kv_cache_config: dtype: int8"},
    {"cache-int8", "llama.cpp", "q8_0", "-ctk q8_0 -ctv q8_0"},
    {"cache-int8", "dachlast", "int8", "run --kv int8"},
    {"cache-int4", "llama.cpp", "q4_0", "-ctk q4_0 -ctv q4_0"},
    {"cache-int4", "dachlast", "int4", "run --kv int4"},
};

Advice narrower_cache(const Lever& lever, const LeverBench& bench) {
  const EngineType* type = type_for(kCacheTypes, lever, bench.engine_id());
  if (type == nullptr)
    return bench.stated(lever, AdviceState::kDoesNotApply,
                        fmt::format("{} keeps no such cache", bench.scenario().engine.name));
  const CacheFormat* format = cache_format(type->type);
  if (format != nullptr && format->bits >= bench.scenario().cache.bits)
    return bench.stated(lever, AdviceState::kInUse,
                        fmt::format("the cache is {} already", bench.scenario().cache.title));
  Configuration configuration = bench.base();
  configuration.cache = type->type;
  Advice advice = bench.changed(lever, configuration);
  advice.engine_option = type->option;
  return advice;
}

constexpr std::string_view kQuantizationStudy = "Kurtic et al. 2024, arXiv:2411.02355";

constexpr Lever kWeightLevers[] = {
    {"weights-bf16", "BF16 weights", LeverKind::kSetting, Resource::kWeights,
     "Rounding of FP32 weights; published models are mostly BF16.", "", narrower_weights},
    {"weights-fp8", "FP8 weights", LeverKind::kSetting, Resource::kWeights,
     "Effectively lossless in a study of Llama 3.1 at all sizes.", kQuantizationStudy, narrower_weights},
    {"weights-int8", "INT8 weights", LeverKind::kSetting, Resource::kWeights,
     "1 to 3 % of accuracy in the same study, where tuned well; measure on your own task.", kQuantizationStudy,
     narrower_weights},
    {"weights-int4", "INT4 weights", LeverKind::kSetting, Resource::kWeights,
     "Rivals 8 bits in one study, loses 8.7 % of MMLU in another report: measure on your own task.", kQuantizationStudy,
     narrower_weights},
};

constexpr Lever kCacheLevers[] = {
    {"cache-fp8", "FP8 KV cache", LeverKind::kSetting, Resource::kCache,
     "Keys and values are rounded to 8 bits; without calibrated scales some models lose accuracy.",
     "vllm-project/vllm:docs/features/quantization/quantized_kvcache.md", narrower_cache},
    {"cache-int8", "INT8 KV cache", LeverKind::kSetting, Resource::kCache,
     "Small with a scale a token; measure long contexts.", "KVQuant, Hooper et al. 2024, arXiv:2401.18079",
     narrower_cache},
    {"cache-int4", "INT4 KV cache", LeverKind::kSetting, Resource::kCache,
     "A few channels of K are large in every token: without scales along channels quality falls.",
     "KIVI, Liu et al. 2024, arXiv:2402.02750", narrower_cache},
};

}  // namespace

std::span<const Lever> weight_levers() {
  return kWeightLevers;
}

std::span<const Lever> cache_levers() {
  return kCacheLevers;
}

}  // namespace dachlast
