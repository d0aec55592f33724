#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/probe/amx_tiles.h"
#include "kernels/probe/peak_cpu.h"

#define DACHLAST_TARGET __attribute__((target("amx-tile,amx-int8")))
#define DACHLAST_PROBE peak_i8_amx
#define DACHLAST_PRODUCT _tile_dpbusd

namespace dachlast::kernels {
namespace {

using Left = std::uint8_t;
using Right = std::int8_t;
using Sum = std::int32_t;

std::uint8_t left_of(float x) {
  return static_cast<std::uint8_t>(x);
}
std::int8_t right_of(float y) {
  return static_cast<std::int8_t>(y);
}

}  // namespace
}  // namespace dachlast::kernels

#include "kernels/probe/peak_amx-inl.h"

#endif  // __x86_64__
