#include "core/planner/llamacpp_layout.h"

#include <gtest/gtest.h>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

DeviceMemory on_one_gpu(const char* model, const char* type, const char* cache) {
  return LlamaCppLayout(resolve_model(model).spec, *gguf_mix(type), *cache_format(cache), 1, 512).at(8192, 1);
}

// DeepSeek V2 Lite: 27 layers keep a latent of 512 and a rotated key of 64; values are read from the same rows.
TEST(LlamaCppLayout, LatentsAreKeptOnce) {
  EXPECT_DOUBLE_EQ(on_one_gpu("deepseek-v2-lite", "Q4_K - Medium", "f16").kv_cache, 27.0 * 576 * 2 * 8192);
}

// Llama 3.1 8B: 32 layers, keys and values of 8 heads of 128.
TEST(LlamaCppLayout, HeadsKeepKeysAndValues) {
  EXPECT_DOUBLE_EQ(on_one_gpu("llama-3.1-8b", "Q4_K - Medium", "f16").kv_cache, 32.0 * 2 * 1024 * 2 * 8192);
}

}  // namespace
}  // namespace dachlast
