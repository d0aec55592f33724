#pragma once

#include <string>

#include "core/figure/figure.h"
#include "core/roofline/run.h"

namespace dachlast::viewmodel {

/// One bar per measured point: where the time of a step goes, by family of operations, gaps included.
figure::Figure phase_bars(const Run& run, double width, std::string id, const figure::Wording* wording = nullptr);

}  // namespace dachlast::viewmodel
