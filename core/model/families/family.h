#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/model/config_object.h"
#include "core/model/model_spec.h"

// The readers of config.json, one file per group of families. Foreign names (`hidden_size`, `n_embd`, …) are known here
// and nowhere else. A default stands for a key that a config leaves out because the Transformers config class supplies
// it; each reader names that class's file in https://github.com/huggingface/transformers, read 2026-07.
namespace dachlast {

/// One `model_type` and its reader. `spec` arrives empty; name and architecture are set by the caller.
struct ModelFamily {
  std::string_view model_type;
  void (*read)(ConfigObject& config, ModelSpec& spec);
};

/// Every family this program knows, in the order error messages list them.
std::span<const ModelFamily> model_families();

void read_llama(ConfigObject& config, ModelSpec& spec);
void read_mistral(ConfigObject& config, ModelSpec& spec);
void read_qwen2(ConfigObject& config, ModelSpec& spec);
void read_qwen3(ConfigObject& config, ModelSpec& spec);
void read_gemma(ConfigObject& config, ModelSpec& spec);
void read_gemma2(ConfigObject& config, ModelSpec& spec);
void read_gemma3_text(ConfigObject& config, ModelSpec& spec);
void read_gemma3(ConfigObject& config, ModelSpec& spec);
void read_phi(ConfigObject& config, ModelSpec& spec);
void read_phi3(ConfigObject& config, ModelSpec& spec);
void read_gpt2(ConfigObject& config, ModelSpec& spec);
void read_opt(ConfigObject& config, ModelSpec& spec);

}  // namespace dachlast
