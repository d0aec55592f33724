#include "core/base/packed_matrix.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/base/half.h"

namespace dachlast {
namespace {

constexpr int kInt8Most = 127;
constexpr int kInt8Offset = 128;
constexpr int kInt4Offset = 8;
constexpr int kInt4Most = 15;
constexpr int kHalfPanel = kPanelRows / 2;

int pieces(int n, int size) {
  return (n + size - 1) / size;
}

/// Start of the scales of a group.
std::size_t group_start(const PanelLayout& layout, int group) {
  return static_cast<std::size_t>(group) * (static_cast<std::size_t>(layout.scale_bytes) +
                                            static_cast<std::size_t>(layout.group_steps) * layout.step_bytes);
}

/// Start of a step, whatever group it lies in.
std::size_t step_start(const PanelLayout& layout, int step) {
  return group_start(layout, step / layout.group_steps) + layout.scale_bytes +
         static_cast<std::size_t>(step % layout.group_steps) * layout.step_bytes;
}

float largest(std::span<const float> values) {
  float most = 0.0F;
  for (const float value : values)
    if (std::abs(value) > std::abs(most)) most = value;
  return most;
}

float scale_for(WeightType type, std::span<const float> group) {
  const float most = largest(group);
  const float scale = type.bits() == 4 ? most / -kInt4Offset : std::abs(most) / kInt8Most;
  if (std::abs(scale) < std::numeric_limits<float>::min()) return 0.0F;  // or its inverse would be infinite
  return type.group() == 0 ? scale : to_float(to_bf16(scale));
}

void store_scale(WeightType type, float scale, int row, std::byte* scales) {
  if (type.group() == 0) {
    std::memcpy(scales + static_cast<std::size_t>(row) * sizeof(float), &scale, sizeof(float));
    return;
  }
  const BF16 rounded = to_bf16(scale);
  std::memcpy(scales + static_cast<std::size_t>(row) * sizeof(BF16), &rounded, sizeof(BF16));
}

float load_scale(WeightType type, const std::byte* scales, int row) {
  if (type.group() == 0) {
    float scale = 0.0F;
    std::memcpy(&scale, scales + static_cast<std::size_t>(row) * sizeof(float), sizeof(float));
    return scale;
  }
  BF16 scale;
  std::memcpy(&scale, scales + static_cast<std::size_t>(row) * sizeof(BF16), sizeof(BF16));
  return to_float(scale);
}

/// Rounds to nearest even. Clamped first, so that the rounding is one instruction on any number.
std::uint8_t quantized(WeightType type, float scaled) {
  if (type.bits() == 4)
    return static_cast<std::uint8_t>(
        std::lrint(std::clamp(scaled, static_cast<float>(-kInt4Offset), static_cast<float>(kInt4Most - kInt4Offset))) +
        kInt4Offset);
  return static_cast<std::uint8_t>(
      std::lrint(std::clamp(scaled, static_cast<float>(-kInt8Most), static_cast<float>(kInt8Most))) + kInt8Offset);
}

/// Where column `column` of step memory `step` keeps row `row`; int4 rows share bytes.
std::size_t byte_in_step(WeightType type, int row, int column) {
  const int kept_row = type.bits() == 4 ? row % kHalfPanel : row;
  return static_cast<std::size_t>(kept_row) * 4 + static_cast<std::size_t>(column);
}

void pack_integers(WeightType type, const PanelLayout& layout, int row, std::span<const float> values,
                   std::byte* panel) {
  const int group_columns = layout.group_steps * layout.step_columns;
  const int columns = static_cast<int>(values.size());
  const int shift = type.bits() == 4 && row >= kHalfPanel ? 4 : 0;
  for (int group = 0; group < layout.n_groups; ++group) {
    const int first = group * group_columns;
    const auto part = values.subspan(static_cast<std::size_t>(first),
                                     static_cast<std::size_t>(std::min(group_columns, columns - first)));
    const float scale = scale_for(type, part);
    std::byte* const start = panel + group_start(layout, group);
    store_scale(type, scale, row, start);
    const float inverse = scale == 0.0F ? 0.0F : 1.0F / scale;
    std::byte* const at = start + layout.scale_bytes + byte_in_step(type, row, 0);
    for (std::size_t i = 0; i < part.size(); ++i)
      at[i / 4 * layout.step_bytes + i % 4] |= static_cast<std::byte>(quantized(type, part[i] * inverse) << shift);
  }
}

void pack_bf16(const PanelLayout& layout, int row, std::span<const float> values, std::byte* panel) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const BF16 rounded = to_bf16(values[i]);
    std::memcpy(panel + i / 2 * layout.step_bytes + static_cast<std::size_t>(row) * 4 + i % 2 * sizeof(BF16), &rounded,
                sizeof(BF16));
  }
}

float integer_at(WeightType type, const std::byte* step, int row, int column) {
  const auto kept = static_cast<int>(step[byte_in_step(type, row, column)]);
  if (type.bits() == 8) return static_cast<float>(kept - kInt8Offset);
  return static_cast<float>(((row >= kHalfPanel ? kept >> 4 : kept) & kInt4Most) - kInt4Offset);
}

void unpack_bf16(const PanelLayout& layout, int row, const std::byte* panel, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    BF16 value;
    std::memcpy(&value, panel + i / 2 * layout.step_bytes + static_cast<std::size_t>(row) * 4 + i % 2 * sizeof(BF16),
                sizeof(BF16));
    out[i] = to_float(value);
  }
}

void unpack_integers(WeightType type, const PanelLayout& layout, int row, const std::byte* panel,
                     std::span<float> out) {
  for (int step = 0; step < layout.n_steps; ++step) {
    const float scale = load_scale(type, panel + group_start(layout, step / layout.group_steps), row);
    const std::byte* const kept = panel + step_start(layout, step);
    const int first = step * layout.step_columns;
    const int n = std::min(layout.step_columns, static_cast<int>(out.size()) - first);
    for (int i = 0; i < n; ++i) out[static_cast<std::size_t>(first + i)] = scale * integer_at(type, kept, row, i);
  }
}

}  // namespace

PanelLayout::PanelLayout(WeightType type, int columns)
    : step_columns(type.quantized() ? 4 : 2),
      step_bytes(type.bits() == 4 ? kPanelRows * 4 / 2 : kPanelRows * 4),
      scale_bytes(!type.quantized()   ? 0
                  : type.group() == 0 ? kPanelRows * static_cast<int>(sizeof(float))
                                      : kPanelRows * static_cast<int>(sizeof(BF16))),
      n_steps(pieces(columns, step_columns)),
      group_steps(type.group() == 0 ? n_steps : type.group() / step_columns),
      n_groups(pieces(n_steps, group_steps)) {}

double matrix_bytes(const WeightStorage& storage, double rows, double columns) {
  if (storage.layout == WeightLayout::kRows) return rows * columns * storage.type.bits() / 8;
  const PanelLayout layout(storage.type, static_cast<int>(columns));
  return std::ceil(rows / kPanelRows) * static_cast<double>(layout.panel_bytes());
}

void pack_panel(WeightType type, int columns, std::span<const float> rows, std::span<std::byte> panel) {
  const PanelLayout layout(type, columns);
  const auto width = static_cast<std::size_t>(columns);
  assert(panel.size() == layout.panel_bytes() && rows.size() % width == 0 && rows.size() / width <= kPanelRows);
  std::ranges::fill(panel, std::byte{0});
  for (std::size_t row = 0; row * width < rows.size(); ++row) {
    const auto values = rows.subspan(row * width, width);
    if (type.quantized())
      pack_integers(type, layout, static_cast<int>(row), values, panel.data());
    else
      pack_bf16(layout, static_cast<int>(row), values, panel.data());
  }
}

void unpack_row(const PackedMatrix& matrix, int row, std::span<float> out) {
  const PanelLayout layout(matrix.type, matrix.columns);
  assert(0 <= row && row < matrix.rows && static_cast<int>(out.size()) == matrix.columns);
  const std::byte* const panel =
      matrix.bytes.data() + static_cast<std::size_t>(row / kPanelRows) * layout.panel_bytes();
  if (matrix.type.quantized())
    unpack_integers(matrix.type, layout, row % kPanelRows, panel, out);
  else
    unpack_bf16(layout, row % kPanelRows, panel, out);
}

}  // namespace dachlast
