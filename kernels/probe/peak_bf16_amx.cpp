#if defined(__x86_64__)

#include <immintrin.h>

#include "core/base/half.h"
#include "kernels/probe/amx_tiles.h"
#include "kernels/probe/peak_cpu.h"

namespace dachlast::kernels {

__attribute__((target("amx-tile,amx-bf16"))) double peak_bf16_amx(std::int64_t n_rounds, float x, float y) {
  alignas(64) BF16 left[kTileBytes / sizeof(BF16)];
  alignas(64) BF16 right[kTileBytes / sizeof(BF16)];
  for (BF16& value : left) value = to_bf16(x);
  for (BF16& value : right) value = to_bf16(y);
  const TileConfig config = full_tiles();
  _tile_loadconfig(&config);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_loadd(6, left, kTileRowBytes);
  _tile_loadd(7, right, kTileRowBytes);
  for (std::int64_t round = 0; round < n_rounds; ++round) {
    _tile_dpbf16ps(0, 6, 7);
    _tile_dpbf16ps(1, 6, 7);
    _tile_dpbf16ps(2, 6, 7);
    _tile_dpbf16ps(3, 6, 7);
    _tile_dpbf16ps(4, 6, 7);
    _tile_dpbf16ps(5, 6, 7);
  }
  alignas(64) float sums[kPeakTiles][kTileElements];
  _tile_stored(0, sums[0], kTileRowBytes);
  _tile_stored(1, sums[1], kTileRowBytes);
  _tile_stored(2, sums[2], kTileRowBytes);
  _tile_stored(3, sums[3], kTileRowBytes);
  _tile_stored(4, sums[4], kTileRowBytes);
  _tile_stored(5, sums[5], kTileRowBytes);
  _tile_release();
  double total = 0.0;
  for (const auto& tile : sums)
    for (const float sum : tile) total += static_cast<double>(sum);
  return total;
}

}  // namespace dachlast::kernels

#endif  // __x86_64__
