#include "kernels/probe/peak.h"

#include "core/base/cpu_features.h"
#include "kernels/probe/peak_cpu.h"

namespace dachlast::kernels {
namespace {

#if defined(__x86_64__)
bool has_avx2() {
  return cpu_features().avx2_fma;
}
bool has_avx512() {
  return cpu_features().avx512;
}
bool has_avx512_bf16() {
  return cpu_features().avx512_bf16;
}
bool has_avx512_vnni() {
  return cpu_features().avx512_vnni;
}
bool has_avx_vnni() {
  return cpu_features().avx_vnni;
}
bool has_amx_bf16() {
  return cpu_features().amx_bf16;
}
bool has_amx_int8() {
  return cpu_features().amx_int8;
}

constexpr int kZmmLanes = kPeakRegisters * 16;
constexpr int kYmmLanes = kPeakRegisters * 8;
constexpr int kTileLanes = kPeakTiles * kTileElements;
#endif

constexpr PeakVariant kVariants[] = {
#if defined(__x86_64__)
    {{"avx512", peak_f32_avx512, has_avx512, DType::kF32}, "AVX-512 FMA", kZmmLanes, 1},
    {{"avx2", peak_f32_avx2, has_avx2, DType::kF32}, "AVX2 FMA", kYmmLanes, 1},
#endif
    {{"reference", peak_f32_reference, always_supported, DType::kF32},
     "plain C++",
     kReferenceRegisters* kReferenceLanes,
     1},
#if defined(__x86_64__)
    {{"amx_bf16", peak_bf16_amx, has_amx_bf16, DType::kBF16}, "AMX-BF16 TDPBF16PS", kTileLanes, 32},
    {{"avx512_bf16", peak_bf16_avx512, has_avx512_bf16, DType::kBF16}, "AVX512_BF16 VDPBF16PS", kZmmLanes, 2},
    {{"amx_int8", peak_i8_amx, has_amx_int8, DType::kI8}, "AMX-INT8 TDPBUSD", kTileLanes, 64},
    {{"avx512_vnni", peak_i8_avx512_vnni, has_avx512_vnni, DType::kI8}, "AVX512_VNNI VPDPBUSD", kZmmLanes, 4},
    {{"avx_vnni", peak_i8_avx_vnni, has_avx_vnni, DType::kI8}, "AVX-VNNI VPDPBUSD", kYmmLanes, 4},
#endif
};

}  // namespace

std::span<const PeakVariant> peak_variants() {
  return kVariants;
}

const PeakVariant* peak_variant_for(DType arithmetic) {
  for (const PeakVariant& variant : kVariants)
    if (variant.arithmetic == arithmetic && variant.supported()) return &variant;
  return nullptr;
}

}  // namespace dachlast::kernels
