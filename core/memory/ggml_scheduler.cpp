#include "core/memory/ggml_scheduler.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/memory/ggml_allocator.h"

namespace dachlast {
namespace {

constexpr int kUnset = -1;
constexpr std::int64_t kGpuRowElements = 512;
// Alignment of a GPU's buffer; the host's is 32 (TENSOR_ALIGNMENT of ggml-backend.cpp).
constexpr std::int64_t kGpuAlignmentBytes = 128;
constexpr std::int64_t kHostAlignmentBytes = 32;
constexpr std::int64_t kOffloadTokens = 32;
constexpr std::size_t kMaxSplitInputs = 10;  // GGML_SCHED_MAX_SPLIT_INPUTS

std::size_t index(GgmlTensor tensor) {
  return static_cast<std::size_t>(tensor);
}

bool lies_outside(GgmlKind kind) {
  return kind == GgmlKind::kWeight || kind == GgmlKind::kCache;
}

/// One entry of the order the allocator walks.
struct Visit {
  enum class Role : std::uint8_t {
    kRun,      // an operation or view of the graph
    kHold,     // keeps a tensor alive until it has been copied
    kReceive,  // the copy of a tensor on another device: lives from here on
  };
  Role role;
  GgmlTensor tensor;
  int device;
};

/// Devices of all tensors and the order of their lives.
class Layout {
 public:
  Layout(GgmlGraph& graph, const GgmlMachine& machine) : graph_(graph), machine_(machine) {
    device_.assign(static_cast<std::size_t>(graph.size()), kUnset);
    assign_by_weights();
    assign_by_neighbours(Order::kForward, Devices::kGpus);
    assign_by_neighbours(Order::kBackward, Devices::kGpus);
    assign_by_neighbours(Order::kForward, Devices::kAll);
    assign_by_neighbours(Order::kBackward, Devices::kAll);
    assign_sources();
    split();
  }

  const std::vector<Visit>& visits() const { return visits_; }
  /// Inputs and their copies that live from the first operation to the last.
  const std::vector<GgmlTensor>& first() const { return first_; }
  int device(GgmlTensor tensor) const { return device_[index(tensor)]; }
  bool lives_on(GgmlTensor tensor) const {
    return machine_.n_copies > 1 && std::ranges::find(first_, tensor) != first_.end();
  }

 private:
  enum class Order { kForward, kBackward };
  enum class Devices { kGpus, kAll };

  int host() const { return machine_.n_gpus; }

  /// GPU 0 takes over a multiplication by a matrix in host memory if the batch is worth the transfer.
  bool offloads(const GgmlNode& node) const {
    if (machine_.n_gpus == 0 || node.kind == GgmlKind::kGather) return false;
    if (node.kind != GgmlKind::kExpertsMatmul) return node.extents[1] >= kOffloadTokens;
    if (machine_.expert_offload == ExpertOffload::kNever) return false;
    const std::int64_t n_tokens = node.extents[2];
    if (machine_.expert_offload == ExpertOffload::kBatch) return n_tokens >= kOffloadTokens;
    return n_tokens * node.n_active_experts >= kOffloadTokens * graph_.extents(node.sources[0])[2];
  }

  int device_by_weights(const GgmlNode& node) const {
    if (node.device != kUnset) return node.device;
    if (node.kind == GgmlKind::kInput) return host();
    if (node.memory_of != GgmlTensor::kNone && lies_outside(graph_.node(node.memory_of).kind))
      return graph_.node(node.memory_of).device;
    for (const GgmlTensor source : node.sources) {
      if (graph_.node(source).kind != GgmlKind::kWeight) continue;
      const int device = graph_.node(source).device;
      return device == host() && offloads(node) ? 0 : device;
    }
    return kUnset;
  }

  void assign_by_weights() {
    for (const GgmlTensor leaf : graph_.leaves()) device_[index(leaf)] = device_by_weights(graph_.node(leaf));
    for (const GgmlTensor tensor : graph_.order()) device_[index(tensor)] = device_by_weights(graph_.node(tensor));
  }

  void assign_by_neighbours(Order direction, Devices devices) {
    std::vector<GgmlTensor> order = graph_.order();
    if (direction == Order::kBackward) std::ranges::reverse(order);
    int current = kUnset;
    for (const GgmlTensor tensor : order) {
      if (graph_.node(tensor).kind == GgmlKind::kView) continue;
      int& device = device_[index(tensor)];
      if (device == kUnset)
        device = current;
      else
        current = devices == Devices::kGpus && device == host() ? kUnset : device;
    }
  }

  void assign_sources() {
    for (const GgmlTensor tensor : graph_.order()) {
      const GgmlNode& node = graph_.node(tensor);
      int& device = device_[index(tensor)];
      if (device == kUnset && node.memory_of != GgmlTensor::kNone) device = device_[index(node.memory_of)];
      for (const GgmlTensor source : node.sources) {
        int& its = device_[index(source)];
        const GgmlTensor root = graph_.node(source).memory_of;
        if (its == kUnset) its = root != GgmlTensor::kNone ? device_[index(root)] : device;
      }
    }
  }

  /// A split ends where the device changes, where the next matrix comes from elsewhere (so that the copy of the last
  /// one can be dropped), and where it would take in too many tensors.
  bool starts_split(const GgmlNode& node, int device, int current, const std::vector<GgmlTensor>& inputs) const {
    if (device != current) return true;
    if (inputs.empty()) return false;
    return std::ranges::any_of(node.sources, [&](GgmlTensor source) {
      if (device_[index(source)] == current) return false;
      if (graph_.node(source).kind == GgmlKind::kWeight) return true;
      return inputs.size() == kMaxSplitInputs && !copy_of(source, current);
    });
  }

  std::optional<GgmlTensor> copy_of(GgmlTensor tensor, int device) const {
    for (const auto& copy : copies_)
      if (copy.of == tensor && copy.device == device) return copy.tensor;
    return std::nullopt;
  }

  GgmlTensor add_copy(GgmlTensor of, int device) {
    const GgmlNode node = graph_.node(of);
    const GgmlTensor copy = graph_.input(*node.type, node.extents);
    device_.push_back(device);
    return copy;
  }

  void copy_to(GgmlTensor source, int device) {
    const GgmlTensor copy = add_copy(source, device);
    copies_.push_back({source, device, copy});
    for (int i = 0; machine_.n_copies > 1 && i < machine_.n_copies; ++i)
      first_.push_back(i == 0 ? copy : add_copy(source, device));
  }

  /// Where batches take turns on the devices, every input is kept `n_copies` times from start to end.
  void keep_input(GgmlTensor input) {
    if (machine_.n_copies == 1 || graph_.node(input).kind != GgmlKind::kInput || copy_of(input, device(input))) return;
    copies_.push_back({input, device(input), input});
    first_.push_back(input);
    for (int i = 1; i < machine_.n_copies; ++i) first_.push_back(add_copy(input, device(input)));
  }

  void flush(const std::vector<GgmlTensor>& inputs, int device, std::vector<Visit>& run) {
    for (const GgmlTensor input : inputs) {
      visits_.push_back({Visit::Role::kHold, input, device_[index(input)]});
      visits_.push_back({Visit::Role::kReceive, *copy_of(input, device), device});
    }
    visits_.insert(visits_.end(), run.begin(), run.end());
    run.clear();
  }

  void split() {
    std::vector<GgmlTensor> inputs;
    std::vector<Visit> run;
    const std::vector<GgmlTensor> order = graph_.order();
    int current = first_device(order);
    for (const GgmlTensor tensor : order) {
      const int device = device_[index(tensor)];
      if (graph_.node(tensor).kind != GgmlKind::kView) {
        if (starts_split(graph_.node(tensor), device, current, inputs)) {
          flush(inputs, current, run);
          inputs.clear();
          current = device;
        }
        take_in_sources(tensor, current, inputs);
      }
      run.push_back({Visit::Role::kRun, tensor, device});
    }
    flush(inputs, current, run);
    if (machine_.n_copies == 1)
      for (const GgmlTensor leaf : graph_.leaves())
        if (graph_.node(leaf).kind == GgmlKind::kInput) first_.push_back(leaf);
  }

  int first_device(const std::vector<GgmlTensor>& order) const {
    for (const GgmlTensor tensor : order)
      if (graph_.node(tensor).kind != GgmlKind::kView) return device_[index(tensor)];
    return host();
  }

  void take_in_sources(GgmlTensor tensor, int device, std::vector<GgmlTensor>& inputs) {
    for (std::size_t i = 0; i < graph_.node(tensor).sources.size(); ++i) {
      const GgmlTensor source = graph_.node(tensor).sources[i];
      keep_input(source);
      if (device_[index(source)] == device) continue;
      if (!copy_of(source, device)) {
        copy_to(source, device);
        inputs.push_back(source);
      }
      graph_.node(tensor).sources[i] = *copy_of(source, device);
    }
  }

  struct Copy {
    GgmlTensor of;
    int device;
    GgmlTensor tensor;
  };

  GgmlGraph& graph_;
  const GgmlMachine& machine_;
  std::vector<int> device_;
  std::vector<Copy> copies_;
  std::vector<Visit> visits_;
  std::vector<GgmlTensor> first_;
};

/// Gives every tensor a place in its device's buffer for as long as something still reads it.
class Placement {
 public:
  Placement(const GgmlGraph& graph, const Layout& layout, const GgmlMachine& machine)
      : graph_(graph),
        layout_(layout),
        n_gpus_(machine.n_gpus),
        reuse_(machine.reuse),
        lives_(static_cast<std::size_t>(graph.size())) {
    for (int device = 0; device <= n_gpus_; ++device)
      buffers_.emplace_back(device < n_gpus_ ? kGpuAlignmentBytes : kHostAlignmentBytes);
    for (const GgmlTensor tensor : layout.first()) {
      place(tensor, layout.device(tensor));
      life(tensor).kept = layout.lives_on(tensor);
    }
    count_readers();
    for (const Visit& visit : layout.visits()) {
      if (visit.role != Visit::Role::kHold) place_in_turn(visit);
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

  Life& life(GgmlTensor tensor) { return lives_[index(tensor)]; }

  std::vector<GgmlTensor> sources(const Visit& visit) const {
    if (visit.role == Visit::Role::kHold) return {visit.tensor};
    return visit.role == Visit::Role::kReceive ? std::vector<GgmlTensor>{} : graph_.node(visit.tensor).sources;
  }

  void count_readers() {
    for (const Visit& visit : layout_.visits()) {
      const GgmlNode& node = graph_.node(visit.tensor);
      if (visit.role == Visit::Role::kRun && node.memory_of != GgmlTensor::kNone) ++life(node.memory_of).n_views;
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

  void place_in_turn(const Visit& visit) {
    const GgmlNode& node = graph_.node(visit.tensor);
    if (life(visit.tensor).placed) return;
    if (node.kind == GgmlKind::kInPlace && visit.role == Visit::Role::kRun)
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
  const Layout& layout_;
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
  const Layout layout(graph, machine);
  return Placement(graph, layout, machine).bytes();
}

}  // namespace dachlast
