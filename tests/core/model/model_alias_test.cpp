#include "core/model/model_alias.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

PresetSource preset(std::string name, std::optional<double> parameters = {}) {
  return {std::move(name), "", "", "", parameters, ""};
}

const std::vector<PresetSource> kPresets = {
    preset("deepseek-r1", 671026419200.0),
    preset("deepseek-v2"),
    preset("deepseek-v2-lite"),
    preset("deepseek-v3", 671026419200.0),
    preset("deepseek-v3.2"),
    preset("gemma-3-27b"),
    preset("gemma-4-26b-a4b"),
    preset("glm-4.5"),
    preset("glm-4.5-air"),
    preset("gpt-oss-120b"),
    preset("gpt-oss-20b"),
    preset("kimi-k2"),
    preset("llama-1-30b"),
    preset("llama-1-65b"),
    preset("llama-2-13b", 13015864320.0),
    preset("llama-2-70b", 68976648192.0),
    preset("llama-2-7b", 6738415616.0),
    preset("llama-3-8b"),
    preset("llama-3.1-70b"),
    preset("llama-3.1-70b-fp8"),
    preset("llama-3.1-8b"),
    preset("llama-4-scout-17b-16e"),
    preset("llama-4-scout-fp8"),
    preset("minimax-m2.5"),
    preset("mistral-7b-v0.1"),
    preset("mistral-7b-v0.3"),
    preset("mistral-small-24b"),
    preset("mixtral-8x7b"),
    preset("phi-4"),
    preset("phi-4-mini"),
    preset("qwen2.5-14b"),
    preset("qwen2.5-7b"),
    preset("qwen2.5-7b-instruct"),
    preset("qwen3-235b-a22b"),
    preset("qwen3-235b-a22b-nvfp4"),
    preset("qwen3-30b-a3b"),
    preset("qwen3-32b"),
    preset("qwen3-32b-fp8"),
    preset("qwen3.5-35b-a3b"),
    preset("tinyllama-1.1b"),
};

std::string found(std::string_view text, std::optional<double> parameters = {}) {
  return preset_for_model_text(text, kPresets, parameters).value_or("-");
}

TEST(ModelAlias, LeavesOutPublisherTuningDateAndDataType) {
  EXPECT_EQ(found("meta-llama/Llama-3.1-8B-Instruct"), "llama-3.1-8b");
  EXPECT_EQ(found("Meta_Llama_3.1_8b_it"), "llama-3.1-8b");
  EXPECT_EQ(found("Llama 3.1:70b"), "llama-3.1-70b");
  EXPECT_EQ(found("LLaMA v3.1 8B"), "llama-3.1-8b");
  EXPECT_EQ(found("TheBloke/Mixtral-8x7B-Instruct-v0.1-AWQ"), "mixtral-8x7b");
  EXPECT_EQ(found("Qwen/Qwen3-235B-A22B-Instruct-2507-FP8"), "qwen3-235b-a22b");
  EXPECT_EQ(found("nvidia/Qwen3-32B-NVFP4"), "qwen3-32b");
  EXPECT_EQ(found("Qwen3-235B-A22B-128K"), "qwen3-235b-a22b");
  EXPECT_EQ(found("DeepSeek V3 0324"), "deepseek-v3");
  EXPECT_EQ(found("unsloth_DeepSeek R1 BF16"), "deepseek-r1");
  EXPECT_EQ(found("DeepSeek-R1-0528-FP4-V2"), "deepseek-r1");
  EXPECT_EQ(found("Gemma-3-27B-It"), "gemma-3-27b");
  EXPECT_EQ(found("qwen2.5:7b"), "qwen2.5-7b");
}

TEST(ModelAlias, SizesMustAgree) {
  EXPECT_EQ(found("DeepSeek R1 671B"), "deepseek-r1");
  EXPECT_EQ(found("Llama-3.2-90B-Vision-Instruct"), "-");
  EXPECT_EQ(found("Gemma 4 31B"), "-");
  EXPECT_EQ(found("Qwen/Qwen3.5-9B"), "-");
  EXPECT_EQ(found("Mistral-Medium-3.5-128B"), "-");
}

TEST(ModelAlias, LaterReleasesOfOneArchitectureShareItsPreset) {
  EXPECT_EQ(found("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic"), "llama-3.1-70b");
  EXPECT_EQ(found("Qwen 3.6 35B-A3B"), "qwen3.5-35b-a3b");
  EXPECT_EQ(found("zai-org/GLM-4.6-FP8"), "glm-4.5");
  EXPECT_EQ(found("moonshotai/Kimi-K2.5"), "kimi-k2");
  EXPECT_EQ(found("MiniMax-M2.7-AWQ"), "minimax-m2.5");
  EXPECT_EQ(found("Mistral-Small-3.2-24B-Instruct-2506"), "mistral-small-24b");
  EXPECT_EQ(found("DeepSeek-V3.1"), "deepseek-v3");
  EXPECT_EQ(found("deepseek-ai/DeepSeek-V3.2"), "deepseek-v3.2");
}

TEST(ModelAlias, DistillationsAreTheModelsTheyWereMadeOf) {
  EXPECT_EQ(found("DeepSeek R1 14b"), "qwen2.5-14b");
  EXPECT_EQ(found("deepseek-ai/DeepSeek-R1-Distill-Llama-70B"), "llama-3.1-70b");
}

TEST(ModelAlias, TheFirstLlamasHadNoNumber) {
  EXPECT_EQ(found("LLaMA 7B"), "llama-2-7b");  // same shapes
  EXPECT_EQ(found("LLaMA 1 13B"), "llama-2-13b");
  EXPECT_EQ(found("LLaMA 1 30B"), "llama-1-30b");
  EXPECT_EQ(found("LLaMA 65B"), "llama-1-65b");
  EXPECT_EQ(found("LLaMA 70B"), "llama-2-70b");
}

TEST(ModelAlias, ParametersDecideWhereNoSizeIsNamed) {
  EXPECT_EQ(found("LLaMA v2", 13.016e9), "llama-2-13b");
  EXPECT_EQ(found("LLaMA v2"), "-");
}

TEST(ModelAlias, VariantsAreKeptApart) {
  EXPECT_EQ(found("microsoft/phi-4"), "phi-4");
  EXPECT_EQ(found("Phi-4-mini-instruct"), "phi-4-mini");
  EXPECT_EQ(found("DeepSeek-V2-Lite-Chat"), "deepseek-v2-lite");
  EXPECT_EQ(found("zai-org/GLM-4.5-Air"), "glm-4.5-air");
  EXPECT_EQ(found("Llama 4 Scout"), "llama-4-scout-17b-16e");
  EXPECT_EQ(found("DeepSeek V2/V3 (per layer, 256-byte aligned)"), "-");
}

TEST(ModelAlias, RemarksCountWhereTheNameAloneSaysTooLittle) {
  EXPECT_EQ(found("DeepSeek R1 (general.name not in excerpt)"), "deepseek-r1");
  EXPECT_EQ(found("Qwen3 (size not in retrieved text; weights match 30B-A3B bf16)"), "qwen3-30b-a3b");
}

TEST(ModelAlias, UnknownModelsStayUnknown) {
  EXPECT_EQ(found("Falcon 180B"), "-");
  EXPECT_EQ(found(""), "-");
  EXPECT_EQ(found("///"), "-");
}

}  // namespace
}  // namespace dachlast
