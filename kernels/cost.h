#pragma once

#include "core/base/op.h"
#include "core/base/op_cost.h"

namespace dachlast::kernels {

/// Work and traffic of any operation: dispatches to the cost function beside the operation's contract.
OpCost op_cost(const OpShape& shape);

}  // namespace dachlast::kernels
