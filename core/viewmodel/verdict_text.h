#pragma once

#include <string>

#include "core/roofline/verdict.h"

namespace dachlast::viewmodel {

/// One sentence with numbers: why neither roof is near. Empty unless latency-bound.
std::string latency_reason_text(const Verdict& verdict);

}  // namespace dachlast::viewmodel
