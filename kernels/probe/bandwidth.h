#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/variant.h"

// Probes that do nothing but move bytes: what they reach is the bandwidth roof of the memory level their arrays live
// in.
namespace dachlast::kernels {

/// The access patterns of STREAM, and read and write alone.
enum class ProbePattern : std::uint8_t { kRead, kWrite, kCopy, kTriad };

/// Cached stores fetch the line they write to (write-allocate); non-temporal ones bypass the caches.
enum class StoreKind : std::uint8_t { kCached, kNonTemporal };

/// Arrays of one thread, of equal length; a pattern ignores those it does not name.
struct ProbeArrays {
  std::span<float> a;
  std::span<const float> b;
  std::span<const float> c;
};

/// Lengths are multiples of this, so that no variant has a tail: 512 bytes, eight vectors of 64.
inline constexpr std::size_t kProbeGranule = 128;
/// Arrays start on multiples of this many bytes, one cache line, as non-temporal stores require.
inline constexpr std::size_t kProbeAlignment = 64;

/// Makes `n_passes` passes over the arrays:
///   read: returns n_passes · Σ a     write: a = s     copy: a = b     triad: a = b + s · c     (the last three return
///   0)
/// Numbers  sums in float, in an order of the variant's own.
/// Memory   allocates nothing. Non-temporal stores are fenced before return.
/// Errors   none: length and alignment are preconditions, asserted in debug builds.
/// Source   patterns of McCalpin's STREAM, https://www.cs.virginia.edu/stream/ref.html.
using BandwidthProbe = float(const ProbeArrays& arrays, float s, std::int64_t n_passes);

struct BandwidthVariant : Variant<BandwidthProbe> {
  ProbePattern pattern;
  StoreKind stores;  // kCached for the pattern that does not store
};

/// Every build of every pattern, for each the widest first; "reference" is always last.
std::span<const BandwidthVariant> bandwidth_variants();

/// The first supported variant of a pattern with these stores; nullptr where the CPU has no such stores.
const BandwidthVariant* bandwidth_variant_for(ProbePattern pattern, StoreKind stores);

/// Bytes one pass moves per element, each array counted once as STREAM does: 4, 4, 8, 12.
constexpr double probe_bytes_per_element(ProbePattern pattern) {
  switch (pattern) {
    case ProbePattern::kRead:
    case ProbePattern::kWrite: return 4.0;
    case ProbePattern::kCopy: return 8.0;
    case ProbePattern::kTriad: return 12.0;
  }
  return 0.0;
}

/// Arrays a pattern touches: 1, 1, 2, 3.
constexpr int probe_arrays(ProbePattern pattern) {
  return static_cast<int>(probe_bytes_per_element(pattern) / 4.0);
}

}  // namespace dachlast::kernels
