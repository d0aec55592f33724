#include "kernels/cuda/elementwise.h"

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

}  // namespace dachlast::kernels::cuda
