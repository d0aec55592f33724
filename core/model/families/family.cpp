#include "core/model/families/family.h"

#include <array>

namespace dachlast {

std::span<const ModelFamily> model_families() {
  static constexpr std::array families = {ModelFamily{"llama", read_llama},
                                          ModelFamily{"mistral", read_mistral},
                                          ModelFamily{"qwen2", read_qwen2},
                                          ModelFamily{"qwen3", read_qwen3},
                                          ModelFamily{"gemma", read_gemma},
                                          ModelFamily{"gemma2", read_gemma2},
                                          ModelFamily{"gemma3", read_gemma3},
                                          ModelFamily{"gemma3_text", read_gemma3_text},
                                          ModelFamily{"phi", read_phi},
                                          ModelFamily{"phi-msft", read_phi},
                                          ModelFamily{"phi3", read_phi3},
                                          ModelFamily{"ministral3", read_ministral3},
                                          ModelFamily{"mistral3", read_mistral3},
                                          ModelFamily{"mllama", read_mllama},
                                          ModelFamily{"gpt2", read_gpt2},
                                          ModelFamily{"opt", read_opt},
                                          ModelFamily{"granite", read_granite},
                                          ModelFamily{"olmo2", read_olmo2},
                                          ModelFamily{"nemotron-nas", read_deci},
                                          ModelFamily{"cohere", read_cohere},
                                          ModelFamily{"falcon", read_falcon},
                                          ModelFamily{"bloom", read_bloom},
                                          ModelFamily{"gptj", read_gptj},
                                          ModelFamily{"gpt_neox", read_gpt_neox},
                                          ModelFamily{"glm", read_glm},
                                          ModelFamily{"glm4", read_glm4},
                                          ModelFamily{"chatglm", read_chatglm},
                                          ModelFamily{"mixtral", read_mixtral},
                                          ModelFamily{"dbrx", read_dbrx},
                                          ModelFamily{"qwen2_moe", read_qwen2_moe},
                                          ModelFamily{"qwen3_moe", read_qwen3_moe},
                                          ModelFamily{"glm4_moe", read_glm4_moe},
                                          ModelFamily{"gpt_oss", read_gpt_oss},
                                          ModelFamily{"minimax_m2", read_minimax_m2},
                                          ModelFamily{"mimo_v2_flash", read_mimo_v2},
                                          ModelFamily{"deepseek_v2", read_deepseek_v2},
                                          ModelFamily{"deepseek_v3", read_deepseek_v3},
                                          ModelFamily{"deepseek_v32", read_deepseek_v32},
                                          ModelFamily{"kimi_k2", read_deepseek_v3},
                                          ModelFamily{"glm_moe_dsa", read_glm_moe_dsa},
                                          ModelFamily{"jamba", read_jamba},
                                          ModelFamily{"granitemoehybrid", read_granite_hybrid},
                                          ModelFamily{"nemotron_h", read_nemotron_h},
                                          ModelFamily{"qwen3_next", read_qwen3_next},
                                          ModelFamily{"qwen3_5", read_qwen35},
                                          ModelFamily{"qwen3_5_moe", read_qwen35_moe},
                                          ModelFamily{"llama4", read_llama4},
                                          ModelFamily{"gemma4", read_gemma4}};
  return families;
}

}  // namespace dachlast
