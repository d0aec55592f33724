#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/weight_type.h"

// Weight matrices in panels, as the kernels stream them: one layout for one row of activations and for many.
namespace dachlast {

/// Whether a matrix lies row after row, or in panels.
enum class WeightLayout : std::uint8_t { kRows, kPanels };

/// How a model's matrices are kept. Quantized ones always lie in panels, f32 always in rows.
struct WeightStorage {
  WeightType type;
  WeightLayout layout = WeightLayout::kRows;

  constexpr WeightStorage(WeightType kept)  // NOLINT(google-explicit-constructor): the layout that a type has anywhere
      : type(kept), layout(kept.quantized() ? WeightLayout::kPanels : WeightLayout::kRows) {}
  constexpr WeightStorage(DType plain) : WeightStorage(WeightType(plain)) {}  // NOLINT(google-explicit-constructor)
  constexpr WeightStorage(WeightType kept, WeightLayout lies) : type(kept), layout(lies) {}

  friend constexpr bool operator==(const WeightStorage&, const WeightStorage&) = default;
};

/// Rows of one panel: two AVX-512 registers of 32-bit sums.
inline constexpr int kPanelRows = 32;

/// Most columns of a quantized matrix: 128 · 127 · 2^17 is the last sum that fits 32 bits.
inline constexpr int kMostQuantizedColumns = 1 << 17;

/// Where things lie in a panel. It is a sequence of groups, each of scales [32] and then steps, one after the other as
/// they are read. A step holds as many columns as 4 bytes of activations: 2 of bf16, 4 of integers. Behind the last row
/// lie elements that mean 0; those behind the last column meet activations of 0.
///   bf16, int8   a step is [32 rows][columns of the step]
///   int4         a step is [16 rows][4 columns], row r in the low and row r + 16 in the high half of a byte
/// Integers are kept unsigned, q + 128 or q + 8. Scales are float where there is one a row, else bf16, whose range no
/// weight can leave.
struct PanelLayout {
  explicit PanelLayout(WeightType type, int columns);

  int step_columns;
  int step_bytes;
  int scale_bytes;  // of one group
  int n_steps;
  int group_steps;  // of all groups but the last, which may be shorter
  int n_groups;     // 1 where rows have one scale or none

  std::size_t panel_bytes() const {
    return static_cast<std::size_t>(n_steps) * step_bytes + static_cast<std::size_t>(n_groups) * scale_bytes;
  }
};

/// A matrix of `rows` rows in ⌈rows / 32⌉ panels; starts on a cache line.
struct PackedMatrix {
  WeightType type;
  int rows = 0;
  int columns = 0;
  std::span<const std::byte> bytes;

  int n_panels() const { return (rows + kPanelRows - 1) / kPanelRows; }
  bool empty() const { return bytes.empty(); }
};

/// Bytes of a matrix as it is kept: rows · columns · element in rows, ⌈rows / 32⌉ · panel in panels.
double matrix_bytes(const WeightStorage& storage, double rows, double columns);

/// Writes one panel from up to 32 `rows` [n, columns].
/// Numbers  bf16    rounded to nearest even
///          int8    q = round(w / s), s = max |w| / 127
///          int4    q = round(w / s), clamped to −8 … 7; s = w* / −8 with w* the element of largest magnitude, which
///                  so becomes −8 exactly and leaves no step of the 16 unused
///          s is rounded to what the scale is kept in before it is used; below 2^-126 it is 0.
/// Errors   none: elements are finite, columns at most `kMostQuantizedColumns`; both are preconditions.
/// Source   the law of Q4_0 in ggml-org/llama.cpp:ggml/src/ggml-quants.c, quantize_row_q4_0_ref.
void pack_panel(WeightType type, int columns, std::span<const float> rows, std::span<std::byte> panel);

/// Row `row` as floats: scale · integer, or the bf16 widened.
void unpack_row(const PackedMatrix& matrix, int row, std::span<float> out);

}  // namespace dachlast
