#include "kernels/packed_linear.h"

#include <algorithm>
#include <cassert>

#include "kernels/cpu/packed_linear_cpu.h"
#include "kernels/linear.h"

namespace dachlast::kernels {
namespace {

constexpr std::size_t kLineBytes = 64;

std::size_t whole_lines(std::size_t bytes) {
  return (bytes + kLineBytes - 1) / kLineBytes * kLineBytes;
}

int pieces(int n, int size) {
  return (n + size - 1) / size;
}

bool takes_panels(WeightType weights) {
  return weights.quantized() || weights == DType::kBF16;
}
bool takes_integers(WeightType weights) {
  return weights.quantized();
}
bool takes_bf16_panels(WeightType weights) {
  return weights == DType::kBF16;
}

constexpr PackedLinearVariant kPackedVariants[] = {
    {{"panels", cpu::packed_linear_vnni, cpu::vnni_supported, DType::kI8}, cpu::pack_rows_vnni, takes_integers},
    {{"panels", cpu::packed_linear_bf16, cpu::avx512_bf16_supported, DType::kBF16},
     cpu::pack_rows_bf16,
     takes_bf16_panels},
    {{"plain", cpu::packed_linear_plain, always_supported, DType::kI8}, cpu::pack_rows_reference, takes_integers},
    {{"reference", cpu::packed_linear_reference, always_supported, DType::kF32},
     cpu::pack_rows_reference,
     takes_panels},
};

/// Groups of 32 end every 8 steps: tiles of 6 rows keep sums and totals of a group in registers and ran at 76 % of the
/// int8 peak where 12 rows ran at 60 %. A single tile is better higher, as each tile unpacks the panel anew.
int n_tiles_of(const LinearShape& shape) {
  constexpr int kRowsOfSmallGroups = 6, kSingleTileRows = 8;
  const bool small_groups = shape.weight_dtype.group() == 32 && shape.m > kSingleTileRows;
  return pieces(shape.m, small_groups ? kRowsOfSmallGroups : kMostTileRows);
}

}  // namespace

RowTiles::RowTiles(const LinearShape& shape)
    : n_tiles_(n_tiles_of(shape)), height_(pieces(shape.m, n_tiles_)), n_high_(shape.m - n_tiles_ * (height_ - 1)) {
  const PanelLayout layout(shape.weight_dtype, shape.k);
  if (shape.weight_dtype.quantized()) {
    scale_bytes_ = static_cast<std::size_t>(height_) * sizeof(float);
    correction_bytes_ = static_cast<std::size_t>(height_) * layout.n_groups * sizeof(std::int32_t);
  }
  const std::size_t step_bytes = static_cast<std::size_t>(height_) * layout.n_steps * 4;
  tile_bytes_ = whole_lines(scale_bytes_ + correction_bytes_ + step_bytes);
}

std::span<const PackedLinearVariant> packed_linear_variants() {
  return kPackedVariants;
}

const PackedLinearVariant& packed_linear_variant_for(WeightType weights, std::string_view forced) {
  for (const PackedLinearVariant& variant : kPackedVariants)
    if (variant.supported() && variant.takes(weights) && (forced.empty() || variant.name == forced)) return variant;
  return packed_linear_variants().back();
}

DType linear_arithmetic(const LinearShape& shape) {
  if (weight_storage(shape.weight_dtype).layout == WeightLayout::kRows) return linear_variant_for(shape).arithmetic;
  return packed_linear_variant_for(shape.weight_dtype).arithmetic;
}

WeightStorage weight_storage(WeightType weights) {
  const bool panels = takes_panels(weights) && packed_linear_variant_for(weights).name != "reference";
  return panels ? WeightStorage{weights, WeightLayout::kPanels} : WeightStorage{weights};
}

namespace cpu {
namespace {

/// One tile: fetches the stream of weights at a distance. Several: each fetches its part of the next panel while it works on
/// this one, so that memory is asked for as much at any time.
void look_ahead(const PanelLayout& layout, int n_tiles, int tile, PanelProduct& product) {
  // Two pages: hardware prefetchers stop at the end of one. On 2 Zen 5 cores 8 rows of int4 weights came at 59 % of the
  // read bandwidth without, at 70 % from one page and at 82 % from two.
  constexpr std::ptrdiff_t kDistanceBytes = 8192;
  if (n_tiles == 1) {
    product.ahead = product.w + kDistanceBytes;
    product.ahead_step = layout.step_bytes;
    return;
  }
  const int steps = n_tiles * layout.n_steps;
  const std::size_t a_step =
      (layout.panel_bytes() + static_cast<std::size_t>(steps) - 1) / static_cast<std::size_t>(steps);
  const std::size_t fetched = static_cast<std::size_t>(tile) * static_cast<std::size_t>(layout.n_steps) * a_step;
  product.ahead = product.w + layout.panel_bytes() + fetched;
  product.ahead_step = static_cast<std::ptrdiff_t>(a_step);
}

}  // namespace

void multiply_panels(const LinearShape& shape, std::span<const std::byte> packed_x, const PackedMatrix& w,
                     std::span<const float> bias, std::span<float> y, Slice panels,
                     std::span<PanelKernel* const, kMostTileRows> by_rows) {
  assert(0 <= panels.begin && panels.end <= w.n_panels() && w.rows == shape.n && w.columns == shape.k);
  const PanelLayout layout(w.type, w.columns);
  const RowTiles tiles(shape);
  const std::size_t panel_bytes = layout.panel_bytes();
  PanelProduct product{};
  product.n_steps = layout.n_steps;
  product.group_steps = layout.group_steps;
  product.y_stride = shape.n;
  for (int panel = panels.begin; panel < panels.end; ++panel) {
    const int column = panel * kPanelRows;
    product.w = w.bytes.data() + static_cast<std::size_t>(panel) * panel_bytes;
    product.bias = bias.empty() ? nullptr : bias.data() + column;
    product.n_columns = std::min(kPanelRows, shape.n - column);
    for (int tile = 0; tile < tiles.n_tiles(); ++tile) {
      look_ahead(layout, tiles.n_tiles(), tile, product);
      product.x = packed_x.data() + tiles.steps(tile);
      product.x_scales = reinterpret_cast<const float*>(packed_x.data() + tiles.start(tile));
      product.corrections = reinterpret_cast<const std::int32_t*>(packed_x.data() + tiles.corrections(tile));
      product.tile_rows = tiles.rows(tile);
      product.y = y.data() + static_cast<std::size_t>(tiles.first_row(tile)) * shape.n + column;
      by_rows[static_cast<std::size_t>(product.tile_rows) - 1](product);
    }
  }
}

}  // namespace cpu
}  // namespace dachlast::kernels
