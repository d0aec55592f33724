#include "core/memory/llamacpp_kv.h"

#include <gtest/gtest.h>

#include "tests/core/memory/llamacpp_shapes.h"

namespace dachlast {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

TEST(LlamaCppKv, GroupedHeadsTakeTheirOwnWidth) {
  LlamaCppRun run;
  run.n_ctx = 8192;
  const LlamaCppKv kv = llamacpp_kv(llama_3_8b_shape(), run);
  // 32 layers · 8192 tokens · 8 heads · 128 · 2 B = 512 MiB each.
  EXPECT_EQ(kv.k_bytes, 512 * kMiB);
  EXPECT_EQ(kv.v_bytes, 512 * kMiB);
}

TEST(LlamaCppKv, LayersAreDividedOverGpusTheOutputCountingAsOne) {
  LlamaCppRun run;
  run.n_ctx = 8192;
  run.n_gpus = 4;
  run.gpu_layers = 33;
  // Of 33 parts GPU 0 gets those with i / 33 < 1/4: i = 0 … 8, nine layers; GPU 3 the last seven and the output.
  const std::vector<std::int64_t> expected = {9 * 32 * kMiB, 8 * 32 * kMiB, 8 * 32 * kMiB, 7 * 32 * kMiB, 0};
  EXPECT_EQ(llamacpp_kv(llama_3_8b_shape(), run).device_bytes, expected);
}

TEST(LlamaCppKv, TheContextIsRoundedUpForFlashAttention) {
  LlamaCppRun run;
  run.program = LlamaCppProgram::kIk;
  run.n_ctx = 1000;
  EXPECT_EQ(llamacpp_sizes(run).n_ctx, 1024);  // 32 · 32
  run.n_ctx = 1100;
  EXPECT_EQ(llamacpp_sizes(run).n_ctx, 1120);  // 35 · 32
  run.attention = LlamaCppAttention::kFlash;
  EXPECT_EQ(llamacpp_sizes(run).n_ctx, 1280);  // 5 · 256
}

TEST(LlamaCppKv, LatentModesOfTheFork) {
  LlamaCppRun run;
  run.program = LlamaCppProgram::kIk;
  run.n_ctx = 2048;
  const GgufShape shape = deepseek_v3_shape();
  // Full heads: 61 layers · 2048 tokens · 128 heads · (192 K, 128 V) · 2 B.
  EXPECT_EQ(llamacpp_kv(shape, run).k_bytes, 5856 * kMiB);
  EXPECT_EQ(llamacpp_kv(shape, run).v_bytes, 3904 * kMiB);
  // Latents of 512 and a rotated key of 64: 61 · 2048 · 576 · 2 B = 137.25 MiB; mode 1 keeps 512 of them transposed too.
  run.mla_mode = 1;
  EXPECT_EQ(llamacpp_kv(shape, run).k_bytes, 137 * kMiB + kMiB / 4);
  EXPECT_EQ(llamacpp_kv(shape, run).v_bytes, 122 * kMiB);
  run.mla_mode = 3;
  run.attention = LlamaCppAttention::kFlash;
  EXPECT_EQ(llamacpp_kv(shape, run).k_bytes, 137 * kMiB + kMiB / 4);
  EXPECT_EQ(llamacpp_kv(shape, run).v_bytes, 0);
}

TEST(LlamaCppKv, ValuesOfLatentsAreAViewOfTheKeysSinceJanuary2026) {
  LlamaCppRun run;
  run.n_ctx = 2048;
  run.attention = LlamaCppAttention::kFlash;
  run.latent = LatentMatrices::kSplit;
  const GgufShape shape = deepseek_v3_shape();
  EXPECT_EQ(llamacpp_kv(shape, run).k_bytes, 137 * kMiB + kMiB / 4);
  EXPECT_EQ(llamacpp_kv(shape, run).v_bytes, 122 * kMiB);
  run.latent_values = LatentValues::kViewOfKeys;
  EXPECT_EQ(llamacpp_kv(shape, run).k_bytes, 137 * kMiB + kMiB / 4);
  EXPECT_EQ(llamacpp_kv(shape, run).v_bytes, 0);
}

TEST(LlamaCppKv, QuantizedLatentsTakeWholeBlocksAndPaddingOnTheGpu) {
  LlamaCppRun run;
  run.program = LlamaCppProgram::kIk;
  run.attention = LlamaCppAttention::kFlash;
  run.mla_mode = 3;
  run.n_ctx = 32768;
  run.n_gpus = 1;
  run.gpu_layers = 62;
  run.type_k = ggml_type("Q8_0");
  const LlamaCppKv kv = llamacpp_kv(deepseek_v3_shape(), run);
  // 576 elements are 18 blocks of 34 B: 61 · 32768 · 612 B = 1166.625 MiB; the GPU adds 14 blocks a layer.
  EXPECT_EQ(kv.k_bytes, std::int64_t{61} * 32768 * 612);
  EXPECT_EQ(kv.device_bytes[0], std::int64_t{61} * (32768 * 612 + 14 * 34));
}

TEST(LlamaCppKv, WindowedLayersKeepTheWindowAndAStep) {
  GgufShape shape = dense_shape(36, 2880, 45, 8, 2880, 201088);
  for (std::size_t i = 0; i < shape.layers.size(); i += 2) std::get<GgufAttention>(shape.layers[i].mixer).window = 128;
  LlamaCppRun run;
  run.n_ctx = 2 * 131072;
  run.n_sequences = 2;
  run.n_batch = run.n_ubatch = 1024;
  run.window_cache = WindowCache::kCapped;
  const LlamaCppKv kv = llamacpp_kv(shape, run);
  // Full layers: 18 · 262144 cells · 8 · 64 · 2 B = 4608 MiB. Windowed: pad256(128 + 1024) = 1280 cells a sequence.
  EXPECT_EQ(kv.k_bytes - kv.window_k_bytes, 4608 * kMiB);
  EXPECT_EQ(kv.window_k_bytes, std::int64_t{18} * 2 * 1280 * 8 * 64 * 2);
  run.window_cache = WindowCache::kFull;
  EXPECT_EQ(llamacpp_kv(shape, run).window_k_bytes, 4608 * kMiB);
}

TEST(LlamaCppKv, RecurrentLayersKeepStatesPerSequence) {
  GgufShape shape = dense_shape(2, 512, 8, 8, 1024, 1000);
  shape.layers[1].mixer = GgufRecurrent{.conv_elements = 3 * 1024, .state_elements = 16 * 1024};
  LlamaCppRun run;
  run.n_ctx = 1024;
  run.n_sequences = 4;
  // (3072 + 16384) · 4 B · 4 sequences
  EXPECT_EQ(llamacpp_kv(shape, run).state_bytes, (3072 + 16384) * 4 * 4);
  EXPECT_EQ(llamacpp_kv(shape, run).k_bytes, 1024 * 512 * 2);  // one layer of attention is left
}

}  // namespace
}  // namespace dachlast
