#include "tests/support/sample_run.h"

namespace dachlast::test {
namespace {

BandwidthRoof bandwidth(MemoryLevel level, AccessPattern pattern, double working_set, double rate) {
  return {level, pattern, 2, working_set, {rate, 0.98 * rate, 1.01 * rate, 10}, Origin::kMeasured};
}

DeviceRoofs sample_roofs() {
  DeviceRoofs roofs;
  roofs.device = "Sample CPU, 2 cores";
  roofs.host_id = "0123456789abcdef";
  roofs.measured_at = "2026-03-01T13:00:00Z";
  roofs.bandwidths = {bandwidth(MemoryLevel::kL2, AccessPattern::kRead, 1 * kMiB, 120e9),
                      bandwidth(MemoryLevel::kL3, AccessPattern::kRead, 16 * kMiB, 60e9),
                      bandwidth(MemoryLevel::kDram, AccessPattern::kRead, 1 * kGiB, 20e9),
                      bandwidth(MemoryLevel::kDram, AccessPattern::kTriad, 1 * kGiB, 16e9)};
  roofs.computes = {{DType::kF32, "AVX2 FMA", 2, {100e9, 99e9, 101e9, 10}, Origin::kMeasured}};
  return roofs;
}

HostTopology sample_host() {
  HostTopology host;
  host.cpu_name = "Sample CPU";
  host.n_packages = 1;
  host.n_cores = 2;
  host.n_hardware_threads = 2;
  host.n_numa_nodes = 1;
  host.caches = {{1, 32 * kKiB, 2}, {2, 1 * kMiB, 2}, {3, 16 * kMiB, 1}};
  host.memory_bytes = 8 * kGiB;
  host.available_memory_bytes = 6 * kGiB;
  host.isa = {"AVX2", "FMA"};
  host.core_ids = {0, 1};
  return host;
}

OpMeasurement op(OpKind kind, int calls, double time_s, double flops, double weight_bytes, double activation_bytes,
                 double kv_read_bytes = 0.0) {
  OpMeasurement made{kind, calls, Seconds{time_s}, {}, DType::kF32};
  made.cost = {Flops{flops}, Bytes{weight_bytes}, Bytes{activation_bytes}, Bytes{kv_read_bytes}, Bytes{}};
  return made;
}

// `scale` stretches work and time of a point; the shares of its operations stay.
MeasuredPoint decode_point(int context, double attention_s) {
  MeasuredPoint point;
  point.phase = Phase::kDecode;
  point.context_tokens = context;
  point.ops = {op(OpKind::kEmbed, 1, 4e-6, 0.0, 6144.0, 3072.0),
               op(OpKind::kNorm, 25, 0.20e-3, 1.2e5, 1.5e5, 1.5e5),
               op(OpKind::kQkvProj, 12, 5.20e-3, 42.5e6, 85e6, 0.15e6),
               op(OpKind::kKvWrite, 12, 0.05e-3, 0.0, 0.0, 0.15e6),
               op(OpKind::kAttention, 12, attention_s, 36.9e3 * context, 0.0, 0.1e6, 73.7e3 * context),
               op(OpKind::kOProj, 12, 1.80e-3, 14.2e6, 28.3e6, 0.07e6),
               op(OpKind::kMlpUp, 12, 6.60e-3, 56.6e6, 113e6, 0.2e6),
               op(OpKind::kMlpAct, 12, 0.15e-3, 0.3e6, 0.0, 0.3e6),
               op(OpKind::kMlpDown, 12, 6.90e-3, 56.6e6, 113e6, 0.2e6),
               op(OpKind::kResidual, 24, 0.08e-3, 18e3, 0.0, 0.22e6),
               op(OpKind::kLmHead, 1, 8.90e-3, 77.2e6, 154e6, 0.2e6),
               op(OpKind::kSample, 1, 0.10e-3, 50e3, 0.0, 0.2e6)};
  double busy = 0.0;
  for (const auto& one : point.ops) {
    point.cost += one.cost;
    busy += one.time.value;
  }
  const double step = busy / 0.98;
  point.busy_share = 0.98;
  for (int i = 0; i < 25; ++i) point.samples_s.push_back(step * (1.0 + 0.002 * ((i * 7) % 11 - 5)));
  point.stop_reason = "converged";
  return point;
}

MeasuredPoint prefill_point(int context) {
  MeasuredPoint point;
  point.phase = Phase::kPrefill;
  point.context_tokens = context;
  const double n = context;
  point.ops = {op(OpKind::kEmbed, 1, 2e-6 * n, 0.0, 6144.0 * n, 3072.0 * n),
               op(OpKind::kNorm, 25, 9e-6 * n, 1.2e5 * n, 1.5e5, 1.5e5 * n),
               op(OpKind::kQkvProj, 12, 0.60e-3 * n, 42.5e6 * n, 85e6, 0.15e6 * n),
               op(OpKind::kAttention, 12, 0.45e-6 * n * n, 18.4e3 * n * n, 0.0, 0.1e6 * n, 73.7e3 * n),
               op(OpKind::kOProj, 12, 0.20e-3 * n, 14.2e6 * n, 28.3e6, 0.07e6 * n),
               op(OpKind::kMlpUp, 12, 0.78e-3 * n, 56.6e6 * n, 113e6, 0.2e6 * n),
               op(OpKind::kMlpAct, 12, 0.05e-3 * n, 0.3e6 * n, 0.0, 0.3e6 * n),
               op(OpKind::kMlpDown, 12, 0.80e-3 * n, 56.6e6 * n, 113e6, 0.2e6 * n),
               op(OpKind::kResidual, 24, 14e-6 * n, 18e3 * n, 0.0, 0.22e6 * n),
               op(OpKind::kLmHead, 1, 9.0e-3, 77.2e6, 154e6, 0.2e6)};
  double busy = 0.0;
  for (const auto& one : point.ops) {
    point.cost += one.cost;
    busy += one.time.value;
  }
  const double step = busy / 0.99;
  point.busy_share = 0.99;
  for (int i = 0; i < 8; ++i) point.samples_s.push_back(step * (1.0 + 0.004 * ((i * 3) % 7 - 3)));
  point.stop_reason = "converged";
  return point;
}

UncachedComparison sample_uncached() {
  UncachedComparison comparison;
  comparison.prompt_tokens = 8;
  comparison.n_repeats = 3;
  for (int i = 0; i < 200; ++i) {
    comparison.cached_s.push_back(30e-3 + 5e-6 * i);
    comparison.uncached_s.push_back(35e-3 + 1.1e-3 * i + 1.2e-6 * i * i);
  }
  return comparison;
}

}  // namespace

Run sample_run() {
  Run run;
  run.id = "20260301-140500-sample";
  run.created_at = "2026-03-01T14:05:00Z";
  run.program_version = "0.1.0";
  run.command = "dachlast run --model gpt2 --context 128,512 --compare-uncached";
  run.model = {"gpt2", "gpt2", 124439808, 497759232, "a1b2c3d4e5f60718", "random, seed 42", true, 1024};
  run.precision = {DType::kF32, {KvFormat::kF32}};
  run.n_threads = 2;
  run.attention_variant = "tiled";
  run.host = sample_host();
  run.roofs = sample_roofs();
  run.planned_points = 4;
  run.complete = true;
  run.points = {prefill_point(128), prefill_point(512), decode_point(128, 0.7e-3), decode_point(512, 2.4e-3)};
  run.points[3].remarks = {{"clock_drift", "Clock varied 6 % during this point; repeat recommended."}};
  run.uncached = sample_uncached();
  run.warnings = {
      {"random_weights", "gpt2 has no weights here: seeded random weights were used, so its text means nothing."}};
  run.assumptions = {{"default_batch", "Batch 1, the default."},
                     {"counted_traffic", "Traffic is counted from shapes: each byte an operation must touch, once."}};
  return run;
}

Run sample_run_on_one_thread() {
  Run run = sample_run();
  run.n_threads = 1;
  for (BandwidthRoof& roof : run.roofs.bandwidths) roof.n_threads = 1;
  for (ComputeRoof& roof : run.roofs.computes) roof.n_threads = 1;
  return run;
}

std::vector<MemorySegment> sample_memory() {
  return {{"weights", Bytes{497759232}, Origin::kExact, "124,439,808 parameters × 4 B"},
          {"KV cache", Bytes{37748736}, Origin::kExact, "2 × 12 layers × 12 heads × 64 × 4 B × 512 tokens"},
          {"activations", Bytes{15.5 * kMiB}, Origin::kExact, "peak over the operations of the largest step"},
          {"workspace", Bytes{0.6 * kMiB}, Origin::kEstimated, "logits and attention scratch"}};
}

}  // namespace dachlast::test
