#include "core/base/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace dachlast {
namespace {

constexpr bool bit(std::uint64_t value, int index) {
  return ((value >> index) & 1u) != 0;
}

// XCR0: which registers the OS saves.
constexpr std::uint64_t kXmmYmm = 0x6;
constexpr std::uint64_t kZmm = 0xe0 | kXmmYmm;  // opmask, upper halves of zmm0-15, zmm16-31
constexpr std::uint64_t kTiles = 0x60000;       // tile configuration and tile data

#if defined(__x86_64__)
__attribute__((target("xsave"))) std::uint64_t read_xcr0() {
  return _xgetbv(0);
}

CpuidLeaves read_leaves() {
  CpuidLeaves leaves;
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0) leaves.leaf1_ecx = ecx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0) {
    leaves.leaf7_ebx = ebx;
    leaves.leaf7_ecx = ecx;
    leaves.leaf7_edx = edx;
    const std::uint32_t last_subleaf = eax;
    if (last_subleaf >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0) leaves.leaf7_1_eax = eax;
  }
  constexpr int kOsxsave = 27;
  if (bit(leaves.leaf1_ecx, kOsxsave)) leaves.xcr0 = read_xcr0();
  return leaves;
}

/// Linux hands out tile registers per process and on request, since 5.16.
/// Source   Linux, Documentation/arch/x86/xstate.rst.
bool request_tiles() {
  constexpr int kArchReqXcompPerm = 0x1023;
  constexpr int kXfeatureXtiledata = 18;
  return syscall(SYS_arch_prctl, kArchReqXcompPerm, kXfeatureXtiledata) == 0;
}
#endif

CpuFeatures read_features() {
  CpuFeatures features;
#if defined(__x86_64__)
  features = decode(read_leaves());
  if ((features.amx_bf16 || features.amx_int8) && !request_tiles()) features.amx_bf16 = features.amx_int8 = false;
#elif defined(__aarch64__)
  features.neon = true;  // part of the base instruction set
#endif
  return features;
}

}  // namespace

CpuFeatures decode(const CpuidLeaves& leaves) {
  CpuFeatures features;
  const bool ymm = (leaves.xcr0 & kXmmYmm) == kXmmYmm;
  const bool zmm = (leaves.xcr0 & kZmm) == kZmm;
  const bool tiles = (leaves.xcr0 & kTiles) == kTiles && bit(leaves.leaf7_edx, 24);  // AMX-TILE
  features.avx2_fma = ymm && bit(leaves.leaf1_ecx, 12) && bit(leaves.leaf7_ebx, 5);
  features.f16c = ymm && bit(leaves.leaf1_ecx, 29);
  features.avx512 = zmm && features.avx2_fma && bit(leaves.leaf7_ebx, 16) && bit(leaves.leaf7_ebx, 17) &&
                    bit(leaves.leaf7_ebx, 30) && bit(leaves.leaf7_ebx, 31);
  features.avx512_vnni = features.avx512 && bit(leaves.leaf7_ecx, 11);
  features.avx512_bf16 = features.avx512 && bit(leaves.leaf7_1_eax, 5);
  features.avx512_fp16 = features.avx512 && bit(leaves.leaf7_edx, 23);
  features.avx_vnni = features.avx2_fma && bit(leaves.leaf7_1_eax, 4);
  features.amx_bf16 = tiles && bit(leaves.leaf7_edx, 22);
  features.amx_int8 = tiles && bit(leaves.leaf7_edx, 25);
  return features;
}

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = read_features();
  return features;
}

std::vector<std::string_view> names_of(const CpuFeatures& features) {
  const struct {
    bool present;
    std::string_view name;
  } rows[] = {{features.avx2_fma, "AVX2"},           {features.f16c, "F16C"},
              {features.avx512, "AVX-512"},          {features.avx512_vnni, "AVX512_VNNI"},
              {features.avx512_bf16, "AVX512_BF16"}, {features.avx512_fp16, "AVX512_FP16"},
              {features.avx_vnni, "AVX-VNNI"},       {features.amx_bf16, "AMX-BF16"},
              {features.amx_int8, "AMX-INT8"},       {features.neon, "NEON"}};
  std::vector<std::string_view> names;
  for (const auto& row : rows)
    if (row.present) names.push_back(row.name);
  return names;
}

}  // namespace dachlast
