#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/model/quantization.h"

namespace dachlast {

/// Index of a tensor in its `GgmlGraph`.
enum class GgmlTensor : int { kNone = -1 };

constexpr std::size_t index_of(GgmlTensor tensor) {
  return static_cast<std::size_t>(tensor);
}

/// Elements along each dimension, fastest first; a missing one is 1.
using GgmlExtents = std::array<std::int64_t, 4>;

/// What the scheduler and the allocator treat differently.
enum class GgmlKind : std::uint8_t {
  kWeight,         // lies in a model buffer
  kCache,          // lies in a KV buffer
  kInput,          // written by the host before each step
  kView,           // other shape of another tensor's memory
  kCopy,           // writes into another tensor's memory: an operation without memory of its own
  kInPlace,        // element-wise: may take over its operand's memory
  kGather,         // rows of a table: never moved to another device for the sake of speed
  kMatmul,         // by one matrix
  kExpertsMatmul,  // by the matrices of the chosen experts
  kOperation       // any other
};

/// Weights and caches lie in buffers of their own: a step needs no room for them.
constexpr bool lies_outside(GgmlKind kind) {
  return kind == GgmlKind::kWeight || kind == GgmlKind::kCache;
}

enum class GgmlLayout : std::uint8_t { kContiguous, kStrided };

/// One tensor of a compute graph: its size, where it comes from, where it must run; no values.
struct GgmlNode {
  GgmlKind kind = GgmlKind::kOperation;
  const GgmlType* type = nullptr;
  GgmlExtents extents = {1, 1, 1, 1};
  GgmlLayout layout = GgmlLayout::kContiguous;
  std::vector<GgmlTensor> sources;
  GgmlTensor memory_of = GgmlTensor::kNone;  // views and copies: whose memory it is
  int device = -1;                           // weights and caches: where they lie; others: -1 or where they must run
  int n_active_experts = 0;                  // expert matrices: how many of them a token uses
};

/// A compute graph in the order in which ggml would run it.
/// Source   ggml-org/llama.cpp:ggml/src/ggml.c (ggml_build_forward_expand).
class GgmlGraph {
 public:
  GgmlTensor weight(const GgmlType& type, GgmlExtents extents, int device);
  GgmlTensor cache(const GgmlType& type, GgmlExtents extents, int device);
  GgmlTensor input(const GgmlType& type, GgmlExtents extents);
  GgmlTensor view(GgmlTensor of, GgmlExtents extents, GgmlLayout layout);
  GgmlTensor copy(GgmlTensor from, GgmlTensor into);
  /// Shape and type of `like`, which is also the first source.
  GgmlTensor in_place(GgmlTensor like, std::vector<GgmlTensor> others = {});
  /// A new tensor of 32-bit floats.
  GgmlTensor operation(GgmlKind kind, GgmlExtents extents, std::vector<GgmlTensor> sources);
  GgmlTensor operation(GgmlKind kind, const GgmlType& type, GgmlExtents extents, std::vector<GgmlTensor> sources);

  /// Appends what `tensor` needs and has not run yet, operands first, then `tensor` itself.
  void expand(GgmlTensor tensor);

  GgmlNode& node(GgmlTensor tensor) { return nodes_[static_cast<std::size_t>(tensor)]; }
  const GgmlNode& node(GgmlTensor tensor) const { return nodes_[static_cast<std::size_t>(tensor)]; }
  GgmlExtents extents(GgmlTensor tensor) const { return node(tensor).extents; }
  std::int64_t bytes(GgmlTensor tensor) const;
  int size() const { return static_cast<int>(nodes_.size()); }

  const std::vector<GgmlTensor>& order() const { return order_; }    // operations and views
  const std::vector<GgmlTensor>& leaves() const { return leaves_; }  // weights, caches and inputs

 private:
  GgmlTensor add(GgmlNode node);

  std::vector<GgmlNode> nodes_;
  std::vector<char> visited_;
  std::vector<GgmlTensor> order_;
  std::vector<GgmlTensor> leaves_;
};

/// Bytes of a contiguous tensor of that shape; rows of quantized types are whole blocks.
std::int64_t ggml_bytes(const GgmlType& type, const GgmlExtents& extents);

}  // namespace dachlast
