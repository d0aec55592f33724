#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/op_cost.h"
#include "core/hardware/device_spec.h"
#include "core/profile/gpu_trace.h"

namespace dachlast {

enum class TracedOpKind : std::uint8_t { kGemm, kAttention };

constexpr std::string_view name_of(TracedOpKind kind) {
  return kind == TracedOpKind::kGemm ? "gemm" : "attention";
}

/// Work of one call of a recorded operator, counted from the shapes of its operands.
struct TracedOp {
  TracedOpKind kind = TracedOpKind::kGemm;
  std::string shape;  // "m 8,944 · n 2,816 · k 1,024"
  ComputeType arithmetic = ComputeType::kBf16;
  OpCost cost;

  friend bool operator==(const TracedOp&, const TracedOp&) = default;
};

/// The work of a call of `name`, where it is a matrix product or an attention that is known by name and its operands say
/// enough. Counts each operand once, as an ideal cache would read it.
///   GEMM       2 · batch · m · n · k FLOP, + m · n where a bias is added
///   attention  4 · pairs · head_dim · heads FLOP, pairs the visible (query, key) pairs; half of all where causal
/// Errors   none; empty where the operator is unknown, or an operand is missing or of an unknown type.
std::optional<TracedOp> traced_op(std::string_view name, const Operands& operands);

/// Whether operands of this operator are worth keeping.
bool is_traced_op(std::string_view name);

}  // namespace dachlast
