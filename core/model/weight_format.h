#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/model/storage_format.h"

namespace dachlast {

/// Matrices that quantization schemes treat apart.
enum class MatrixKind : std::uint8_t { kAttention, kMlp, kSharedExpert, kExpert, kHead, kEmbedding, kRouter, kOther };

/// A set of `MatrixKind`.
class MatrixKinds {
 public:
  constexpr MatrixKinds() = default;
  constexpr MatrixKinds with(MatrixKind kind) const { return MatrixKinds(bits_ | bit(kind)); }
  constexpr MatrixKinds without(MatrixKind kind) const { return MatrixKinds(bits_ & ~bit(kind)); }
  constexpr bool contains(MatrixKind kind) const { return (bits_ & bit(kind)) != 0; }
  friend constexpr bool operator==(MatrixKinds, MatrixKinds) = default;

 private:
  explicit constexpr MatrixKinds(unsigned bits) : bits_(bits) {}
  static constexpr unsigned bit(MatrixKind kind) { return 1U << static_cast<unsigned>(kind); }
  unsigned bits_ = 0;
};

/// What every published scheme covers unless its config leaves it out: the projections of the layers. Embeddings, head and
/// routers stay as they are.
inline constexpr MatrixKinds kProjections = MatrixKinds()
                                                .with(MatrixKind::kAttention)
                                                .with(MatrixKind::kMlp)
                                                .with(MatrixKind::kSharedExpert)
                                                .with(MatrixKind::kExpert);

/// How a checkpoint stores its weights: one format for the matrices a scheme covers, one for all else.
struct WeightFormat {
  StorageFormat quantized;
  StorageFormat rest;
  MatrixKinds covered;  // empty: nothing is quantized

  const StorageFormat& format_of(MatrixKind kind) const { return covered.contains(kind) ? quantized : rest; }
  bool is_quantized() const { return covered != MatrixKinds(); }
};

/// Weights in one plain type: "bf16".
WeightFormat plain_weights(const StorageFormat& type);

/// The format a user names: "bf16", "fp8", "awq", "awq:64" with another group size. `rest` is the type of what the scheme does
/// not cover.
/// Errors   throws `Error` (kUsage) for unknown names, listing the known ones, and for groups where there are none.
WeightFormat weight_format(std::string_view name, const StorageFormat& rest);

/// "BF16", or "MXFP4 (experts), BF16 for the rest".
std::string title_of(const WeightFormat& format);

}  // namespace dachlast
