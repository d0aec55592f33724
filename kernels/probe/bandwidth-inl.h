// Probes of one instruction set. The file that includes this names its vectors, DACHLAST_TARGET and DACHLAST_PROBE.
namespace dachlast::kernels {
namespace {

// Vectors per loop round, each with its own sum: two additions a cycle with a latency of up to 4 cycles need 8.
constexpr std::size_t kUnroll = 8;
constexpr std::size_t kStep = Vector::kLanes * kUnroll;
static_assert(kProbeGranule % kStep == 0);

template <StoreKind kStores>
DACHLAST_TARGET inline void store(float* to, Vector::Register value) {
  if constexpr (kStores == StoreKind::kNonTemporal)
    Vector::stream(to, value);
  else
    Vector::store(to, value);
}

/// Non-temporal stores may still be under way when the loop ends.
template <StoreKind kStores>
inline void finish_stores() {
  if constexpr (kStores == StoreKind::kNonTemporal) _mm_sfence();
}

template <StoreKind kStores>
DACHLAST_TARGET float write(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  assert_probe_arrays(arrays, ProbePattern::kWrite);
  float* a = arrays.a.data();
  const std::size_t n = arrays.a.size();
  const Vector::Register value = Vector::set(s);
  for (std::int64_t pass = 0; pass < n_passes; ++pass) {
    separate_passes();
    for (std::size_t i = 0; i < n; i += kStep) {
#pragma GCC unroll 8
      for (std::size_t j = 0; j < kUnroll; ++j) store<kStores>(a + i + j * Vector::kLanes, value);
    }
  }
  finish_stores<kStores>();
  return 0.0f;
}

template <StoreKind kStores>
DACHLAST_TARGET float copy(const ProbeArrays& arrays, float, std::int64_t n_passes) {
  assert_probe_arrays(arrays, ProbePattern::kCopy);
  float* a = arrays.a.data();
  const float* b = arrays.b.data();
  const std::size_t n = arrays.a.size();
  for (std::int64_t pass = 0; pass < n_passes; ++pass) {
    separate_passes();
    for (std::size_t i = 0; i < n; i += kStep) {
#pragma GCC unroll 8
      for (std::size_t j = 0; j < kUnroll; ++j)
        store<kStores>(a + i + j * Vector::kLanes, Vector::load(b + i + j * Vector::kLanes));
    }
  }
  finish_stores<kStores>();
  return 0.0f;
}

template <StoreKind kStores>
DACHLAST_TARGET float triad(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  assert_probe_arrays(arrays, ProbePattern::kTriad);
  float* a = arrays.a.data();
  const float* b = arrays.b.data();
  const float* c = arrays.c.data();
  const std::size_t n = arrays.a.size();
  const Vector::Register factor = Vector::set(s);
  for (std::int64_t pass = 0; pass < n_passes; ++pass) {
    separate_passes();
    for (std::size_t i = 0; i < n; i += kStep) {
#pragma GCC unroll 8
      for (std::size_t j = 0; j < kUnroll; ++j) {
        const std::size_t at = i + j * Vector::kLanes;
        store<kStores>(a + at, Vector::multiply_add(factor, Vector::load(c + at), Vector::load(b + at)));
      }
    }
  }
  finish_stores<kStores>();
  return 0.0f;
}

}  // namespace

// One source a target includes this.
// NOLINTBEGIN(misc-definitions-in-headers)
DACHLAST_TARGET float DACHLAST_PROBE(read)(const ProbeArrays& arrays, float, std::int64_t n_passes) {
  assert_probe_arrays(arrays, ProbePattern::kRead);
  const float* a = arrays.a.data();
  const std::size_t n = arrays.a.size();
  Vector::Register sums[kUnroll];
#pragma GCC unroll 8
  for (std::size_t j = 0; j < kUnroll; ++j) sums[j] = Vector::set(0.0f);
  for (std::int64_t pass = 0; pass < n_passes; ++pass) {
    separate_passes();
    for (std::size_t i = 0; i < n; i += kStep) {
#pragma GCC unroll 8
      for (std::size_t j = 0; j < kUnroll; ++j)
        sums[j] = Vector::add(sums[j], Vector::load(a + i + j * Vector::kLanes));
    }
  }
  float total = 0.0f;
  for (const Vector::Register& sum : sums) {
    alignas(kProbeAlignment) float lanes[Vector::kLanes];
    Vector::store(lanes, sum);
    for (const float lane : lanes) total += lane;
  }
  return total;
}

DACHLAST_TARGET float DACHLAST_PROBE(write)(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  return write<StoreKind::kCached>(arrays, s, n_passes);
}
DACHLAST_TARGET float DACHLAST_PROBE(copy)(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  return copy<StoreKind::kCached>(arrays, s, n_passes);
}
DACHLAST_TARGET float DACHLAST_PROBE(triad)(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  return triad<StoreKind::kCached>(arrays, s, n_passes);
}
DACHLAST_TARGET float DACHLAST_PROBE(write_stream)(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  return write<StoreKind::kNonTemporal>(arrays, s, n_passes);
}
DACHLAST_TARGET float DACHLAST_PROBE(copy_stream)(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  return copy<StoreKind::kNonTemporal>(arrays, s, n_passes);
}
DACHLAST_TARGET float DACHLAST_PROBE(triad_stream)(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  return triad<StoreKind::kNonTemporal>(arrays, s, n_passes);
}
// NOLINTEND(misc-definitions-in-headers)

}  // namespace dachlast::kernels
