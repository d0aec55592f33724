#include "core/model/slot_list.h"

namespace dachlast {
namespace {

/// What a bias is split like: results of split columns are summed before it is added.
Shard shard_of_bias(Shard matrix) {
  if (matrix == Shard::kColumns) return Shard::kReplicated;
  return matrix == Shard::kExpertColumns ? Shard::kExpertColumns : matrix;
}

}  // namespace

void SlotList::add(WeightRole role, WeightPart part, std::int64_t rows, std::int64_t columns,
                   const Treatment& treatment) {
  slots_.push_back({.role = role,
                    .layer = layer_,
                    .part = part,
                    .rows = rows,
                    .columns = columns,
                    .count = treatment.count,
                    .weight_class = treatment.weight_class,
                    .shard = treatment.shard,
                    .shard_units = treatment.units,
                    .owner = owner_});
}

void SlotList::matrix(WeightRole role, std::int64_t rows, std::int64_t columns, const Treatment& treatment, Bias bias) {
  add(role, WeightPart::kMatrix, rows, columns, treatment);
  if (bias == Bias::kAbsent) return;
  add(role, WeightPart::kBias, rows, 1,
      {WeightClass::kBias, shard_of_bias(treatment.shard), treatment.units, treatment.count});
}

void SlotList::matrix(WeightRole role, const std::vector<RowPart>& parts, std::int64_t columns, Bias bias) {
  for (const RowPart& part : parts)
    add(role, WeightPart::kMatrix, part.rows, columns, {WeightClass::kLinear, part.shard, part.units});
  if (bias == Bias::kAbsent) return;
  for (const RowPart& part : parts) this->bias(role, part.rows, part.shard, part.units);
}

void SlotList::norm(WeightRole role, std::int64_t dim) {
  rms_norm(role, dim);
  if (model_.norm.kind == NormKind::kLayer && model_.norm.layer_bias) bias(role, dim);
}

void SlotList::rms_norm(WeightRole role, std::int64_t dim, Shard shard) {
  add(role, WeightPart::kNorm, dim, 1, {WeightClass::kNorm, shard});
}

void SlotList::bias(WeightRole role, std::int64_t rows, Shard shard, int units) {
  add(role, WeightPart::kBias, rows, 1, {WeightClass::kBias, shard, units});
}

void SlotList::state(WeightRole role, std::int64_t rows, std::int64_t columns, Shard shard, int units) {
  add(role, WeightPart::kState, rows, columns, {WeightClass::kState, shard, units});
}

void SlotList::positions(std::int64_t rows, std::int64_t columns) {
  add(WeightRole::kTokenEmbedding, WeightPart::kPositions, rows, columns, {WeightClass::kEmbedding});
}

}  // namespace dachlast
