#include "core/memory/ggml_scheduler.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

const GgmlType& f32() {
  return *ggml_type("F32");
}

/// y = w2 · act(w1 · x): x [64, n], w1 [64, 256], w2 [256, 64], all F32, on one device.
GgmlGraph two_matmuls(std::int64_t n, int device_1, int device_2) {
  GgmlGraph graph;
  const auto x = graph.input(f32(), {64, n, 1, 1});
  const auto w1 = graph.weight(f32(), {64, 256, 1, 1}, device_1);
  const auto w2 = graph.weight(f32(), {256, 64, 1, 1}, device_2);
  const auto h = graph.in_place(graph.operation(GgmlKind::kMatmul, {256, n, 1, 1}, {w1, x}));
  graph.expand(graph.operation(GgmlKind::kMatmul, {64, n, 1, 1}, {w2, h}));
  return graph;
}

TEST(GgmlScheduler, AnElementWiseOperationNeedsNoMemoryOfItsOwn) {
  // Input 64·8·4 B = 2 KiB, hidden 256·8·4 B = 8 KiB, result 2 KiB in the place of the input, which is free by then.
  EXPECT_EQ(ggml_compute_buffers(two_matmuls(8, 0, 0), {}), std::vector<std::int64_t>{2048 + 8192});
}

TEST(GgmlScheduler, WhatCrossesDevicesIsCopied) {
  // GPU 0 holds the copy of x (2 KiB) and the hidden layer (8 KiB), GPU 1 its copy (8 KiB) and the result (2 KiB), the
  // host x itself.
  const GgmlMachine machine{.n_gpus = 2};
  const std::vector<std::int64_t> expected = {2048 + 8192, 8192 + 2048, 2048};
  EXPECT_EQ(ggml_compute_buffers(two_matmuls(8, 0, 1), machine), expected);
}

TEST(GgmlScheduler, BatchesInTurnKeepFourCopiesOfWhatCrosses) {
  const GgmlMachine machine{.n_gpus = 2, .n_copies = 4};
  const std::vector<std::int64_t> expected = {4 * 2048 + 8192, 4 * 8192 + 2048, 4 * 2048};
  EXPECT_EQ(ggml_compute_buffers(two_matmuls(8, 0, 1), machine), expected);
}

TEST(GgmlScheduler, AMatrixOnTheHostPassesThroughTheGpuFromABatchOf32) {
  // Below 32 tokens the first product stays on the host (device 1).
  EXPECT_EQ(ggml_compute_buffers(two_matmuls(31, 1, 0), {.n_gpus = 1})[0], 256 * 31 * 4 + 64 * 31 * 4);
  // From 32 on GPU 0 takes copies of x (64·32·4 B) and of the matrix (64·256·4 B) and writes the hidden layer there; the
  // result finds room where they were.
  EXPECT_EQ(ggml_compute_buffers(two_matmuls(32, 1, 0), {.n_gpus = 1})[0], 8192 + 65536 + 32768);
}

TEST(GgmlScheduler, ExpertsMoveOnlyWhereEachGetsEnoughTokens) {
  GgmlGraph graph;
  const auto x = graph.input(f32(), {64, 1, 64, 1});
  const auto w = graph.weight(f32(), {64, 64, 16, 1}, 1);
  const auto y = graph.operation(GgmlKind::kExpertsMatmul, {64, 2, 64, 1}, {w, x});
  graph.node(y).n_active_experts = 2;
  const auto head = graph.weight(f32(), {64, 1, 1, 1}, 0);
  graph.expand(graph.operation(GgmlKind::kMatmul, {1, 2, 64, 1}, {head, y}));
  const std::int64_t matrices = 64 * 64 * 16 * 4;
  GgmlMachine machine{.n_gpus = 1};
  EXPECT_GT(ggml_compute_buffers(graph, machine)[0], matrices);  // 64 tokens >= 32
  // 64 tokens · 2 of 16 experts = 8 tokens an expert.
  machine.expert_offload = ExpertOffload::kBatchPerExpert;
  EXPECT_LT(ggml_compute_buffers(graph, machine)[0], matrices);
}

TEST(GgmlGpuBytes, QuantizedRowsAreFollowedByRoomUpTo512Elements) {
  // 576 elements of Q8_0: 18 blocks of 34 B a row; 448 elements, 14 blocks, behind the last row.
  EXPECT_EQ(ggml_gpu_bytes(*ggml_type("Q8_0"), {576, 10, 1, 1}), 10 * 18 * 34 + 14 * 34);
  EXPECT_EQ(ggml_gpu_bytes(*ggml_type("Q8_0"), {1024, 10, 1, 1}), 10 * 32 * 34);
  EXPECT_EQ(ggml_gpu_bytes(f32(), {576, 10, 1, 1}), 576 * 10 * 4);
}

}  // namespace
}  // namespace dachlast
