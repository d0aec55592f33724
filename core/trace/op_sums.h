#pragma once

#include <array>
#include <vector>

#include "core/trace/mark.h"

namespace dachlast::trace {

/// All calls of one operation kind, layers together.
struct OpSum {
  OpKind op = OpKind::kEmbed;
  int n_calls = 0;
  Seconds time;
  OpCost cost;
  DType arithmetic = DType::kF32;  // of the call with the most FLOP
};

/// Adds up the spans of a step by operation as they arrive; keeps none of them.
class OpSums : public SpanSink {
 public:
  void add(const Span& span) override;
  void clear();

  /// Operations seen since `clear`, in the order of their first call.
  std::vector<OpSum> sums() const;
  /// Time inside operations, and work of them.
  Seconds op_time() const;
  OpCost cost() const;
  /// Time of the steps around them.
  Seconds step_time() const { return step_time_; }

 private:
  struct Entry {
    OpSum sum;
    Flops largest_call;  // work of the call that `sum.arithmetic` is taken from
  };
  std::array<Entry, kOpKindCount> entries_{};
  std::array<OpKind, kOpKindCount> order_{};
  int n_seen_ = 0;
  Seconds step_time_;
};

}  // namespace dachlast::trace
