#include "core/model/weight_slots.h"
#include "core/model/weights.h"

namespace dachlast {

double parameter_count(const ModelSpec& model) {
  double sum = 0;
  for (const WeightSlot& slot : weight_slots(model)) sum += static_cast<double>(slot.size());
  return sum;
}

double weight_bytes(const ModelSpec& model, DType precision) {
  double sum = 0;
  for (const WeightSlot& slot : weight_slots(model)) sum += bytes_of(slot, precision);
  return sum;
}

}  // namespace dachlast
