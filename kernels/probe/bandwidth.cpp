#include "kernels/probe/bandwidth.h"

#include "core/base/cpu_features.h"
#include "kernels/probe/bandwidth_cpu.h"

namespace dachlast::kernels {
namespace {

#if defined(__x86_64__)
bool has_avx512() {
  return cpu_features().avx512;
}
bool has_avx2() {
  return cpu_features().avx2_fma;
}
#endif

constexpr auto kCached = StoreKind::kCached;

constexpr BandwidthVariant kVariants[] = {
#if defined(__x86_64__)
    {{"avx512", read_avx512, has_avx512}, ProbePattern::kRead, kCached},
    {{"avx512", write_avx512, has_avx512}, ProbePattern::kWrite, kCached},
    {{"avx512", copy_avx512, has_avx512}, ProbePattern::kCopy, kCached},
    {{"avx512", triad_avx512, has_avx512}, ProbePattern::kTriad, kCached},
    {{"avx512_stream", write_stream_avx512, has_avx512}, ProbePattern::kWrite, StoreKind::kNonTemporal},
    {{"avx512_stream", copy_stream_avx512, has_avx512}, ProbePattern::kCopy, StoreKind::kNonTemporal},
    {{"avx512_stream", triad_stream_avx512, has_avx512}, ProbePattern::kTriad, StoreKind::kNonTemporal},
    {{"avx2", read_avx2, has_avx2}, ProbePattern::kRead, kCached},
    {{"avx2", write_avx2, has_avx2}, ProbePattern::kWrite, kCached},
    {{"avx2", copy_avx2, has_avx2}, ProbePattern::kCopy, kCached},
    {{"avx2", triad_avx2, has_avx2}, ProbePattern::kTriad, kCached},
    {{"avx2_stream", write_stream_avx2, has_avx2}, ProbePattern::kWrite, StoreKind::kNonTemporal},
    {{"avx2_stream", copy_stream_avx2, has_avx2}, ProbePattern::kCopy, StoreKind::kNonTemporal},
    {{"avx2_stream", triad_stream_avx2, has_avx2}, ProbePattern::kTriad, StoreKind::kNonTemporal},
#endif
    {{"reference", read_reference, always_supported}, ProbePattern::kRead, kCached},
    {{"reference", write_reference, always_supported}, ProbePattern::kWrite, kCached},
    {{"reference", copy_reference, always_supported}, ProbePattern::kCopy, kCached},
    {{"reference", triad_reference, always_supported}, ProbePattern::kTriad, kCached},
};

}  // namespace

std::span<const BandwidthVariant> bandwidth_variants() {
  return kVariants;
}

const BandwidthVariant* bandwidth_variant_for(ProbePattern pattern, StoreKind stores) {
  for (const BandwidthVariant& variant : kVariants)
    if (variant.pattern == pattern && variant.stores == stores && variant.supported()) return &variant;
  return nullptr;
}

}  // namespace dachlast::kernels
