#include "kernels/cost.h"

#include "kernels/attention.h"
#include "kernels/elementwise.h"
#include "kernels/linear.h"

namespace dachlast::kernels {
namespace {

OpCost cost_of(const EmbedShape& shape) {
  return embed_cost(shape);
}
OpCost cost_of(const NormShape& shape) {
  return norm_cost(shape);
}
OpCost cost_of(const LinearShape& shape) {
  return linear_cost(shape);
}
OpCost cost_of(const RopeShape& shape) {
  return rope_cost(shape);
}
OpCost cost_of(const KvWriteShape& shape) {
  return kv_write_cost(shape);
}
OpCost cost_of(const AttentionShape& shape) {
  return attention_cost(shape);
}
OpCost cost_of(const ActivationShape& shape) {
  return activation_cost(shape);
}
OpCost cost_of(const ResidualShape& shape) {
  return residual_cost(shape);
}
OpCost cost_of(const SampleShape& shape) {
  return sample_cost(shape);
}

}  // namespace

OpCost op_cost(const OpShape& shape) {
  return std::visit([](const auto& sizes) { return cost_of(sizes); }, shape);
}

}  // namespace dachlast::kernels
