#include "core/model/weight_slots.h"
#include "core/model/weights.h"

namespace dachlast {
namespace {

double size_sum(const std::vector<WeightSlot>& slots) {
  double sum = 0;
  for (const WeightSlot& slot : slots) sum += static_cast<double>(slot.size());
  return sum;
}

const MoeSpec* moe_of(const ModelSpec& model, const WeightSlot& slot) {
  if (slot.layer < 0) return nullptr;
  return std::get_if<MoeSpec>(&model.layers[static_cast<std::size_t>(slot.layer)].feed_forward);
}

}  // namespace

double parameter_count(const ModelSpec& model) {
  return size_sum(weight_slots(model));
}

double active_parameter_count(const ModelSpec& model) {
  double sum = 0;
  for (const WeightSlot& slot : weight_slots(model)) {
    const MoeSpec* moe = moe_of(model, slot);
    const bool routed = slot.role == WeightRole::kExpertUp || slot.role == WeightRole::kExpertDown;
    sum += static_cast<double>(slot.size()) * (moe && routed ? 1.0 * moe->n_active / moe->n_experts : 1.0);
  }
  return sum;
}

double extra_parameter_count(const ModelSpec& model) {
  return size_sum(extra_weight_slots(model));
}

double weight_bytes(const ModelSpec& model, const WeightStorage& storage) {
  double sum = 0;
  for (const WeightSlot& slot : fused_weight_slots(model)) sum += bytes_of(slot, storage);
  return sum;
}

}  // namespace dachlast
