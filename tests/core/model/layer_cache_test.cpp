#include "core/model/layer_cache.h"

#include <gtest/gtest.h>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

struct Sum {
  double per_token = 0.0;  // elements
  double conv = 0.0;
  double recurrent = 0.0;
};

Sum sum_of(const std::string& preset) {
  Sum sum;
  for (const LayerSpec& layer : resolve_model(preset).spec.layers) {
    const LayerCache cache = layer_cache(layer);
    sum.per_token += cache.elements_per_token();
    sum.conv += cache.conv_state_elements;
    sum.recurrent += cache.recurrent_state_elements;
  }
  return sum;
}

LayerCache cache_of(const std::string& preset, std::size_t layer) {
  return layer_cache(resolve_model(preset).spec.layers.at(layer));
}

TEST(LayerCache, GroupedHeads) {
  EXPECT_EQ(sum_of("llama-3.1-8b").per_token * 2, 131072);  // 2 · 32 layers · 8 KV heads · 128 · 2 B
  EXPECT_EQ(cache_of("llama-3.1-8b", 0).n_kv_heads, 8);
  EXPECT_EQ(sum_of("falcon-7b").per_token, 2 * 32 * 64);  // one KV head
}

TEST(LayerCache, LatentAttentionKeepsOneLatentAndOneRotatedKey) {
  const LayerCache cache = cache_of("deepseek-v3", 0);
  EXPECT_EQ(cache.elements_per_token(), 576);  // 512 + 64
  EXPECT_EQ(cache.v_elements_per_token, 0);
  EXPECT_EQ(cache.n_kv_heads, 1);
  EXPECT_EQ(sum_of("deepseek-r1").per_token * 2, 70272);  // 61 · 576 · 2 B
}

TEST(LayerCache, SparseAttentionKeepsIndexKeysToo) {
  EXPECT_EQ(cache_of("deepseek-v3.2", 60).index_elements_per_token, 128);
  EXPECT_EQ(cache_of("deepseek-v3.2", 60).k_elements_per_token, 576);
}

TEST(LayerCache, LinearAttentionKeepsAState) {
  // 10 of 40 layers attend: 2 · 10 · 2 KV heads · 256 · 2 B; published as 20,480 B for Qwen 3.6 35B-A3B, its equal.
  EXPECT_EQ(sum_of("qwen3.5-35b-a3b").per_token * 2, 20480);
  const LayerCache linear = cache_of("qwen3.5-35b-a3b", 0);
  EXPECT_EQ(linear.elements_per_token(), 0);
  EXPECT_EQ(linear.recurrent_state_elements, 32 * 128 * 128);                  // value heads · k · v
  EXPECT_EQ(linear.conv_state_elements, (2 * 16 * 128 + 32 * 128) * (4 - 1));  // q, k and v of three tokens
  EXPECT_EQ(linear.recurrent_dtype, DType::kF32);                              // "mamba_ssm_dtype"
}

TEST(LayerCache, MambaKeepsAState) {
  // Jamba: 4 of 32 layers attend with 8 KV heads of 128; 28 keep 8192 channels · 16 and three tokens of them.
  const Sum jamba = sum_of("jamba-v0.1");
  EXPECT_EQ(jamba.per_token, 4 * 2 * 8 * 128);
  EXPECT_EQ(jamba.recurrent, 28 * 8192 * 16);
  EXPECT_EQ(jamba.conv, 28 * 8192 * 3);
  // Granite 4: 36 layers of 48 heads · 64 · 128; the convolution also sees B and C of one group.
  const Sum granite = sum_of("granite-4.0-h-tiny");
  EXPECT_EQ(granite.per_token, 4 * 2 * 4 * 128);
  EXPECT_EQ(granite.recurrent, 36 * 48 * 64 * 128);
  EXPECT_EQ(granite.conv, 36 * (48 * 64 + 2 * 128) * 3);
  // Nemotron-H 8B: 24 Mamba layers of 128 heads · 64 · 128 and 8 groups, 4 of attention, the rest MLPs.
  const Sum nemotron = sum_of("nemotron-h-8b");
  EXPECT_EQ(nemotron.per_token, 4 * 2 * 8 * 128);
  EXPECT_EQ(nemotron.recurrent, 24 * 128 * 64 * 128);
  EXPECT_EQ(nemotron.conv, 24 * (128 * 64 + 2 * 8 * 128) * 3);
}

TEST(LayerCache, WindowsAndChunksEndWhatIsReachable) {
  EXPECT_EQ(cache_of("gpt-oss-20b", 0).window, 128);
  EXPECT_EQ(cache_of("gpt-oss-20b", 1).window, 0);
  EXPECT_EQ(cache_of("llama-4-scout-17b-16e", 0).window, 8192);  // a chunk
  EXPECT_EQ(cache_of("llama-4-scout-17b-16e", 3).window, 0);     // every fourth layer sees all
  EXPECT_EQ(cache_of("gemma-4-26b-a4b", 0).window, 1024);
}

TEST(LayerCache, HeadsDifferFromLayerToLayer) {
  // Gemma 4: 8 KV heads of 256 that slide, 2 of 512 that do not; K and V are kept though one projection yields both.
  EXPECT_EQ(cache_of("gemma-4-26b-a4b", 0).elements_per_token(), 2 * 8 * 256);
  EXPECT_EQ(cache_of("gemma-4-26b-a4b", 5).elements_per_token(), 2 * 2 * 512);
  // MiMo V2: keys of 192, values of 128.
  EXPECT_EQ(cache_of("mimo-v2-flash", 0).elements_per_token(), 4 * (192 + 128));
  EXPECT_EQ(cache_of("mimo-v2-flash", 1).elements_per_token(), 8 * (192 + 128));
  // Nemotron Super: 49 of 80 layers kept their attention.
  EXPECT_EQ(sum_of("llama-3.3-nemotron-super-49b").per_token, 49 * 2 * 8 * 128);
}

TEST(LayerCache, ALayerThatReadsAnothersKeepsNothing) {
  LayerSpec layer;
  layer.mixer = AttentionSpec{.n_heads = 8, .n_kv_heads = 4, .head_dim = 64, .shares_kv_with = 3};
  EXPECT_EQ(layer_cache(layer).elements_per_token(), 0);
  EXPECT_EQ(layer_cache(layer).n_kv_heads, 0);
}

}  // namespace
}  // namespace dachlast
