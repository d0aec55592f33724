#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/roofline/run.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// Everything known of one operation of one phase, at the point that stands for the phase.
struct Inspection {
  std::string title;    // "attention"
  std::string where;    // "Decode, 512 tokens, batch 1"
  std::string verdict;  // one sentence; empty where no roof applies
  Table figures;        // figure, value, how it came about
};

/// `datum` as `op_datum` names it; empty where the run has no such operation.
std::optional<Inspection> inspect(const Run& run, std::string_view datum);

}  // namespace dachlast::viewmodel
