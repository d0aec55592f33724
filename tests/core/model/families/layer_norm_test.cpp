#include <gmock/gmock.h>

#include "core/model/weights.h"
#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LayerNormFamily : public ConfigTest {};

TEST_F(LayerNormFamily, NemotronHasNoGateAndRotatesHalf) {
  const ModelSpec spec = read(small_config("nemotron", R"("vocab_size": 100)"));
  EXPECT_EQ(attention_of(spec.layers[0]).rope->rotary_dim, 8);  // half of 16
  EXPECT_EQ(mlp_of(spec.layers[0]).gate, Gate::kNone);
  // Per layer 4 · 64² of attention, 2 · 64 · 96 of the MLP, 2 LayerNorms of 2 · 64; embeddings, head and the last norm.
  EXPECT_EQ(parameter_count(spec), 2 * (4 * 64 * 64 + 2 * 64 * 96 + 4 * 64) + 2 * 100 * 64 + 2 * 64);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(LayerNormFamily, StableLmMayShareOneNormBetweenBranches) {
  const std::string sizes = R"("num_key_value_heads": 2, "vocab_size": 100)";
  const double sequential = parameter_count(read(small_config("stablelm", sizes)));
  const double parallel = parameter_count(read(small_config("stablelm", sizes + R"(, "use_parallel_residual": true)")));
  EXPECT_EQ(sequential - parallel, 2 * 2 * 64);  // one LayerNorm less in each of 2 layers
}

TEST_F(LayerNormFamily, StarCoderHasLearnedPositionsAndOneKvHead) {
  const ModelSpec spec = read(R"({"model_type": "gpt_bigcode", "n_embd": 64, "n_head": 4, "n_layer": 1,
      "n_positions": 32, "vocab_size": 100})");
  EXPECT_EQ(spec.n_learned_positions, 32);
  EXPECT_EQ(attention_of(spec.layers[0]).n_kv_heads, 1);
  EXPECT_EQ(mlp_of(spec.layers[0]).d_ff, 256);  // 4 · 64
  EXPECT_TRUE(spec.tied_embeddings);
}

TEST_F(LayerNormFamily, MptHasNoBiasesAndAlibi) {
  const std::string sizes = R"({"model_type": "mpt", "d_model": 64, "n_heads": 4, "n_layers": 1, "vocab_size": 100, )";
  const ModelSpec spec = read(sizes + R"("attn_config": {"alibi": true}})");
  // Tied embeddings, one layer of 4 · 64² and 2 · 64 · 256, three norms without a bias.
  EXPECT_EQ(parameter_count(spec), 100 * 64 + 4 * 64 * 64 + 2 * 64 * 256 + 3 * 64);
  EXPECT_TRUE(attention_of(spec.layers[0]).alibi);
  EXPECT_THAT(error_of(sizes + R"("no_bias": false, "attn_config": {}})"), HasSubstr("no_bias"));
}

TEST_F(LayerNormFamily, ThreeOfFourCohere2LayersSlide) {
  const ModelSpec spec = read(R"({"model_type": "cohere2", "hidden_size": 64, "intermediate_size": 96,
      "num_attention_heads": 4, "num_hidden_layers": 4, "sliding_window": 32, "vocab_size": 100})");
  std::vector<int> windows;
  for (const LayerSpec& layer : spec.layers) windows.push_back(attention_of(layer).window);
  EXPECT_THAT(windows, ElementsAre(32, 32, 32, 0));
  EXPECT_FALSE(attention_of(spec.layers[3]).rope);
}

}  // namespace
}  // namespace dachlast
