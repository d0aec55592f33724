#include "core/base/cpu_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dachlast {
namespace {

using testing::ElementsAre;

constexpr std::uint32_t bits(std::initializer_list<int> positions) {
  std::uint32_t value = 0;
  for (const int position : positions) value |= 1u << position;
  return value;
}

/// A CPU with everything: AVX-512 with VNNI, BF16 and FP16, AVX-VNNI and AMX, as Sapphire Rapids has.
CpuidLeaves sapphire_rapids() {
  return {.leaf1_ecx = bits({12, 27, 28, 29}),  // FMA, OSXSAVE, AVX, F16C
          .leaf7_ebx = bits({5, 16, 17, 30, 31}),
          .leaf7_ecx = bits({11}),
          .leaf7_edx = bits({22, 23, 24, 25}),
          .leaf7_1_eax = bits({4, 5}),
          .xcr0 = 0x602e7};
}

TEST(CpuFeatures, NamesEverythingOfAFullCpu) {
  EXPECT_THAT(names_of(decode(sapphire_rapids())), ElementsAre("AVX2", "F16C", "AVX-512", "AVX512_VNNI", "AVX512_BF16",
                                                               "AVX512_FP16", "AVX-VNNI", "AMX-BF16", "AMX-INT8"));
}

TEST(CpuFeatures, AnOsThatDoesNotSaveRegistersTakesTheirInstructionsAway) {
  CpuidLeaves leaves = sapphire_rapids();
  leaves.xcr0 = 0x2e7;  // no tiles
  EXPECT_FALSE(decode(leaves).amx_bf16);
  EXPECT_TRUE(decode(leaves).avx512_bf16);
  leaves.xcr0 = 0x7;  // no zmm
  EXPECT_THAT(names_of(decode(leaves)), ElementsAre("AVX2", "F16C", "AVX-VNNI"));
  leaves.xcr0 = 0x3;  // no ymm
  EXPECT_EQ(decode(leaves), CpuFeatures{});
}

TEST(CpuFeatures, PartOfAvx512IsNotAvx512) {
  CpuidLeaves leaves = sapphire_rapids();
  leaves.leaf7_ebx = bits({5, 16});  // F without BW, DQ, VL: Knights Landing
  EXPECT_FALSE(decode(leaves).avx512);
  EXPECT_FALSE(decode(leaves).avx512_vnni);
  EXPECT_TRUE(decode(leaves).avx2_fma);
}

TEST(CpuFeatures, AnOldCpuHasNone) {
  EXPECT_EQ(decode({}), CpuFeatures{});
}

#if defined(__x86_64__)
TEST(CpuFeatures, AgreesWithTheCompilersDetection) {
  EXPECT_EQ(cpu_features().avx2_fma, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
  EXPECT_EQ(cpu_features().avx512, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"));
  EXPECT_EQ(cpu_features().avx512_vnni, __builtin_cpu_supports("avx512vnni") != 0);
  EXPECT_EQ(cpu_features().avx512_bf16, __builtin_cpu_supports("avx512bf16") != 0);
}
#endif

}  // namespace
}  // namespace dachlast
