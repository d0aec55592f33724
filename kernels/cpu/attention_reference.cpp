#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cpu/attention_cpu.h"
#include "kernels/cpu/attention_rows.h"

namespace dachlast::kernels::cpu {
namespace {

double apply(const ScoreRule& rule, double product) {
  const double score = product * rule.scale;
  return rule.softcap > 0.0f ? rule.softcap * std::tanh(score / rule.softcap) : score;
}

/// Calls `visit(slot, row of one slot)` for the slots of the unit that query row `r` sees.
template <class Rows, class Visit>
void for_visible(const GroupRows& rows, int r, Rows&& rows_of, const Visit& visit) {
  const AttentionUnit& unit = rows.unit();
  for (int slot = unit.slots.begin; slot < unit.slots.end; ++slot)
    if (rows.sees(r, rows.tile({slot, slot + 1}).position(0)))
      visit(slot - unit.slots.begin, rows_of(rows.call().kv.pool, *unit.sequence, unit.kv_head, slot, slot + 1));
}

/// Writes row `r`: o / d, or the state (o, m, d) with m in units of log2 e.
void write_row(const GroupRows& rows, int r, double column_sum, double d, int column) {
  if (rows.unit().n_splits == 1)
    rows.out(r)[column] = static_cast<float>(column_sum / d);
  else
    rows.state(r)[column] = static_cast<float>(column_sum);
}

/// Softmax over the scores of one query row, then the weighted sum of the value rows.
void attend_one(const GroupRows& rows, int r, float* scores) {
  double largest = -std::numeric_limits<double>::infinity();
  for_visible(rows, r, key_rows, [&](int i, const KvRows& key) {
    double product = 0.0;
    for (int l = 0; l < rows.head_dim(); ++l)
      product += static_cast<double>(rows.q(r)[l]) * static_cast<double>(element_of(key, 0, l));
    scores[i] = static_cast<float>(apply(rows.rule(), product));
    largest = std::max<double>(largest, scores[i]);
  });
  double d = 0.0;
  for_visible(rows, r, value_rows, [&](int i, const KvRows&) { d += std::exp(scores[i] - largest); });
  for (int l = 0; l < rows.value_dim(); ++l) {
    double sum = 0.0;
    for_visible(rows, r, value_rows, [&](int i, const KvRows& value) {
      sum += std::exp(scores[i] - largest) * static_cast<double>(element_of(value, 0, l));
    });
    write_row(rows, r, sum, d, l);
  }
  if (rows.unit().n_splits == 1) return;
  rows.state(r)[rows.value_dim()] = d > 0.0 ? static_cast<float>(largest / std::log(2.0)) : kHidden;
  rows.state(r)[rows.value_dim() + 1] = static_cast<float>(d);
}

}  // namespace

std::size_t attention_reference_scratch(const AttentionSizes& sizes) {
  return static_cast<std::size_t>(sizes.kv_len);
}

void attention_reference(const AttentionCall& call, std::span<float> scratch, Slice units) {
  for (UnitWalk walk(call, units); !walk.done(); walk.next()) {
    const AttentionUnit unit = walk.unit();
    assert(scratch.size() >= static_cast<std::size_t>(unit.slots.end - unit.slots.begin));
    const GroupRows rows(call, unit);
    for (int r = 0; r < rows.size(); ++r) attend_one(rows, r, scratch.data());
  }
}

}  // namespace dachlast::kernels::cpu
