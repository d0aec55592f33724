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
