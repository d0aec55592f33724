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
void read_ministral3(ConfigObject& config, ModelSpec& spec);
void read_mistral3(ConfigObject& config, ModelSpec& spec);
void read_mllama(ConfigObject& config, ModelSpec& spec);
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
void read_granite(ConfigObject& config, ModelSpec& spec);
void read_olmo2(ConfigObject& config, ModelSpec& spec);
void read_deci(ConfigObject& config, ModelSpec& spec);
void read_cohere(ConfigObject& config, ModelSpec& spec);
void read_falcon(ConfigObject& config, ModelSpec& spec);
void read_bloom(ConfigObject& config, ModelSpec& spec);
void read_gptj(ConfigObject& config, ModelSpec& spec);
void read_gpt_neox(ConfigObject& config, ModelSpec& spec);
void read_glm(ConfigObject& config, ModelSpec& spec);
void read_glm4(ConfigObject& config, ModelSpec& spec);
void read_chatglm(ConfigObject& config, ModelSpec& spec);
void read_mixtral(ConfigObject& config, ModelSpec& spec);
void read_dbrx(ConfigObject& config, ModelSpec& spec);
void read_qwen2_moe(ConfigObject& config, ModelSpec& spec);
void read_qwen3_moe(ConfigObject& config, ModelSpec& spec);
void read_glm4_moe(ConfigObject& config, ModelSpec& spec);
void read_gpt_oss(ConfigObject& config, ModelSpec& spec);
void read_minimax_m2(ConfigObject& config, ModelSpec& spec);
void read_mimo_v2(ConfigObject& config, ModelSpec& spec);
void read_deepseek_v2(ConfigObject& config, ModelSpec& spec);
void read_deepseek_v3(ConfigObject& config, ModelSpec& spec);
void read_deepseek_v32(ConfigObject& config, ModelSpec& spec);
void read_glm_moe_dsa(ConfigObject& config, ModelSpec& spec);
void read_jamba(ConfigObject& config, ModelSpec& spec);
void read_granite_hybrid(ConfigObject& config, ModelSpec& spec);
void read_nemotron_h(ConfigObject& config, ModelSpec& spec);
void read_qwen3_next(ConfigObject& config, ModelSpec& spec);
void read_qwen35(ConfigObject& config, ModelSpec& spec);
void read_qwen35_moe(ConfigObject& config, ModelSpec& spec);
void read_llama4(ConfigObject& config, ModelSpec& spec);
void read_gemma4(ConfigObject& config, ModelSpec& spec);
void read_internlm(ConfigObject& config, ModelSpec& spec);
void read_internlm2(ConfigObject& config, ModelSpec& spec);
void read_baichuan(ConfigObject& config, ModelSpec& spec);
void read_qwen(ConfigObject& config, ModelSpec& spec);
void read_seed_oss(ConfigObject& config, ModelSpec& spec);
void read_smollm3(ConfigObject& config, ModelSpec& spec);
void read_exaone(ConfigObject& config, ModelSpec& spec);
void read_exaone4(ConfigObject& config, ModelSpec& spec);
void read_olmo3(ConfigObject& config, ModelSpec& spec);
void read_mimo(ConfigObject& config, ModelSpec& spec);
void read_ernie45(ConfigObject& config, ModelSpec& spec);
void read_nemotron(ConfigObject& config, ModelSpec& spec);
void read_stablelm(ConfigObject& config, ModelSpec& spec);
void read_starcoder2(ConfigObject& config, ModelSpec& spec);
void read_gpt_bigcode(ConfigObject& config, ModelSpec& spec);
void read_mpt(ConfigObject& config, ModelSpec& spec);
void read_cohere2(ConfigObject& config, ModelSpec& spec);
void read_olmoe(ConfigObject& config, ModelSpec& spec);
void read_deepseek_moe(ConfigObject& config, ModelSpec& spec);
void read_dots1(ConfigObject& config, ModelSpec& spec);
void read_ernie45_moe(ConfigObject& config, ModelSpec& spec);
void read_hunyuan_moe(ConfigObject& config, ModelSpec& spec);
void read_bailing_moe(ConfigObject& config, ModelSpec& spec);
void read_phimoe(ConfigObject& config, ModelSpec& spec);
void read_grok1(ConfigObject& config, ModelSpec& spec);
void read_glm4_moe_lite(ConfigObject& config, ModelSpec& spec);
void read_qwen2_vl(ConfigObject& config, ModelSpec& spec);
void read_qwen25_vl(ConfigObject& config, ModelSpec& spec);
void read_qwen3_vl(ConfigObject& config, ModelSpec& spec);
void read_qwen3_vl_moe(ConfigObject& config, ModelSpec& spec);

/// What every Granite multiplies embeddings, branches and logits by.
void read_granite_scales(ConfigObject& config, ModelSpec& spec);

}  // namespace dachlast
