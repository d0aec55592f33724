#include "core/model/gguf_families.h"

#include <vector>

#include "core/model/gguf_finish.h"

namespace dachlast {
namespace {

/// Every layer of the same shape, as keys state it.
std::vector<GgufFamily> uniform_families() {
  return {
      {.architecture = "llama",
       .model_type = "llama",
       .naming = TensorNaming::kLlama,
       .windows = GgufWindows{},
       .finish = finish_llama},
      {.architecture = "qwen2",
       .model_type = "qwen2",
       .naming = TensorNaming::kLlama,
       .biases = GgufBiases::kQkv,
       .windows = GgufWindows{}},
      {.architecture = "qwen3",
       .model_type = "qwen3",
       .naming = TensorNaming::kLlama,
       .qk_norm = QkNorm::kPerHead,
       .windows = GgufWindows{}},
      {.architecture = "gemma",
       .model_type = "gemma",
       .naming = TensorNaming::kLlama,
       .activation = Activation::kGeluTanh,
       .tied = true,
       .scaled_embeddings = true},
      {.architecture = "gemma2",
       .model_type = "gemma2",
       .naming = TensorNaming::kGemma,
       .wiring = BlockWiring::kSandwich,
       .activation = Activation::kGeluTanh,
       .tied = true,
       .windows = GgufWindows{.default_window = 4096, .period = 2},
       .scaled_embeddings = true,
       .finish = finish_gemma2},
      {.architecture = "gemma3",
       .model_type = "gemma3_text",
       .naming = TensorNaming::kGemma,
       .wiring = BlockWiring::kSandwich,
       .activation = Activation::kGeluTanh,
       .qk_norm = QkNorm::kPerHead,
       .tied = true,
       .windows = GgufWindows{.default_window = 1024, .period = 6},
       .sliding_theta = 10000.0,
       .scaled_embeddings = true,
       .finish = finish_gemma3},
      {.architecture = "phi2",
       .model_type = "phi",
       .naming = TensorNaming::kPhi,
       .wiring = BlockWiring::kParallel,
       .norm = NormKind::kLayer,
       .activation = Activation::kGeluTanh,
       .gate = Gate::kNone,
       .biases = GgufBiases::kAll},
      {.architecture = "phi3", .model_type = "phi3", .naming = TensorNaming::kPhi3, .windows = GgufWindows{}},
      {.architecture = "gpt2",
       .model_type = "gpt2",
       .naming = TensorNaming::kGpt2,
       .norm = NormKind::kLayer,
       .activation = Activation::kGeluTanh,
       .gate = Gate::kNone,
       .biases = GgufBiases::kAll,
       .tied = true,
       .positions = GgufPositions::kLearned},
      {.architecture = "granite",
       .model_type = "granite",
       .naming = TensorNaming::kLlama,
       .positions = GgufPositions::kRopeIfFinetuned,
       .finish = finish_granite},
      {.architecture = "olmo2",
       .model_type = "olmo2",
       .wiring = BlockWiring::kBranchNorm,
       .qk_norm = QkNorm::kWholeWidth,
       .windows = GgufWindows{.default_window = 0, .period = 4}},
      {.architecture = "command-r",
       .model_type = "cohere",
       .wiring = BlockWiring::kParallel,
       .norm = NormKind::kLayer,
       .norm_bias = false,
       .tied = true,
       .finish = finish_command_r},
      {.architecture = "falcon",
       .model_type = "falcon",
       .norm = NormKind::kLayer,
       .activation = Activation::kGeluErf,
       .gate = Gate::kNone,
       .tied = true,
       .finish = finish_falcon},
      {.architecture = "bloom",
       .model_type = "bloom",
       .norm = NormKind::kLayer,
       .activation = Activation::kGeluTanh,
       .gate = Gate::kNone,
       .biases = GgufBiases::kAll,
       .tied = true,
       .positions = GgufPositions::kAlibi,
       .finish = finish_bloom},
      {.architecture = "gptneox",
       .model_type = "gpt_neox",
       .norm = NormKind::kLayer,
       .activation = Activation::kGeluErf,
       .gate = Gate::kNone,
       .biases = GgufBiases::kAll,
       .finish = finish_gpt_neox},
      {.architecture = "chatglm", .model_type = "chatglm", .biases = GgufBiases::kQkv},
  };
}

/// The usual attention with routed experts, in every layer or in most.
std::vector<GgufFamily> routed_families() {
  std::vector<GgufFamily> list = {
      {.architecture = "granitemoe",
       .model_type = "granitemoe",
       .positions = GgufPositions::kRopeIfFinetuned,
       .finish = finish_granite},
      {.architecture = "dbrx",
       .model_type = "dbrx",
       .norm = NormKind::kLayer,
       .norm_bias = false,
       .finish = finish_routed},
      {.architecture = "qwen2moe", .model_type = "qwen2_moe"},
      {.architecture = "qwen3moe", .model_type = "qwen3_moe"},
      {.architecture = "olmoe", .model_type = "olmoe", .finish = finish_routed},
      {.architecture = "phimoe", .model_type = "phimoe", .norm = NormKind::kLayer, .windows = GgufWindows{}},
      {.architecture = "grok",
       .model_type = "grok",
       .wiring = BlockWiring::kSandwich,
       .activation = Activation::kGeluTanh,
       .finish = finish_grok},
      {.architecture = "glm4moe", .model_type = "glm4_moe"},
      {.architecture = "gpt-oss", .model_type = "gpt_oss", .windows = GgufWindows{.default_window = 0, .period = 2}},
      {.architecture = "minimax-m2", .model_type = "minimax_m2"},
      {.architecture = "mimo2", .model_type = "mimo_v2_flash", .windows = GgufWindows{}, .finish = finish_routed},
      {.architecture = "llama4",
       .model_type = "llama4",
       .windows = GgufWindows{.default_window = 8192, .period = 4},
       .finish = finish_llama4},
      {.architecture = "gemma4",
       .model_type = "gemma4",
       .wiring = BlockWiring::kSandwich,
       .activation = Activation::kGeluTanh,
       .windows = GgufWindows{.default_window = 0, .period = 6},
       .scaled_embeddings = true,
       .finish = finish_gemma4},
  };
  return list;
}

/// Latents, linear attention, state spaces, layers that lack a part.
std::vector<GgufFamily> mixed_families() {
  return {
      {.architecture = "deepseek2", .model_type = "deepseek_v3", .finish = finish_deepseek},
      {.architecture = "deepseek32", .model_type = "deepseek_v32", .finish = finish_deepseek},
      {.architecture = "glm-dsa", .model_type = "glm_moe_dsa", .finish = finish_deepseek},
      {.architecture = "qwen3next", .model_type = "qwen3_next", .finish = finish_hybrid},
      {.architecture = "qwen35", .model_type = "qwen3_5", .finish = finish_hybrid},
      {.architecture = "qwen35moe", .model_type = "qwen3_5_moe", .finish = finish_hybrid},
      {.architecture = "jamba", .model_type = "jamba", .positions = GgufPositions::kNone},
      {.architecture = "granitehybrid",
       .model_type = "granitemoehybrid",
       .positions = GgufPositions::kRopeIfFinetuned,
       .finish = finish_granite},
      {.architecture = "nemotron_h",
       .model_type = "nemotron_h",
       .activation = Activation::kReluSquared,
       .positions = GgufPositions::kNone,
       .gaps = GgufGaps::kAllowed,
       .finish = finish_hybrid},
      {.architecture = "nemotron_h_moe",
       .model_type = "nemotron_h",
       .activation = Activation::kReluSquared,
       .positions = GgufPositions::kNone,
       .gaps = GgufGaps::kAllowed,
       .finish = finish_hybrid},
      {.architecture = "mamba", .model_type = "mamba", .positions = GgufPositions::kNone, .gaps = GgufGaps::kAllowed},
      {.architecture = "mamba2", .model_type = "mamba2", .positions = GgufPositions::kNone, .gaps = GgufGaps::kAllowed},
      {.architecture = "deci", .model_type = "nemotron-nas", .gaps = GgufGaps::kAllowed},
  };
}

void append(std::vector<GgufFamily>& list, std::vector<GgufFamily> others) {
  for (GgufFamily& family : others) {
    family.layout = GgufLayout::kByTensors;
    list.push_back(family);
  }
}

std::vector<GgufFamily> all_families() {
  std::vector<GgufFamily> list = uniform_families();
  append(list, routed_families());
  append(list, mixed_families());
  return list;
}

}  // namespace

std::span<const GgufFamily> gguf_families() {
  static const std::vector<GgufFamily> list = all_families();
  return list;
}

}  // namespace dachlast
