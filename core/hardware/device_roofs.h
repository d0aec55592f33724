#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/units.h"

namespace dachlast {

/// Where a number comes from (UX.md R2).
enum class Origin : std::uint8_t { kMeasured, kExact, kEstimated, kDatasheet };

constexpr std::string_view name_of(Origin origin) {
  constexpr std::string_view names[] = {"measured", "exact", "estimated", "datasheet"};
  return names[static_cast<int>(origin)];
}

enum class MemoryLevel : std::uint8_t { kL1, kL2, kL3, kDram };

constexpr std::string_view name_of(MemoryLevel level) {
  constexpr std::string_view names[] = {"L1", "L2", "L3", "DRAM"};
  return names[static_cast<int>(level)];
}

/// STREAM's access patterns; traffic counts each array once, as STREAM does (no write-allocate).
enum class AccessPattern : std::uint8_t { kRead, kWrite, kCopy, kTriad };

constexpr std::string_view name_of(AccessPattern pattern) {
  constexpr std::string_view names[] = {"read", "write", "copy", "triad"};
  return names[static_cast<int>(pattern)];
}

/// Median over repeats with the smallest and largest of them.
struct RoofSample {
  double median = 0.0;
  double min = 0.0;
  double max = 0.0;
  int n = 0;
};

struct BandwidthRoof {
  MemoryLevel level;
  AccessPattern pattern;
  int n_threads;
  double working_set_bytes;  // all threads together
  RoofSample bytes_per_s;
  Origin origin = Origin::kMeasured;
  std::string probe = {};  // build that measured it: "avx512", "avx512_stream" (non-temporal stores)
};

struct ComputeRoof {
  DType dtype;
  std::string instruction;  // "AVX-512 FMA", "AVX512_BF16 VDPBF16PS", "plain C++"
  int n_threads;
  RoofSample ops_per_s;  // FLOP/s, or integer OP/s for int8
  Origin origin = Origin::kMeasured;
};

/// The ceilings of one device, as `calibrate` measured them or a data file lists them. Of roofs from both sources the one that
/// stands first in its list counts.
struct DeviceRoofs {
  std::string device;       // "AMD EPYC, 2 cores"
  std::string host_id;      // names the host without revealing it: a hash
  std::string measured_at;  // ISO 8601 UTC
  std::vector<BandwidthRoof> bandwidths;
  std::vector<ComputeRoof> computes;

  /// The roof for this level and pattern at `n_threads`, or at the largest measured number of threads below; empty
  /// where none was measured.
  /// Numbers  the fastest repeat, as for `peak`: others on a shared machine can only slow a probe. Where it drifts while a
  ///          run lasts, the run says so.
  std::optional<BytesPerSecond> bandwidth(MemoryLevel level, AccessPattern pattern, int n_threads) const;
  /// The compute roof of a dtype at `n_threads`, or at the largest measured number below; of several instructions the
  /// fastest. Where the CPU has no instructions for the dtype: empty.
  /// Numbers  the fastest repeat, because a loop in registers can only be slowed by others, never helped; on shared
  ///          machines its median lies up to a third below.
  std::optional<FlopsPerSecond> peak(DType dtype, int n_threads) const;
};

}  // namespace dachlast
