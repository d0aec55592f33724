#include "core/memory/ggml_splits.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace dachlast {
namespace {

constexpr int kNoDevice = -1;
constexpr std::int64_t kOffloadTokens = 32;
constexpr std::size_t kMaxSplitInputs = 10;  // GGML_SCHED_MAX_SPLIT_INPUTS

/// Devices of all tensors and the order of their lives.
class Splitter {
 public:
  Splitter(GgmlGraph& graph, const GgmlMachine& machine) : graph_(graph), machine_(machine) {
    device_.assign(static_cast<std::size_t>(graph.size()), kNoDevice);
    assign_by_weights();
    assign_by_neighbours(Order::kForward, Devices::kGpus);
    assign_by_neighbours(Order::kBackward, Devices::kGpus);
    assign_by_neighbours(Order::kForward, Devices::kAll);
    assign_by_neighbours(Order::kBackward, Devices::kAll);
    assign_sources();
    split();
  }

  GgmlSplits result() && { return {std::move(device_), std::move(visits_), std::move(first_), machine_.n_copies > 1}; }

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
    if (node.device != kNoDevice) return node.device;
    if (node.kind == GgmlKind::kInput) return host();
    if (node.memory_of != GgmlTensor::kNone && lies_outside(graph_.node(node.memory_of).kind))
      return graph_.node(node.memory_of).device;
    for (const GgmlTensor source : node.sources) {
      if (graph_.node(source).kind != GgmlKind::kWeight) continue;
      const int device = graph_.node(source).device;
      return device == host() && offloads(node) ? 0 : device;
    }
    return kNoDevice;
  }

  void assign_by_weights() {
    for (const GgmlTensor leaf : graph_.leaves()) device_[index_of(leaf)] = device_by_weights(graph_.node(leaf));
    for (const GgmlTensor tensor : graph_.order()) device_[index_of(tensor)] = device_by_weights(graph_.node(tensor));
  }

  void assign_by_neighbours(Order direction, Devices devices) {
    std::vector<GgmlTensor> order = graph_.order();
    if (direction == Order::kBackward) std::ranges::reverse(order);
    int current = kNoDevice;
    for (const GgmlTensor tensor : order) {
      if (graph_.node(tensor).kind == GgmlKind::kView) continue;
      int& device = device_[index_of(tensor)];
      if (device == kNoDevice)
        device = current;
      else
        current = devices == Devices::kGpus && device == host() ? kNoDevice : device;
    }
  }

  void assign_sources() {
    for (const GgmlTensor tensor : graph_.order()) {
      const GgmlNode& node = graph_.node(tensor);
      int& device = device_[index_of(tensor)];
      if (device == kNoDevice && node.memory_of != GgmlTensor::kNone) device = device_[index_of(node.memory_of)];
      for (const GgmlTensor source : node.sources) {
        int& its = device_[index_of(source)];
        const GgmlTensor root = graph_.node(source).memory_of;
        if (its == kNoDevice) its = root != GgmlTensor::kNone ? device_[index_of(root)] : device;
      }
    }
  }

  /// A split ends where the device changes, where the next matrix comes from elsewhere (so that the copy of the last
  /// one can be dropped), and where it would take in too many tensors.
  bool starts_split(const GgmlNode& node, int device, int current, const std::vector<GgmlTensor>& inputs) const {
    if (device != current) return true;
    if (inputs.empty()) return false;
    return std::ranges::any_of(node.sources, [&](GgmlTensor source) {
      if (device_[index_of(source)] == current) return false;
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
    if (machine_.n_copies == 1 || graph_.node(input).kind != GgmlKind::kInput ||
        copy_of(input, device_[index_of(input)]))
      return;
    copies_.push_back({input, device_[index_of(input)], input});
    first_.push_back(input);
    for (int i = 1; i < machine_.n_copies; ++i) first_.push_back(add_copy(input, device_[index_of(input)]));
  }

  void flush(const std::vector<GgmlTensor>& inputs, int device, std::vector<GgmlVisit>& run) {
    for (const GgmlTensor input : inputs) {
      visits_.push_back({GgmlVisit::Role::kHold, input, device_[index_of(input)]});
      visits_.push_back({GgmlVisit::Role::kReceive, *copy_of(input, device), device});
    }
    visits_.insert(visits_.end(), run.begin(), run.end());
    run.clear();
  }

  void split() {
    std::vector<GgmlTensor> inputs;
    std::vector<GgmlVisit> run;
    const std::vector<GgmlTensor> order = graph_.order();
    int current = first_device(order);
    for (const GgmlTensor tensor : order) {
      const int device = device_[index_of(tensor)];
      if (graph_.node(tensor).kind != GgmlKind::kView) {
        if (starts_split(graph_.node(tensor), device, current, inputs)) {
          flush(inputs, current, run);
          inputs.clear();
          current = device;
        }
        take_in_sources(tensor, current, inputs);
      }
      run.push_back({GgmlVisit::Role::kRun, tensor, device});
    }
    flush(inputs, current, run);
    if (machine_.n_copies == 1)
      for (const GgmlTensor leaf : graph_.leaves())
        if (graph_.node(leaf).kind == GgmlKind::kInput) first_.push_back(leaf);
  }

  int first_device(const std::vector<GgmlTensor>& order) const {
    for (const GgmlTensor tensor : order)
      if (graph_.node(tensor).kind != GgmlKind::kView) return device_[index_of(tensor)];
    return host();
  }

  void take_in_sources(GgmlTensor tensor, int device, std::vector<GgmlTensor>& inputs) {
    for (std::size_t i = 0; i < graph_.node(tensor).sources.size(); ++i) {
      const GgmlTensor source = graph_.node(tensor).sources[i];
      keep_input(source);
      if (device_[index_of(source)] == device) continue;
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
  std::vector<GgmlVisit> visits_;
  std::vector<GgmlTensor> first_;
};

}  // namespace

GgmlSplits ggml_split_graph(GgmlGraph& graph, const GgmlMachine& machine) {
  return Splitter(graph, machine).result();
}

}  // namespace dachlast
