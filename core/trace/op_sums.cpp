#include "core/trace/op_sums.h"

namespace dachlast::trace {
namespace {

Seconds duration_of(const Span& span) {
  return {1e-9 * static_cast<double>(span.duration_ns())};
}

}  // namespace

void OpSums::add(const Span& span) {
  if (span.zone == ZoneKind::kStep) {
    step_time_ += duration_of(span);
    return;
  }
  Entry& entry = entries_[static_cast<std::size_t>(span.op)];
  if (entry.sum.n_calls == 0) {
    entry.sum.op = span.op;
    order_[static_cast<std::size_t>(n_seen_++)] = span.op;
  }
  if (entry.sum.n_calls == 0 || span.cost.flops > entry.largest_call) {
    entry.sum.arithmetic = span.arithmetic;
    entry.largest_call = span.cost.flops;
  }
  entry.sum.n_calls += 1;
  entry.sum.time += duration_of(span);
  entry.sum.cost += span.cost;
}

void OpSums::clear() {
  entries_ = {};
  n_seen_ = 0;
  step_time_ = {};
}

std::vector<OpSum> OpSums::sums() const {
  std::vector<OpSum> result;
  result.reserve(static_cast<std::size_t>(n_seen_));
  for (int i = 0; i < n_seen_; ++i)
    result.push_back(entries_[static_cast<std::size_t>(order_[static_cast<std::size_t>(i)])].sum);
  return result;
}

Seconds OpSums::op_time() const {
  Seconds total;
  for (const Entry& entry : entries_) total += entry.sum.time;
  return total;
}

OpCost OpSums::cost() const {
  OpCost total;
  for (const Entry& entry : entries_) total += entry.sum.cost;
  return total;
}

}  // namespace dachlast::trace
