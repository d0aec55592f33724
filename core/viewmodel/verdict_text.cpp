#include "core/viewmodel/verdict_text.h"

#include <fmt/core.h>

#include "core/viewmodel/format.h"

namespace dachlast::viewmodel {

std::string latency_reason_text(const Verdict& verdict) {
  const Load& load = verdict.load;
  switch (verdict.reason) {
    case LatencyReason::kNone: return {};
    case LatencyReason::kEngineGaps:
      return fmt::format("{} of the time lies between operations; inside them a roof would bind.",
                         format_percent(1.0 - load.busy_time / load.time));
    case LatencyReason::kMixedOperations:
      return fmt::format(
          "Operations are near their own roofs, {} of the time in all, but some memory's, some compute's.",
          format_percent(load.least_time / load.time));
    case LatencyReason::kLittleWorkPerCall:
      return fmt::format("A call takes {} on average: too little work to hide the cost of starting it.",
                         format_time(load.busy_time / load.n_calls));
    case LatencyReason::kNotOverlapped:
      return fmt::format("{} for memory and {} for compute explain the time only when added: they overlap too little.",
                         format_percent(verdict.utilisation.memory), format_percent(verdict.utilisation.compute));
    case LatencyReason::kCacheResident:
      return fmt::format("The data fits in {}, which could deliver it faster than the kernel asks for it.",
                         name_of(load.level));
    case LatencyReason::kBelowRoofs:
      return "The kernel stays below both roofs, and neither gaps nor short calls explain it.";
  }
  return {};
}

}  // namespace dachlast::viewmodel
