#include "core/model/tensor_names.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/model/small_models.h"

namespace dachlast {
namespace {

using testing::ElementsAre;

/// "name rows x columns", with "T" where the tensor is stored transposed; in the order of the slots.
std::vector<std::string> all_tensors(const ModelSpec& model, const TensorPrefix& prefix) {
  std::vector<std::string> lines;
  for (const WeightSlot& slot : fused_weight_slots(model)) {
    const TensorRequest request = tensors_of(slot, model, prefix);
    for (const TensorPart& part : request.parts)
      lines.push_back(fmt::format("{} {}x{}{}", part.name, part.rows, part.columns,
                                  request.layout == PartLayout::kTransposed ? "T" : ""));
  }
  return lines;
}

std::vector<std::string> all_tensors(const ModelSpec& model) {
  return all_tensors(model, tensor_prefixes(model.naming).front());
}

// q has 3 heads · 4 = 12 rows, k and v 1 · 4 each; the output projection reads 12 columns.
TEST(TensorNames, Llama) {
  EXPECT_THAT(all_tensors(tiny_model(TensorNaming::kLlama)),
              ElementsAre("model.embed_tokens.weight 11x6", "model.layers.0.input_layernorm.weight 6x1",
                          "model.layers.0.self_attn.q_proj.weight 12x6", "model.layers.0.self_attn.k_proj.weight 4x6",
                          "model.layers.0.self_attn.v_proj.weight 4x6", "model.layers.0.self_attn.o_proj.weight 6x12",
                          "model.layers.0.post_attention_layernorm.weight 6x1",
                          "model.layers.0.mlp.gate_proj.weight 10x6", "model.layers.0.mlp.up_proj.weight 10x6",
                          "model.layers.0.mlp.down_proj.weight 6x10", "model.norm.weight 6x1", "lm_head.weight 11x6"));
}

TEST(TensorNames, BiasesAndQkNormAsInQwen) {
  EXPECT_THAT(
      all_tensors(tiny_qwen3()),
      ElementsAre("model.embed_tokens.weight 11x6", "model.layers.0.input_layernorm.weight 6x1",
                  "model.layers.0.self_attn.q_proj.weight 12x6", "model.layers.0.self_attn.k_proj.weight 4x6",
                  "model.layers.0.self_attn.v_proj.weight 4x6", "model.layers.0.self_attn.q_proj.bias 12x1",
                  "model.layers.0.self_attn.k_proj.bias 4x1", "model.layers.0.self_attn.v_proj.bias 4x1",
                  "model.layers.0.self_attn.q_norm.weight 4x1", "model.layers.0.self_attn.k_norm.weight 4x1",
                  "model.layers.0.self_attn.o_proj.weight 6x12", "model.layers.0.self_attn.o_proj.bias 6x1",
                  "model.layers.0.post_attention_layernorm.weight 6x1", "model.layers.0.mlp.gate_proj.weight 10x6",
                  "model.layers.0.mlp.up_proj.weight 10x6", "model.layers.0.mlp.gate_proj.bias 10x1",
                  "model.layers.0.mlp.up_proj.bias 10x1", "model.layers.0.mlp.down_proj.weight 6x10",
                  "model.layers.0.mlp.down_proj.bias 6x1", "model.norm.weight 6x1", "lm_head.weight 11x6"));
}

TEST(TensorNames, GemmaHasFourNorms) {
  EXPECT_THAT(
      all_tensors(tiny_gemma3()),
      ElementsAre("model.embed_tokens.weight 11x6", "model.layers.0.input_layernorm.weight 6x1",
                  "model.layers.0.self_attn.q_proj.weight 12x6", "model.layers.0.self_attn.k_proj.weight 4x6",
                  "model.layers.0.self_attn.v_proj.weight 4x6", "model.layers.0.self_attn.q_norm.weight 4x1",
                  "model.layers.0.self_attn.k_norm.weight 4x1", "model.layers.0.self_attn.o_proj.weight 6x12",
                  "model.layers.0.post_attention_layernorm.weight 6x1",
                  "model.layers.0.pre_feedforward_layernorm.weight 6x1", "model.layers.0.mlp.gate_proj.weight 10x6",
                  "model.layers.0.mlp.up_proj.weight 10x6", "model.layers.0.mlp.down_proj.weight 6x10",
                  "model.layers.0.post_feedforward_layernorm.weight 6x1", "model.norm.weight 6x1"));
}

TEST(TensorNames, PhiHasOneNormALayerAndAHeadBias) {
  EXPECT_THAT(all_tensors(tiny_phi()),
              ElementsAre("model.embed_tokens.weight 11x6", "model.layers.0.input_layernorm.weight 6x1",
                          "model.layers.0.input_layernorm.bias 6x1", "model.layers.0.self_attn.q_proj.weight 12x6",
                          "model.layers.0.self_attn.k_proj.weight 4x6", "model.layers.0.self_attn.v_proj.weight 4x6",
                          "model.layers.0.self_attn.q_proj.bias 12x1", "model.layers.0.self_attn.k_proj.bias 4x1",
                          "model.layers.0.self_attn.v_proj.bias 4x1", "model.layers.0.self_attn.dense.weight 6x12",
                          "model.layers.0.self_attn.dense.bias 6x1", "model.layers.0.mlp.fc1.weight 10x6",
                          "model.layers.0.mlp.fc1.bias 10x1", "model.layers.0.mlp.fc2.weight 6x10",
                          "model.layers.0.mlp.fc2.bias 6x1", "model.final_layernorm.weight 6x1",
                          "model.final_layernorm.bias 6x1", "lm_head.weight 11x6", "lm_head.bias 11x1"));
}

TEST(TensorNames, Phi3IsStoredFused) {
  EXPECT_THAT(
      all_tensors(tiny_model(TensorNaming::kPhi3)),
      ElementsAre("model.embed_tokens.weight 11x6", "model.layers.0.input_layernorm.weight 6x1",
                  "model.layers.0.self_attn.qkv_proj.weight 20x6", "model.layers.0.self_attn.o_proj.weight 6x12",
                  "model.layers.0.post_attention_layernorm.weight 6x1", "model.layers.0.mlp.gate_up_proj.weight 20x6",
                  "model.layers.0.mlp.down_proj.weight 6x10", "model.norm.weight 6x1", "lm_head.weight 11x6"));
}

TEST(TensorNames, Gpt2IsStoredTransposed) {
  EXPECT_THAT(all_tensors(tiny_gpt2(), {"", ""}),
              ElementsAre("wte.weight 11x6", "wpe.weight 16x6", "h.0.ln_1.weight 6x1", "h.0.ln_1.bias 6x1",
                          "h.0.attn.c_attn.weight 36x6T", "h.0.attn.c_attn.bias 36x1", "h.0.attn.c_proj.weight 6x12T",
                          "h.0.attn.c_proj.bias 6x1", "h.0.ln_2.weight 6x1", "h.0.ln_2.bias 6x1",
                          "h.0.mlp.c_fc.weight 10x6T", "h.0.mlp.c_fc.bias 10x1", "h.0.mlp.c_proj.weight 6x10T",
                          "h.0.mlp.c_proj.bias 6x1", "ln_f.weight 6x1", "ln_f.bias 6x1"));
}

TEST(TensorNames, OptHasAPositionTableWithItsOffset) {
  EXPECT_THAT(
      all_tensors(tiny_opt()),
      ElementsAre(
          "model.decoder.embed_tokens.weight 11x6", "model.decoder.embed_positions.weight 18x6",
          "model.decoder.layers.0.self_attn_layer_norm.weight 6x1",
          "model.decoder.layers.0.self_attn_layer_norm.bias 6x1", "model.decoder.layers.0.self_attn.q_proj.weight 12x6",
          "model.decoder.layers.0.self_attn.k_proj.weight 4x6", "model.decoder.layers.0.self_attn.v_proj.weight 4x6",
          "model.decoder.layers.0.self_attn.q_proj.bias 12x1", "model.decoder.layers.0.self_attn.k_proj.bias 4x1",
          "model.decoder.layers.0.self_attn.v_proj.bias 4x1", "model.decoder.layers.0.self_attn.out_proj.weight 6x12",
          "model.decoder.layers.0.self_attn.out_proj.bias 6x1", "model.decoder.layers.0.final_layer_norm.weight 6x1",
          "model.decoder.layers.0.final_layer_norm.bias 6x1", "model.decoder.layers.0.fc1.weight 10x6",
          "model.decoder.layers.0.fc1.bias 10x1", "model.decoder.layers.0.fc2.weight 6x10",
          "model.decoder.layers.0.fc2.bias 6x1", "model.decoder.final_layer_norm.weight 6x1",
          "model.decoder.final_layer_norm.bias 6x1"));
}

TEST(TensorNames, PostNormOptHasNoFinalNorm) {
  ModelSpec model = tiny_opt();
  model.wiring = BlockWiring::kPostNorm;
  model.final_norm = false;
  EXPECT_THAT(all_tensors(model), testing::Not(testing::Contains("model.decoder.final_layer_norm.weight 6x1")));
}

TEST(TensorNames, HeadOfATextModelInsideAnotherHasItsOwnPrefix) {
  const ModelSpec model = tiny_model(TensorNaming::kLlama);
  EXPECT_THAT(all_tensors(model, tensor_prefixes(model.naming)[2]),
              testing::IsSupersetOf({"language_model.model.norm.weight 6x1", "language_model.lm_head.weight 11x6"}));
}

}  // namespace
}  // namespace dachlast
