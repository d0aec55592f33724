// Peak probe of one tile product. The file that includes this names DACHLAST_TARGET, DACHLAST_PROBE, DACHLAST_PRODUCT,
// the element types Left, Right and Sum, and left_of(x), right_of(y). Tiles are named by constants, so nothing loops.
namespace dachlast::kernels {

// One source a target includes this. NOLINTNEXTLINE(misc-definitions-in-headers)
DACHLAST_TARGET double DACHLAST_PROBE(std::int64_t n_rounds, float x, float y) {
  alignas(64) Left left[kTileBytes / sizeof(Left)];
  alignas(64) Right right[kTileBytes / sizeof(Right)];
  for (Left& value : left) value = left_of(x);
  for (Right& value : right) value = right_of(y);
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
    DACHLAST_PRODUCT(0, 6, 7);
    DACHLAST_PRODUCT(1, 6, 7);
    DACHLAST_PRODUCT(2, 6, 7);
    DACHLAST_PRODUCT(3, 6, 7);
    DACHLAST_PRODUCT(4, 6, 7);
    DACHLAST_PRODUCT(5, 6, 7);
  }
  alignas(64) Sum sums[kPeakTiles][kTileElements];
  _tile_stored(0, sums[0], kTileRowBytes);
  _tile_stored(1, sums[1], kTileRowBytes);
  _tile_stored(2, sums[2], kTileRowBytes);
  _tile_stored(3, sums[3], kTileRowBytes);
  _tile_stored(4, sums[4], kTileRowBytes);
  _tile_stored(5, sums[5], kTileRowBytes);
  _tile_release();
  double total = 0.0;
  for (const auto& tile : sums)
    for (const Sum sum : tile) total += static_cast<double>(sum);
  return total;
}

}  // namespace dachlast::kernels
