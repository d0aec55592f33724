#pragma once

#include "kernels/probe/peak.h"

// Builds of the peak probes, listed by peak.cpp, with the number of accumulators each keeps.
namespace dachlast::kernels {

// Twelve independent registers everywhere. The busiest unit we know of starts two multiply-adds a cycle that take 4
// (Zen 4, Zen 5, Golden Cove FMA) to 5 cycles (Haswell FMA, Golden Cove VPDPBUSD): 10 in flight; VDPBF16PS takes 6 at
// one or two a cycle: 6 to 12. Twelve and two operands still fit the 16 registers of AVX2. Source   instruction tables
// of https://uops.info and Agner Fog, https://www.agner.org/optimize/instruction_tables.pdf.
inline constexpr int kPeakRegisters = 12;

// Two rounds of the registers per loop step, so that counter and branch stay below one instruction in ten.
inline constexpr int kPeakUnroll = 2;

PeakProbe peak_f32_reference;
inline constexpr int kReferenceRegisters = 10;
inline constexpr int kReferenceLanes = 4;
#if defined(__x86_64__)
PeakProbe peak_f32_avx2, peak_f32_avx512;
PeakProbe peak_bf16_avx512, peak_bf16_amx;
PeakProbe peak_i8_avx_vnni, peak_i8_avx512_vnni, peak_i8_amx;

// Six of the eight tiles accumulate, two hold the operands. A tile product takes 52 cycles and starts every 16: four
// in flight are enough. A tile is 16 rows of 64 bytes.
// Source   Intel 64 and IA-32 Architectures Optimization Reference Manual, chapter on AMX.
inline constexpr int kPeakTiles = 6;
inline constexpr int kTileElements = 16 * 16;
#endif

}  // namespace dachlast::kernels
