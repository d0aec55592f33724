#include "core/roofline/predict.h"

#include <variant>

#include "core/roofline/roofline.h"
#include "kernels/attention.h"
#include "kernels/cost.h"
#include "kernels/packed_linear.h"

namespace dachlast {
namespace {

/// What the kernel that would run this shape computes in. Everything but the matrix products works on floats.
DType arithmetic_of(const OpShape& shape) {
  if (const auto* linear = std::get_if<LinearShape>(&shape)) return kernels::linear_arithmetic(*linear);
  if (const auto* attention = std::get_if<AttentionShape>(&shape))
    return kernels::attention_variant_for(attention->kv.format).arithmetic;
  return DType::kF32;
}

}  // namespace

OpCost cost_of(const std::vector<Op>& ops) {
  OpCost sum;
  for (const Op& op : ops) sum += kernels::op_cost(op.shape);
  return sum;
}

Seconds predict_step(const std::vector<Op>& ops, const PredictionTarget& target) {
  const OpCost step = cost_of(ops);
  Seconds sum;
  for (const Op& op : ops) {
    const OpCost call = kernels::op_cost(op.shape);
    const MemoryLevel level = level_feeding(call, step, target.host, target.n_threads);
    sum += Roofline(target.roofs, arithmetic_of(op.shape), level, target.n_threads).least_time(call);
  }
  return sum;
}

}  // namespace dachlast
