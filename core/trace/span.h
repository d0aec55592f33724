#pragma once

#include <cstdint>

#include "core/base/dtype.h"
#include "core/base/op.h"
#include "core/base/op_cost.h"

namespace dachlast::trace {

/// What a range stands for: an operation, a phase step, or a layer.
enum class ZoneKind : std::uint8_t { kStep, kOp };

/// One finished range on the host's monotonic clock, with the work counted for it.
struct Span {
  std::int64_t start_ns = 0;  // std::chrono::steady_clock
  std::int64_t end_ns = 0;
  ZoneKind zone = ZoneKind::kOp;
  Phase phase = Phase::kPrefill;
  OpKind op = OpKind::kEmbed;  // meaningful for ZoneKind::kOp
  DType arithmetic = DType::kF32;
  std::int32_t layer = -1;
  std::int32_t n_tokens = 0;
  std::int32_t kv_len = 0;
  OpCost cost;

  std::int64_t duration_ns() const { return end_ns - start_ns; }
};

}  // namespace dachlast::trace
