#pragma once

#include <utility>
#include <vector>

#include "core/roofline/run.h"

namespace dachlast::testing {

inline RoofSample sample(double value) {
  return {value, value, value, 5};
}

/// Round numbers on purpose: with 2 threads 100 GFLOP/s over 10 GB/s DRAM puts the ridge point at 10 FLOP/byte; L3
/// reads 50 GB/s, L2 200 GB/s. No bf16 roof.
inline DeviceRoofs round_roofs() {
  DeviceRoofs roofs;
  roofs.device = "Test CPU, 2 cores";
  roofs.host_id = "00ff";
  roofs.measured_at = "2026-01-02T03:04:05Z";
  roofs.bandwidths = {{MemoryLevel::kL2, AccessPattern::kRead, 2, 1e6, sample(200e9), Origin::kMeasured},
                      {MemoryLevel::kL3, AccessPattern::kRead, 2, 1e7, sample(50e9), Origin::kMeasured},
                      {MemoryLevel::kDram, AccessPattern::kRead, 2, 1e9, sample(10e9), Origin::kMeasured},
                      {MemoryLevel::kDram, AccessPattern::kTriad, 2, 1e9, sample(8e9), Origin::kDatasheet}};
  roofs.computes = {{DType::kF32, "AVX2 FMA", 2, sample(100e9), Origin::kMeasured}};
  return roofs;
}

/// Two cores with 1 MB of L2 each, sharing 16 MB of L3.
inline HostTopology round_host() {
  HostTopology host;
  host.cpu_name = "Test CPU";
  host.n_packages = 1;
  host.n_cores = 2;
  host.n_hardware_threads = 4;
  host.n_numa_nodes = 1;
  host.caches = {{1, 32e3, 2}, {2, 1e6, 2}, {3, 16e6, 1}};
  host.memory_bytes = 8e9;
  host.available_memory_bytes = 6e9;
  host.isa = {"AVX2"};
  host.core_ids = {0, 2};
  return host;
}

/// A run without points.
inline Run round_run() {
  Run run;
  run.id = "20260102T030405-0001";
  run.created_at = "2026-01-02T03:04:05Z";
  run.program_version = "0.1.0";
  run.command = "dachlast run --model test";
  run.model = {"test", "llama", 1e6, 4e6, "abcd", "random, seed 42", true, 2048};
  run.precision = {DType::kF32, {KvFormat::kF32}};
  run.n_threads = 2;
  run.attention_variant = "tiled";
  run.host = round_host();
  run.roofs = round_roofs();
  run.planned_points = 2;
  return run;
}

/// A point of one operation that takes the whole step.
inline MeasuredPoint point_of(Phase phase, int context_tokens, std::vector<double> samples_s, const OpCost& cost) {
  MeasuredPoint point;
  point.phase = phase;
  point.context_tokens = context_tokens;
  point.cost = cost;
  point.ops = {{OpKind::kMlpUp, 1, Seconds{samples_s.front()}, cost, DType::kF32}};
  point.samples_s = std::move(samples_s);
  point.stop_reason = "converged";
  point.busy_share = 1.0;
  return point;
}

}  // namespace dachlast::testing
