#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/probe/amx_tiles.h"
#include "kernels/probe/peak_cpu.h"

namespace dachlast::kernels {

__attribute__((target("amx-tile,amx-int8"))) double peak_i8_amx(std::int64_t n_rounds, float x, float y) {
  alignas(64) std::uint8_t left[kTileBytes / sizeof(std::uint8_t)];
  alignas(64) std::uint8_t right[kTileBytes / sizeof(std::uint8_t)];
  for (std::uint8_t& value : left) value = static_cast<std::uint8_t>(x);
  for (std::uint8_t& value : right) value = static_cast<std::uint8_t>(static_cast<std::int8_t>(y));
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
    _tile_dpbusd(0, 6, 7);
    _tile_dpbusd(1, 6, 7);
    _tile_dpbusd(2, 6, 7);
    _tile_dpbusd(3, 6, 7);
    _tile_dpbusd(4, 6, 7);
    _tile_dpbusd(5, 6, 7);
  }
  alignas(64) std::int32_t sums[kPeakTiles][kTileElements];
  _tile_stored(0, sums[0], kTileRowBytes);
  _tile_stored(1, sums[1], kTileRowBytes);
  _tile_stored(2, sums[2], kTileRowBytes);
  _tile_stored(3, sums[3], kTileRowBytes);
  _tile_stored(4, sums[4], kTileRowBytes);
  _tile_stored(5, sums[5], kTileRowBytes);
  _tile_release();
  double total = 0.0;
  for (const auto& tile : sums)
    for (const std::int32_t sum : tile) total += static_cast<double>(sum);
  return total;
}

}  // namespace dachlast::kernels

#endif  // __x86_64__
