#pragma once

#include "core/model/gguf_config.h"
#include "core/model/model_spec.h"

// What single architectures add once their layers are read: scales, caps, exceptions that no key states.
// Source   ggml-org/llama.cpp:src/models/*.cpp (load_arch_hparams), commit 0c1e57098.
namespace dachlast {

void finish_llama(GgufConfig& config, ModelSpec& spec);
void finish_gemma2(GgufConfig& config, ModelSpec& spec);
void finish_gemma3(GgufConfig& config, ModelSpec& spec);
void finish_gemma4(GgufConfig& config, ModelSpec& spec);
void finish_granite(GgufConfig& config, ModelSpec& spec);
void finish_command_r(GgufConfig& config, ModelSpec& spec);
void finish_falcon(GgufConfig& config, ModelSpec& spec);
void finish_bloom(GgufConfig& config, ModelSpec& spec);
void finish_gpt_neox(GgufConfig& config, ModelSpec& spec);
void finish_llama4(GgufConfig& config, ModelSpec& spec);
void finish_deepseek(GgufConfig& config, ModelSpec& spec);
void finish_grok(GgufConfig& config, ModelSpec& spec);
/// Keys that change numbers alone.
void finish_routed(GgufConfig& config, ModelSpec& spec);
void finish_hybrid(GgufConfig& config, ModelSpec& spec);

}  // namespace dachlast
