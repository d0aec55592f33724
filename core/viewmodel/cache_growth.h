#pragma once

#include <string>

#include "core/figure/figure.h"
#include "core/roofline/run.h"

namespace dachlast::viewmodel {

/// Time of every generated token over the length of its sequence, with the KV cache and recomputed.
/// Errors   throws `Error` (kFailure) where fewer than two tokens were generated both ways.
figure::Figure cache_growth_figure(const UncachedComparison& comparison, figure::Size size, std::string id);

}  // namespace dachlast::viewmodel
