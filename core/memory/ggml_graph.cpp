#include "core/memory/ggml_graph.h"

#include <utility>

namespace dachlast {
namespace {

const GgmlType& f32() {
  static const GgmlType& type = *ggml_type("F32");
  return type;
}

bool is_leaf(GgmlKind kind) {
  return kind == GgmlKind::kWeight || kind == GgmlKind::kCache || kind == GgmlKind::kInput;
}

}  // namespace

std::int64_t ggml_bytes(const GgmlType& type, const GgmlExtents& extents) {
  const std::int64_t blocks = (extents[0] + type.block_elements - 1) / type.block_elements;
  return (blocks * type.block_bytes + type.row_bytes) * extents[1] * extents[2] * extents[3] + type.tensor_bytes;
}

GgmlTensor GgmlGraph::add(GgmlNode node) {
  nodes_.push_back(std::move(node));
  visited_.push_back(0);
  return static_cast<GgmlTensor>(nodes_.size() - 1);
}

GgmlTensor GgmlGraph::weight(const GgmlType& type, GgmlExtents extents, int device) {
  return add({.kind = GgmlKind::kWeight, .type = &type, .extents = extents, .sources = {}, .device = device});
}

GgmlTensor GgmlGraph::cache(const GgmlType& type, GgmlExtents extents, int device) {
  return add({.kind = GgmlKind::kCache, .type = &type, .extents = extents, .sources = {}, .device = device});
}

GgmlTensor GgmlGraph::input(const GgmlType& type, GgmlExtents extents) {
  return add({.kind = GgmlKind::kInput, .type = &type, .extents = extents, .sources = {}});
}

GgmlTensor GgmlGraph::view(GgmlTensor of, GgmlExtents extents, GgmlLayout layout) {
  const GgmlTensor root = node(of).memory_of == GgmlTensor::kNone ? of : node(of).memory_of;
  return add({.kind = GgmlKind::kView,
              .type = node(of).type,
              .extents = extents,
              .layout = layout,
              .sources = {of},
              .memory_of = root});
}

GgmlTensor GgmlGraph::copy(GgmlTensor from, GgmlTensor into) {
  const GgmlTensor root = node(into).memory_of == GgmlTensor::kNone ? into : node(into).memory_of;
  return add({.kind = GgmlKind::kCopy,
              .type = node(into).type,
              .extents = node(into).extents,
              .layout = node(into).layout,
              .sources = {from, into},
              .memory_of = root});
}

GgmlTensor GgmlGraph::in_place(GgmlTensor like, std::vector<GgmlTensor> others) {
  others.insert(others.begin(), like);
  return add({.kind = GgmlKind::kInPlace,
              .type = node(like).type,
              .extents = node(like).extents,
              .sources = std::move(others)});
}

GgmlTensor GgmlGraph::operation(GgmlKind kind, GgmlExtents extents, std::vector<GgmlTensor> sources) {
  return operation(kind, f32(), extents, std::move(sources));
}

GgmlTensor GgmlGraph::operation(GgmlKind kind, const GgmlType& type, GgmlExtents extents,
                                std::vector<GgmlTensor> sources) {
  return add({.kind = kind, .type = &type, .extents = extents, .sources = std::move(sources)});
}

void GgmlGraph::expand(GgmlTensor tensor) {
  char& visited = visited_[static_cast<std::size_t>(tensor)];
  if (visited != 0) return;
  visited = 1;
  for (const GgmlTensor source : node(tensor).sources) expand(source);
  (is_leaf(node(tensor).kind) ? leaves_ : order_).push_back(tensor);
}

std::int64_t GgmlGraph::bytes(GgmlTensor tensor) const {
  return ggml_bytes(*node(tensor).type, node(tensor).extents);
}

}  // namespace dachlast
