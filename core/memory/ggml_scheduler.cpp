#include "core/memory/ggml_scheduler.h"

#include <algorithm>

#include "core/memory/ggml_allocator.h"
#include "core/memory/ggml_splits.h"

namespace dachlast {
namespace {

constexpr int kUnset = -1;
constexpr std::int64_t kGpuRowElements = 512;
// Alignment of a GPU's buffer; the host's is 32 (TENSOR_ALIGNMENT of ggml-backend.cpp).
constexpr std::int64_t kGpuAlignmentBytes = 128;
constexpr std::int64_t kHostAlignmentBytes = 32;

/// Gives every tensor a place in its device's buffer for as long as something still reads it.
class Placement {
 public:
  Placement(const GgmlGraph& graph, const GgmlSplits& splits, const GgmlMachine& machine)
      : graph_(graph),
        splits_(splits),
        n_gpus_(machine.n_gpus),
        reuse_(machine.reuse),
        lives_(static_cast<std::size_t>(graph.size())) {
    for (int device = 0; device <= n_gpus_; ++device)
      buffers_.emplace_back(device < n_gpus_ ? kGpuAlignmentBytes : kHostAlignmentBytes);
    for (const GgmlTensor tensor : splits.inputs) {
      place(tensor, splits.device[index_of(tensor)]);
      life(tensor).kept = splits.inputs_stay;
    }
    count_readers();
    for (const GgmlVisit& visit : splits.visits) {
      if (visit.role != GgmlVisit::Role::kHold) place_in_turn(visit);
      for (const GgmlTensor source : sources(visit)) done_reading(source);
    }
  }

  std::vector<std::int64_t> bytes() const {
    std::vector<std::int64_t> result;
    for (const GgmlAllocator& buffer : buffers_) result.push_back(buffer.peak_bytes());
    return result;
  }

 private:
  struct Life {
    int n_readers = 0;
    int n_views = 0;
    int device = kUnset;
    std::int64_t offset = 0;
    bool placed = false;
    bool kept = false;  // to the end
  };

  Life& life(GgmlTensor tensor) { return lives_[index_of(tensor)]; }

  std::vector<GgmlTensor> sources(const GgmlVisit& visit) const {
    if (visit.role == GgmlVisit::Role::kHold) return {visit.tensor};
    return visit.role == GgmlVisit::Role::kReceive ? std::vector<GgmlTensor>{} : graph_.node(visit.tensor).sources;
  }

  void count_readers() {
    for (const GgmlVisit& visit : splits_.visits) {
      const GgmlNode& node = graph_.node(visit.tensor);
      if (visit.role == GgmlVisit::Role::kRun && node.memory_of != GgmlTensor::kNone) ++life(node.memory_of).n_views;
      for (const GgmlTensor source : sources(visit)) ++life(source).n_readers;
    }
  }

  std::int64_t bytes_on(GgmlTensor tensor, int device) const {
    const GgmlNode& node = graph_.node(tensor);
    return device < n_gpus_ ? ggml_gpu_bytes(*node.type, node.extents) : ggml_bytes(*node.type, node.extents);
  }

  void place(GgmlTensor tensor, int device) {
    Life& its = life(tensor);
    const GgmlNode& node = graph_.node(tensor);
    if (its.placed || lies_outside(node.kind) || node.memory_of != GgmlTensor::kNone) return;
    its.placed = true;
    its.device = device;
    its.offset = buffers_[static_cast<std::size_t>(device)].allocate(bytes_on(tensor, device));
  }

  void place_in_turn(const GgmlVisit& visit) {
    const GgmlNode& node = graph_.node(visit.tensor);
    if (life(visit.tensor).placed) return;
    if (node.kind == GgmlKind::kInPlace && visit.role == GgmlVisit::Role::kRun)
      for (const GgmlTensor source : node.sources)
        if (takes_over(visit.tensor, source)) return;
    place(visit.tensor, visit.device);
  }

  bool same_layout(const GgmlNode& a, const GgmlNode& b) const {
    return a.type == b.type && a.extents == b.extents && a.layout == b.layout;
  }

  /// An element-wise operation writes over an operand that nobody else reads.
  bool takes_over(GgmlTensor tensor, GgmlTensor source) {
    const GgmlNode& operand = graph_.node(source);
    const GgmlTensor root = operand.memory_of == GgmlTensor::kNone ? source : operand.memory_of;
    if (root != source && reuse_ == GgmlReuse::kTensors) return false;
    if (!life(root).placed || life(root).kept || !same_layout(graph_.node(tensor), operand)) return false;
    if (life(source).n_readers != 1 || life(source).n_views != 0) return false;
    if (root != source && (life(root).n_views != 1 || life(root).n_readers != 0)) return false;
    life(tensor).placed = true;
    life(tensor).device = life(root).device;
    life(tensor).offset = life(root).offset;
    life(root).placed = false;
    return true;
  }

  void done_reading(GgmlTensor source) {
    Life& its = life(source);
    if (--its.n_readers > 0 || its.n_views > 0) return;
    const GgmlTensor root = graph_.node(source).memory_of;
    if (root == GgmlTensor::kNone) return release(source);
    if (--life(root).n_views == 0 && life(root).n_readers == 0) release(root);
  }

  void release(GgmlTensor tensor) {
    Life& its = life(tensor);
    if (!its.placed || its.kept) return;
    its.placed = false;
    buffers_[static_cast<std::size_t>(its.device)].release(its.offset, bytes_on(tensor, its.device));
  }

  const GgmlGraph& graph_;
  const GgmlSplits& splits_;
  int n_gpus_;
  GgmlReuse reuse_;
  std::vector<Life> lives_;
  std::vector<GgmlAllocator> buffers_;
};

}  // namespace

std::int64_t ggml_gpu_bytes(const GgmlType& type, const GgmlExtents& extents) {
  const std::int64_t beyond = extents[0] % kGpuRowElements;
  const bool quantized = type.block_elements > 1;
  return ggml_bytes(type, extents) +
         (quantized && beyond != 0 ? ggml_bytes(type, {kGpuRowElements - beyond, 1, 1, 1}) : 0);
}

std::vector<std::int64_t> ggml_compute_buffers(GgmlGraph graph, const GgmlMachine& machine) {
  const GgmlSplits splits = ggml_split_graph(graph, machine);
  return Placement(graph, splits, machine).bytes();
}

}  // namespace dachlast
