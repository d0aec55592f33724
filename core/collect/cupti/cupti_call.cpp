#include "core/collect/cupti/cupti_call.h"

#include <fmt/core.h>

#include "core/base/error.h"
#include "core/collect/cupti/refusal.h"

namespace dachlast::cupti {

void require_cupti(int cupti_result, std::string_view call) {
  if (cupti_result == 0) return;
  const CounterRefusal refusal = counter_refusal(cupti_result);
  throw Error(ErrorKind::kDevice, "counters", fmt::format("{} ({}: {})", refusal.reason, call, cupti_result),
              std::string(refusal.way_out));
}

}  // namespace dachlast::cupti
