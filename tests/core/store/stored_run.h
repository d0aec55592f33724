#pragma once

#include "tests/core/roofline/round_run.h"

#include "core/trace/span.h"

namespace dachlast::testing {

/// A header with every field set to something that is not its default.
inline Run full_header() {
  Run run = round_run();
  run.precision = {DType::kBF16, {KvFormat::kF16}};
  run.bound_threshold = 0.7;
  run.generation = Generation{{1, 2}, {3, 4, 5}, "Once upon a time, ü"};
  run.uncached = UncachedComparison{8, {0.1, 0.2}, {0.3, 0.9}, 3};
  run.kv = "paged:16,int8";
  run.serving =
      Serving{.max_sequences = 4,
              .step_tokens = 256,
              .n_steps = 77,
              .seconds = 1.25,
              .requests = {{100, 32, 1, 0.5, {0.01, 0.02}}, {9, 0, 0, 0.75, {}}},
              .kv = {.n_blocks = 64,
                     .block_size = 16,
                     .block_bytes = 4096.5,
                     .mean_block_use = 0.5,
                     .mean_token_use = 0.375,
                     .peak_blocks = 60,
                     .held_tokens = 900,
                     .reserved_tokens = 50,
                     .internal_fragmentation_tokens = 10,
                     .saved_tokens = 32,
                     .looked_up_tokens = 109,
                     .hit_tokens = 31,
                     .n_evicted = 3,
                     .n_copied = 2,
                     .n_dropped_tokens = 1,
                     .moments = {{7, 0.25, 3, 1, 40, 2, {{0, 40, {5, 9, 2}}}, {11}}, {9, 0.5, 0, 0, 0, 2, {}, {}}}},
              .kv_traffic = KvTrafficPerStep{{.n_reads = 5, .read_bytes = 5e6, .waited_s = 0.25}, 77}};
  run.break_even = KvBreakEven{.tier = "file",
                               .tier_text = "a file of 12 MiB, O_DIRECT",
                               .n_layers = 16,
                               .chunk_tokens = 256,
                               .chunk_bytes = 524288,
                               .per_layer_s = 1e-5,
                               .per_chunk_s = 2e-4,
                               .flops_per_token = 2e9,
                               .flops_per_pair = 1e5,
                               .flops_per_s = 4e11,
                               .roof_share = 0.75,
                               .rate_tokens = 4096,
                               .fetch_faster_at = 256,
                               .break_even_bytes_per_s = 3e8,
                               .points = {{512, 496, 0.01, 0.02, 0.021, 0.3, 0.31}}};
  run.what_if = WhatIfRun{.text = "swiftkv:3", .points = {{Phase::kDecode, 512, 2, 0.5, 0.25, 4096, 2048}}};
  run.memory = MemoryReading{.modelled_bytes = 1e9, .program_bytes = 2e7, .resident_bytes = 1.05e9};
  run.warnings = {{"competing_load", "Another program used 30 % of a core."}};
  run.assumptions = {{"threads", "One thread per core."}, {"seed", "42"}};
  return run;
}

inline MeasuredPoint full_point(int context_tokens) {
  const OpCost cost{Flops{1e12 + 0.5}, Bytes{1e9}, Bytes{2e6}, Bytes{3e6}, Bytes{4e3}};
  MeasuredPoint point = point_of(Phase::kDecode, context_tokens, {0.1, 0.1000001, 1.0 / 3.0}, cost);
  point.depth_tokens = 256;
  point.batch_size = 3;
  point.kv_policy = KvPolicy::kNone;
  point.busy_share = 0.875;
  point.ops.push_back({OpKind::kAttention, 12, Seconds{0.05}, cost, DType::kBF16});
  point.kv_traffic = KvTrafficPerStep{{.n_reads = 3,
                                       .n_writes = 2,
                                       .read_bytes = 12288,
                                       .written_bytes = 8192,
                                       .read_s = 0.5,
                                       .write_s = 0.25,
                                       .waited_s = 0.125,
                                       .n_recomputed_tokens = 48},
                                      3};
  point.remarks = {{"clock_drift", "The clock varied by 8 %."}};
  return point;
}

/// `n_steps` steps of two operations each, in the order marks end: the step after its operations.
inline std::vector<trace::Span> steps(int n_steps) {
  std::vector<trace::Span> spans;
  for (int i = 0; i < n_steps; ++i) {
    const std::int64_t start = 9'000'000'000'000'000 + i * 10'000;
    trace::Span op;
    op.phase = Phase::kDecode;
    op.op = OpKind::kAttention;
    op.layer = 3;
    op.n_tokens = 1;
    op.kv_len = 100 + i;
    op.cost.flops = Flops{1000};
    op.cost.kv_read_bytes = Bytes{512};
    op.start_ns = start + 1000;
    op.end_ns = start + 4001;
    spans.push_back(op);
    op.op = OpKind::kLmHead;
    op.arithmetic = DType::kBF16;
    op.layer = -1;
    op.start_ns = start + 5000;
    op.end_ns = start + 9000;
    spans.push_back(op);
    op.zone = trace::ZoneKind::kStep;
    op.start_ns = start;
    op.end_ns = start + 9500;
    spans.push_back(op);
  }
  return spans;
}

}  // namespace dachlast::testing
