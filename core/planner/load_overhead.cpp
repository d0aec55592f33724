#include "core/planner/load_overhead.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <variant>

namespace dachlast {
namespace {

constexpr double kMiBytes = 1024.0 * 1024.0;
constexpr double kActivationBytes = 2;

// Source   pytorch/pytorch:c10/cuda/CUDACachingAllocator.cpp (kMinLargeAlloc, kRoundLarge, kSmallSize)
constexpr double kLargeTensor = 10 * kMiBytes;
constexpr double kSegmentStep = 2 * kMiBytes;
constexpr double kSmallestRemainder = kMiBytes;  // larger ones are split off for others

double rounded_up(double value, double step) {
  return std::ceil(value / step) * step;
}

double rounding_loss(double bytes) {
  if (bytes < kLargeTensor) return 0.0;
  const double loss = rounded_up(bytes, kSegmentStep) - bytes;
  return loss <= kSmallestRemainder ? loss : 0.0;
}

const ExpertPadding* padding_for(const EngineProfile& engine, const DeviceSpec& device) {
  if (!engine.mxfp4_padding) return nullptr;
  for (const ExpertPadding& row : engine.mxfp4_padding->value)
    if (device.architecture.find(row.architecture_has) != std::string::npos) return &row;
  return nullptr;
}

/// The tensor as its kernel wants it.
RankTensor padded(RankTensor tensor, const ExpertPadding* padding) {
  const bool expert = tensor.slot.weight_class == WeightClass::kExpert && tensor.slot.part == WeightPart::kMatrix;
  if (padding == nullptr || !expert || tensor.format.name != "mxfp4") return tensor;
  const bool up = tensor.slot.role == WeightRole::kExpertUp;
  tensor.rows = rounded_up(tensor.rows, up ? padding->up_rows : padding->down_rows);
  tensor.columns = rounded_up(tensor.columns, up ? padding->up_columns : padding->down_columns);
  return tensor;
}

/// Without scales, which are tensors of their own.
double plain_bytes(const RankTensor& tensor) {
  return tensor.count * tensor.rows * tensor.columns * tensor.format.bits / 8;
}

/// Engines keep rows of one role in one tensor: q, k and v.
bool fuses(const RankTensor& above, const RankTensor& below) {
  const WeightSlot& a = above.slot;
  const WeightSlot& b = below.slot;
  return a.role == b.role && a.layer == b.layer && a.part == b.part && a.columns == b.columns && a.count == 1 &&
         b.count == 1;
}

double allocator_loss(const std::vector<RankTensor>& tensors) {
  double loss = 0.0;
  for (std::size_t i = 0; i < tensors.size();) {
    double bytes = plain_bytes(tensors[i]);
    std::size_t next = i + 1;
    for (; next < tensors.size() && fuses(tensors[i], tensors[next]); ++next) bytes += plain_bytes(tensors[next]);
    // Equal tensors of a tower stand for several allocations.
    const bool several = tensors[i].slot.owner == WeightOwner::kTower && tensors[i].count > 1;
    loss += several ? tensors[i].count * rounding_loss(bytes / tensors[i].count) : rounding_loss(bytes);
    i = next;
  }
  return loss;
}

/// Layers that rotate alike share a table.
double table_bytes(const ModelSpec& model) {
  std::set<std::pair<double, int>> tables;
  const auto add = [&](const RopeSpec& rope) { tables.emplace(rope.theta, rope.rotary_dim); };
  for (const LayerSpec& layer : model.layers) {
    if (const auto* attention = std::get_if<AttentionSpec>(&layer.mixer); attention != nullptr && attention->rope)
      add(*attention->rope);
    if (const auto* latent = std::get_if<MlaSpec>(&layer.mixer)) add(latent->rope);
  }
  double bytes = 0.0;
  for (const auto& [theta, width] : tables) bytes += kActivationBytes * model.max_context * width;
  return bytes;
}

}  // namespace

LoadOverhead load_overhead(const ModelSpec& model, const WeightFormat& weights, const Layout& layout,
                           const EngineProfile& engine, const DeviceSpec& device, int stage) {
  LoadOverhead overhead;
  if (!engine.weight_allocator) return overhead;
  const ExpertPadding* padding = padding_for(engine, device);
  std::vector<RankTensor> tensors = rank_tensors(model, weights, layout, stage);
  for (RankTensor& tensor : tensors) {
    const double stored = tensor.bytes();
    tensor = padded(tensor, padding);
    overhead.padding += tensor.bytes() - stored;
  }
  overhead.allocator = allocator_loss(tensors);
  overhead.tables = table_bytes(model);
  return overhead;
}

}  // namespace dachlast
