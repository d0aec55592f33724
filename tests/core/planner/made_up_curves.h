#pragma once

#include <initializer_list>
#include <utility>

#include "core/model/op_curves.h"

namespace dachlast {

inline constexpr double kMadeUpCache = 32e6;  // bytes

/// 2 µs a call, and 20 ps an element of the matrix and row from DRAM; a quarter of that from the cache.
inline double projection_law(double rows, double n, double k, MemoryLevel level) {
  return 2e-6 + (level == MemoryLevel::kDram ? 20e-12 : 5e-12) * n * k * rows;
}

inline OpSample sample(OpKind op, const char* type, double rows, double n, double k, double seconds,
                       MemoryLevel level = MemoryLevel::kDram) {
  OpSample made;
  made.features = {op, type, rows, n, k, 0.0, 0.0, 0.0};
  made.level = level;
  made.seconds = seconds;
  return made;
}

inline OpSample attention(double q, double kv, double heads, double kv_heads, double seconds) {
  OpSample made = sample(OpKind::kAttention, "f32", q, kv, 64.0, seconds);
  made.features.heads = heads;
  made.features.kv_heads = kv_heads;
  made.features.flops = 4.0 * heads * 64.0 * (q > 1.0 ? q * (q + 1.0) / 2.0 : kv);
  return made;
}

/// What a computer of simple laws would have measured: every type of projection named.
inline HostCurves made_up_curves(std::initializer_list<const char*> types = {"f32"}) {
  HostCurves curves;
  curves.host_id = "made up";
  curves.n_threads = 2;
  curves.last_cache_bytes = kMadeUpCache;
  curves.gap_s = 1e-7;
  for (const char* type : types)
    for (const MemoryLevel level : {MemoryLevel::kDram, MemoryLevel::kL3})
      for (const double rows : {1.0, 16.0, 256.0})
        for (const auto& [n, k] : {std::pair(300.0, 300.0), std::pair(900.0, 300.0), std::pair(300.0, 1200.0),
                                   std::pair(2400.0, 600.0), std::pair(5000.0, 1800.0)})
          curves.samples.push_back(
              sample(OpKind::kQkvProj, type, rows, n, k, projection_law(rows, n, k, level), level));
  for (const double kv : {100.0, 1000.0, 4000.0})
    for (const double kv_heads : {2.0, 8.0}) {
      // 1 µs, and 10 GB/s over keys and values of 64 floats
      curves.samples.push_back(attention(1.0, kv, 8.0, kv_heads, 1e-6 + kv * kv_heads * 64.0 * 8.0 / 10e9));
    }
  for (const double q : {64.0, 1024.0}) {
    OpSample made = attention(q, q, 8.0, 8.0, 1.0);
    made.seconds = made.features.flops / (q == 64.0 ? 100e9 : 400e9);
    curves.samples.push_back(made);
  }
  for (const OpKind op : {OpKind::kEmbed, OpKind::kNorm, OpKind::kRope, OpKind::kKvWrite, OpKind::kMlpAct,
                          OpKind::kResidual, OpKind::kSample}) {
    curves.samples.push_back(sample(op, "", 0.0, 1000.0, 0.0, 1e-6));
    curves.samples.push_back(sample(op, "", 0.0, 100000.0, 0.0, 1e-5));
  }
  return curves;
}

}  // namespace dachlast
