#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/kv_store.h"

namespace dachlast::kernels::cuda {

OpCost add_norm_cost(const NormShape& shape) {
  const ResidualShape added{.n_tokens = shape.n_rows, .d_model = shape.dim};
  OpCost cost = residual_cost(added);
  cost += norm_cost(shape);
  cost.activation_bytes = cost.activation_bytes - Bytes{1.0 * shape.n_rows * shape.dim * sizeof(float)};
  return cost;
}

OpCost sample_softmax_cost(const SampleShape& shape) {
  const double n_rows = shape.n_rows, elements = n_rows * shape.vocab_size;
  return {.flops = Flops{4.0 * elements},
          .activation_bytes = Bytes{elements * sizeof(float) + n_rows * (sizeof(float) + sizeof(std::int32_t))}};
}

OpCost store_kv_cost(const CudaKvTarget& target) {
  OpCost cost = kernels::store_kv_cost(target.pool.layout, static_cast<int>(target.slots.size()));
  cost.activation_bytes += Bytes{static_cast<double>(target.slots.size_bytes())};
  return cost;
}

}  // namespace dachlast::kernels::cuda
