#include "core/memory/llamacpp.h"

#include <gtest/gtest.h>

#include "tests/core/memory/llamacpp_shapes.h"

namespace dachlast {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

GgufWeights weights_of(const GgufShape& shape, std::string_view file_type) {
  return gguf_weights(shape, *gguf_mix(file_type));
}

double mib(std::int64_t bytes) {
  return static_cast<double>(bytes) / kMiB;
}

TEST(LlamaCppCompute, ScratchOfA7BIsLogitsAndTheirInput) {
  const GgufShape shape = llama_2_7b_shape();
  LlamaCppRun run;
  run.program = LlamaCppProgram::kScratch;
  run.n_ctx = run.n_batch = 512;
  // 512 tokens · 32000 · 4 B = 62.5 MiB of logits beside 512 · 4096 · 4 B = 8 MiB.
  EXPECT_NEAR(mib(llamacpp_compute_bytes(shape, weights_of(shape, "Q4_0"), run)[0]), 70.5, 0.01);
}

TEST(LlamaCppCompute, ScratchOfA70BIsTwoHiddenLayersOfTheMlp) {
  const GgufShape shape = dense_shape(80, 8192, 64, 8, 28672, 32000);
  LlamaCppRun run;
  run.program = LlamaCppProgram::kScratch;
  run.n_ctx = run.n_batch = 512;
  // gate and up: 2 · 512 · 28672 · 4 B = 112 MiB; residual and norm: 2 · 512 · 8192 · 4 B = 32 MiB; mask 512 · 512 · 4 B
  // = 1 MiB.
  EXPECT_NEAR(mib(llamacpp_compute_bytes(shape, weights_of(shape, "F16"), run)[0]), 145.0, 0.01);
}

TEST(LlamaCppCompute, ScoresOfAllHeadsFillOneGpu) {
  const GgufShape shape = llama_3_8b_shape();
  LlamaCppRun run;
  run.n_ctx = 8192;
  run.n_gpus = 1;
  run.gpu_layers = 33;
  const auto bytes = llamacpp_compute_bytes(shape, weights_of(shape, "Q4_K_M"), run);
  // 8192 · 512 · 32 heads · 4 B = 512 MiB of scores, mask 16 MiB, and four tensors of 512 · 4096 · 4 B = 8 MiB: the
  // embeddings, residual, queries and what attention returns.
  EXPECT_NEAR(mib(bytes[0]), 560.0, 0.01);
  // Host: mask 16 MiB, embeddings 8 MiB, ids and positions.
  EXPECT_NEAR(mib(bytes[1]), 24.01, 0.005);
}

TEST(LlamaCppCompute, FourGpusInTurnKeepFourMasksAndInputs) {
  const GgufShape shape = llama_3_8b_shape();
  LlamaCppRun run;
  run.n_ctx = 8192;
  run.n_gpus = 4;
  run.gpu_layers = 33;
  const auto bytes = llamacpp_compute_bytes(shape, weights_of(shape, "Q4_K_M"), run);
  // One GPU's 560 MiB and three more masks of 16 MiB and inputs of 8 MiB, and 8 MiB that the input of one GPU frees.
  EXPECT_NEAR(mib(bytes[0]), 640.01, 0.005);
  EXPECT_NEAR(mib(bytes[4]), 72.02, 0.005);  // 4 · 16 + 8 MiB
}

TEST(LlamaCppCompute, FlashAttentionLeavesNoScores) {
  const GgufShape shape = llama_3_8b_shape();
  LlamaCppRun run;
  run.n_ctx = 8192;
  run.n_gpus = 1;
  run.gpu_layers = 33;
  run.attention = LlamaCppAttention::kFlash;
  const auto bytes = llamacpp_compute_bytes(shape, weights_of(shape, "Q4_K_M"), run);
  // Logits lead: 512 · 128256 · 4 B = 250.5 MiB and their input of 8 MiB.
  EXPECT_NEAR(mib(bytes[0]), 258.5, 8.01);
  EXPECT_GE(mib(bytes[0]), 258.5);
}

/// ik_llama.cpp with latents on the GPU and repacked experts on the host, as its guide runs DeepSeek.
LlamaCppRun deepseek_run(std::int64_t n_ctx, int n_ubatch) {
  LlamaCppRun run;
  run.program = LlamaCppProgram::kIk;
  run.attention = LlamaCppAttention::kFlash;
  run.mla_mode = 3;
  run.attention_batch_mib = 512;
  run.fused_experts = true;
  run.n_ctx = n_ctx;
  run.n_batch = run.n_ubatch = n_ubatch;
  run.n_gpus = 1;
  run.gpu_layers = 62;
  run.experts = ExpertPlace::kHost;
  run.expert_offload = ExpertOffload::kNever;
  return run;
}

TEST(LlamaCppCompute, ExpertsOnTheHostKeepTheirResultsThere) {
  const GgufShape shape = deepseek_v3_shape();
  const auto bytes = llamacpp_compute_bytes(shape, weights_of(shape, "Q4_K_M"), deepseek_run(32768, 4096));
  // Mask 32768 · 4096 · 4 B = 512 MiB, results of 8 experts 8 · 7168 · 4096 · 4 B = 896 MiB; ids and positions.
  EXPECT_NEAR(mib(bytes[1]), 1408.05, 0.01);
}

TEST(LlamaCppCompute, LatentsAreExpandedSomeHeadsAtATime) {
  const GgufShape shape = deepseek_v3_shape();
  LlamaCppRun run = deepseek_run(32768, 512);
  const GgufWeights weights = weights_of(shape, "Q4_K_M");
  const std::int64_t limited = llamacpp_compute_bytes(shape, weights, run)[0];
  // A limit of 512 MiB takes 128 · 256 · 32768 · 4 B = 4096 MiB of expanded keys and values in 8 parts of 16 heads. The
  // 16-bit keys (192) and values (128) of all parts stay: 128 · 320 · 32768 · 2 B = 2560 MiB. Beside them 512 MiB in
  // 32 bits, which the last part needs before the keys of that part exist, the rotated keys, queries and the mask.
  EXPECT_NEAR(mib(limited), 3393.0, 0.01);
  run.attention_batch_mib = 0;
  EXPECT_GT(mib(llamacpp_compute_bytes(shape, weights, run)[0]), 4096.0 + 1024.0);
}

TEST(LlamaCppCompute, FusedExpertsNeedOneResultLess) {
  const GgufShape shape = deepseek_v3_shape();
  const GgufWeights weights = weights_of(shape, "Q4_K_M");
  LlamaCppRun run = deepseek_run(32768, 4096);
  const std::int64_t fused = llamacpp_compute_bytes(shape, weights, run)[1];
  run.fused_experts = false;
  // gate and up stand beside each other: 8 · 2048 · 4096 · 4 B = 256 MiB each.
  EXPECT_NEAR(mib(llamacpp_compute_bytes(shape, weights, run)[1] - fused), 2 * 256.0, 0.01);
}

TEST(LlamaCppWeights, TheTokenTableStaysOnTheHost) {
  const GgufShape shape = llama_3_8b_shape();
  LlamaCppRun run;
  run.n_gpus = 1;
  run.gpu_layers = 33;
  const auto bytes = llamacpp_weight_bytes(shape, weights_of(shape, "Q4_K_M"), run);
  // 128256 · 4096 · 4.5 bit = 281.81 MiB of Q4_K.
  EXPECT_NEAR(mib(bytes[1]), 281.81, 0.005);
  EXPECT_NEAR(mib(bytes[0]), 4403.49, 0.005);
}

TEST(LlamaCppWeights, ATiedTableIsCopiedToTheDeviceOfTheHead) {
  GgufShape shape = dense_shape(4, 256, 4, 4, 512, 1024);
  shape.tied_embeddings = true;
  LlamaCppRun run;
  run.n_gpus = 1;
  run.gpu_layers = 5;
  const GgufWeights weights = weights_of(shape, "F16");
  const auto bytes = llamacpp_weight_bytes(shape, weights, run);
  EXPECT_EQ(bytes[1], 1024 * 256 * 2);
  EXPECT_EQ(bytes[0], weights.bytes());  // layers, norm, and the copy
}

TEST(LlamaCppOutput, HoldsOneTokensLogitsPerSequence) {
  LlamaCppRun run;
  run.n_sequences = 2;
  EXPECT_EQ(llamacpp_output_bytes(llama_3_8b_shape(), run), 2 * 128256 * 4);
}

}  // namespace
}  // namespace dachlast
