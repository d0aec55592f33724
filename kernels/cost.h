#pragma once

#include "core/base/op.h"
#include "core/base/op_cost.h"

namespace dachlast::kernels {

/// Work and traffic of any operation: dispatches to the cost function beside the operation's contract.
OpCost op_cost(const OpShape& shape);

/// Elements of 4 bytes that an operation writes into its output buffer; 0 where it works in place on what another one
/// wrote, or writes a cache.
double output_elements(const OpShape& shape);

}  // namespace dachlast::kernels
