#include "core/memory/memory_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "kernels/attention.h"

namespace dachlast {
namespace {

using ::testing::HasSubstr;

constexpr Precision k16Bit{DType::kBF16, {KvFormat::kBF16}};

/// A model of equal layers with gated MLP, RMSNorm and RoPE.
ModelSpec llama_like(int n_layers, int d_model, int n_heads, int n_kv_heads, int d_ff, int vocab_size) {
  ModelSpec model;
  model.d_model = d_model;
  model.vocab_size = vocab_size;
  model.max_context = 131'072;
  const int head_dim = d_model / n_heads;
  LayerSpec layer;
  attention_of(layer).n_heads = n_heads;
  attention_of(layer).n_kv_heads = n_kv_heads;
  attention_of(layer).head_dim = head_dim;
  attention_of(layer).rope = RopeSpec{10000.0, head_dim, {}};
  mlp_of(layer).d_ff = d_ff;
  model.layers.assign(static_cast<std::size_t>(n_layers), layer);
  return model;
}

ModelSpec llama_2_7b() {
  return llama_like(32, 4096, 32, 32, 11008, 32000);
}
ModelSpec llama_3_1_8b() {
  return llama_like(32, 4096, 32, 8, 14336, 128256);
}

/// GPT-2: LayerNorm, biases, plain MLP, learned positions, tied embeddings.
ModelSpec gpt2() {
  ModelSpec model = llama_like(12, 768, 12, 12, 3072, 50257);
  model.max_context = 1024;
  model.n_learned_positions = 1024;
  model.tied_embeddings = true;
  model.norm.kind = NormKind::kLayer;
  for (LayerSpec& layer : model.layers) {
    attention_of(layer).rope.reset();
    attention_of(layer).qkv_bias = attention_of(layer).o_bias = true;
    mlp_of(layer) = {3072, Activation::kGeluTanh, Gate::kNone, true};
  }
  return model;
}

TEST(Weights, Llama2With7BillionParametersTakes13_48GBIn16Bit) {
  // 2·32000·4096 + 32·(4·4096² + 3·4096·11008) + 65·4096 = 6,738,415,616 parameters, 266,240 of them in norms.
  const MemorySegment weights = weight_segment(llama_2_7b(), DType::kBF16);
  EXPECT_DOUBLE_EQ(weights.bytes.value, 6'738'149'376.0 * 2 + 266'240.0 * 4);
  EXPECT_NEAR(weights.bytes.value / 1e9, 13.48, 0.005);
  EXPECT_NEAR(weights.bytes.value / kGiB, 12.55, 0.005);
  EXPECT_EQ(weights.formula, "6,738,149,376 parameters × 2 B + 266,240 in norms and biases × 4 B");
  EXPECT_EQ(weights.origin, Origin::kExact);
}

TEST(Weights, Llama31With8BillionParametersTakes14_96GiBIn16Bit) {
  // 8,030,261,248 parameters · 2 B = 14.957 GiB; norms in f32 add 266,240 · 2 B = 0.0005 GiB.
  EXPECT_NEAR(weight_segment(llama_3_1_8b(), DType::kBF16).bytes.value / kGiB, 14.958, 0.001);
}

TEST(Weights, QuantizedOnesAreCountedWithTheirScales) {
  // 8,030,261,248 − 266,240 in norms = 8,029,995,008 weights of 4 bits and 16 for 32 of them: 4.5 bits.
  const MemorySegment weights = weight_segment(llama_3_1_8b(), kInt4Groups32);
  EXPECT_DOUBLE_EQ(weights.bytes.value, 8'029'995'008.0 * 4.5 / 8 + 266'240.0 * 4);
  EXPECT_EQ(weights.formula, "8,029,995,008 weights × 4.5 bits with scales + 266,240 in norms and biases × 4 B");
}

TEST(Weights, Gpt2InSinglePrecision) {
  const MemorySegment weights = weight_segment(gpt2(), DType::kF32);
  EXPECT_DOUBLE_EQ(weights.bytes.value, 124'439'808.0 * 4);  // the published 124 M, tied head counted once
  EXPECT_EQ(weights.formula, "124,439,808 parameters × 4 B");
}

TEST(KvCache, FourThousandTokensTakeHalfAGibibyteWith8KvHeadsAndTwoWith32) {
  // 2 · 32 layers · 8 KV heads · 128 · 2 B = 131,072 B per token; · 4096 = 0.5 GiB. With 32 KV heads four times that.
  EXPECT_DOUBLE_EQ(kv_bytes_per_token(llama_3_1_8b(), DType::kBF16).value, 131'072.0);
  EXPECT_DOUBLE_EQ(kv_bytes_per_token(llama_3_1_8b(), DType::kBF16).value * 4096 / kGiB, 0.5);
  EXPECT_DOUBLE_EQ(kv_bytes_per_token(llama_2_7b(), DType::kBF16).value * 4096 / kGiB, 2.0);
  EXPECT_DOUBLE_EQ(kv_bytes_per_token(llama_2_7b(), DType::kBF16).value * 32'768 / kGiB, 16.0);
}

TEST(KvCache, FormulaHasItsNumbersFilledIn) {
  EXPECT_EQ(kv_formula(llama_3_1_8b(), DType::kBF16), "2 × 32 layers × 8 KV heads × 128 × 2 B = 128 KiB per token");
  EXPECT_EQ(kv_formula(gpt2(), DType::kF32), "2 × 12 layers × 12 KV heads × 64 × 4 B = 72 KiB per token");
}

TEST(KvCache, LayersOfDifferentWidthAreAddedUp) {
  ModelSpec model = llama_like(3, 512, 8, 4, 1024, 1000);
  attention_of(model.layers[1]).n_kv_heads = 1;
  // (2 + 2) · 2 · 4 · 64 … : 2·2·4·64·4 = 4096 B and 2·1·1·64·4 = 512 B
  EXPECT_DOUBLE_EQ(kv_bytes_per_token(model, DType::kF32).value, 4608.0);
  EXPECT_EQ(kv_formula(model, DType::kF32),
            "2 × 2 layers × 4 KV heads × 64 × 4 B + 2 × 1 layers × 1 KV heads × 64 × 4 B = 4.5 KiB per token");
}

TEST(KvCache, SegmentHoldsEverySequenceAtFullCapacity) {
  const MemorySegment cache = kv_cache_segment(
      llama_3_1_8b(), {.precision = k16Bit, .batch_size = 8, .capacity_tokens = 32'768, .attention_variant = {}});
  EXPECT_DOUBLE_EQ(cache.bytes.value / kGiB, 32.0);  // 8 · 32,768 · 128 KiB
  EXPECT_THAT(cache.formula, HasSubstr("8 × 32,768 tokens; 2 × 32 layers"));
}

MemoryScenario gpt2_scenario() {
  return {.precision = {}, .batch_size = 2, .capacity_tokens = 512, .max_step_tokens = 128, .attention_variant = {}};
}

TEST(Activations, AreTheSumOfTheBuffersOfTheLargestStep) {
  // Per token: ids 4 B; residual, normed, attended, branch 768 floats each; qkv 2304; mlp_up and mlp_hidden 3072 each.
  const double per_token = 4 + 4.0 * (4 * 768 + 2304 + 2 * 3072);
  EXPECT_DOUBLE_EQ(activation_segment(gpt2(), gpt2_scenario()).bytes.value, 2 * 128 * per_token);
}

TEST(Activations, AStepIsNeverLongerThanTheCache) {
  MemoryScenario scenario = gpt2_scenario();
  scenario.max_step_tokens = 4096;
  scenario.capacity_tokens = 128;
  EXPECT_DOUBLE_EQ(activation_segment(gpt2(), scenario).bytes.value,
                   activation_segment(gpt2(), gpt2_scenario()).bytes.value);
}

TEST(Workspace, HoldsLogitsOfTheRowsThatAreComputed) {
  MemoryScenario last = gpt2_scenario();
  MemoryScenario all = gpt2_scenario();
  all.logits = LogitsFor::kAllTokens;
  // 2 · 128 rows instead of 2, 50257 floats each; the ids chosen stay 2.
  EXPECT_DOUBLE_EQ(workspace_segment(gpt2(), all).bytes.value - workspace_segment(gpt2(), last).bytes.value,
                   (2 * 128 - 2) * 50257 * 4.0);
}

TEST(Workspace, EveryThreadHasItsAttentionScratch) {
  MemoryScenario one = gpt2_scenario();
  MemoryScenario three = gpt2_scenario();
  three.n_threads = 3;
  const AttentionShape shape{2, 128, 512, 12, 12, 64, 0, {KvFormat::kF32}};
  const double scratch =
      4.0 * static_cast<double>(kernels::planned_scratch_floats(kernels::KvFormat::kF32, kernels::sizes_of(shape)));
  EXPECT_DOUBLE_EQ(workspace_segment(gpt2(), three).bytes.value - workspace_segment(gpt2(), one).bytes.value,
                   2 * scratch);
}

TEST(MemorySegments, AddUpInOrder) {
  const auto segments = memory_segments(gpt2(), gpt2_scenario());
  ASSERT_EQ(segments.size(), 4u);
  EXPECT_EQ(segments[0].name, "weights");
  EXPECT_EQ(segments[1].name, "KV cache");
  EXPECT_EQ(segments[2].name, "activations");
  EXPECT_EQ(segments[3].name, "workspace");
  double sum = 0;
  for (const MemorySegment& segment : segments) sum += segment.bytes.value;
  EXPECT_DOUBLE_EQ(total_bytes(segments).value, sum);
}

TEST(MemorySegments, RefuseSizesThatAreNotPositiveOrBeyondTheModel) {
  for (int MemoryScenario::*size : {&MemoryScenario::batch_size, &MemoryScenario::capacity_tokens,
                                    &MemoryScenario::max_step_tokens, &MemoryScenario::n_threads}) {
    MemoryScenario scenario = gpt2_scenario();
    scenario.*size = 0;
    EXPECT_THROW(memory_segments(gpt2(), scenario), Error);
  }
  MemoryScenario scenario = gpt2_scenario();
  scenario.capacity_tokens = 1025;  // GPT-2 ends at 1024
  EXPECT_THROW(memory_segments(gpt2(), scenario), Error);
}

}  // namespace
}  // namespace dachlast
