#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace dachlast {

/// Instruction sets that this program has code for or names to the user. True only where the CPU has the instructions
/// and the OS keeps their registers across task switches.
struct CpuFeatures {
  bool avx2_fma = false;
  bool f16c = false;
  bool avx512 = false;  // F, BW, DQ and VL together: everything since Skylake-X and Zen 4
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool avx512_fp16 = false;
  bool avx_vnni = false;  // VNNI in 256-bit registers, VEX-encoded
  bool amx_bf16 = false;
  bool amx_int8 = false;
  bool neon = false;

  friend constexpr bool operator==(const CpuFeatures&, const CpuFeatures&) = default;
};

/// Registers of the CPUID leaves that `decode` reads; a leaf that the CPU does not have is zero.
struct CpuidLeaves {
  std::uint32_t leaf1_ecx = 0;
  std::uint32_t leaf7_ebx = 0;
  std::uint32_t leaf7_ecx = 0;
  std::uint32_t leaf7_edx = 0;
  std::uint32_t leaf7_1_eax = 0;
  std::uint64_t xcr0 = 0;  // register state the OS saves; 0 where the OS has not enabled XSAVE
};

/// Meaning of the registers.
/// Source   Intel SDM vol. 2A, CPUID, and vol. 1, section 13.3 (XCR0); AMD APM vol. 3, appendix E.
CpuFeatures decode(const CpuidLeaves& leaves);

/// Features of this CPU, read once. On Linux this asks the kernel, for this process, for the use of AMX tiles, which it
/// grants only on request; AMX is false where it refuses.
/// Threads  safe to call from any.
const CpuFeatures& cpu_features();

/// Names as makers write them: "AVX2", "AVX-512", "AVX512_BF16", "AMX-BF16", …; in the order of the struct.
std::vector<std::string_view> names_of(const CpuFeatures& features);

}  // namespace dachlast
