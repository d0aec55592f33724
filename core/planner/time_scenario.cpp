#include "core/planner/time_scenario.h"

#include <fmt/core.h>

#include <cmath>

#include "core/base/error.h"

namespace dachlast {

double tokens_per_pass(const Speculation& speculation) {
  constexpr int kMostDrafted = 64;  // engines refuse more
  const double a = speculation.acceptance;
  if (speculation.draft_tokens < 0 || speculation.draft_tokens > kMostDrafted)
    throw Error(ErrorKind::kUsage, "speculative decoding",
                fmt::format("{} drafted tokens are not between 0 and {}.", speculation.draft_tokens, kMostDrafted));
  if (!(a >= 0.0 && a <= 1.0))
    throw Error(ErrorKind::kUsage, "speculative decoding",
                fmt::format("an acceptance of {} is not between 0 and 1.", a));
  if (a == 1.0) return speculation.draft_tokens + 1.0;
  return (1.0 - std::pow(a, speculation.draft_tokens + 1.0)) / (1.0 - a);
}

}  // namespace dachlast
