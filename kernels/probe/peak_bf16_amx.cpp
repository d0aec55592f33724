#if defined(__x86_64__)

#include <immintrin.h>

#include "core/base/half.h"
#include "kernels/probe/amx_tiles.h"
#include "kernels/probe/peak_cpu.h"

#define DACHLAST_TARGET __attribute__((target("amx-tile,amx-bf16")))
#define DACHLAST_PROBE peak_bf16_amx
#define DACHLAST_PRODUCT _tile_dpbf16ps

namespace dachlast::kernels {
namespace {

using Left = BF16;
using Right = BF16;
using Sum = float;

BF16 left_of(float x) {
  return to_bf16(x);
}
BF16 right_of(float y) {
  return to_bf16(y);
}

}  // namespace
}  // namespace dachlast::kernels

#include "kernels/probe/peak_amx-inl.h"

#endif  // __x86_64__
