#pragma once

#include <string>
#include <vector>

#include "core/roofline/compare.h"
#include "core/roofline/run.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// Two runs side by side, the base first.
struct CompareView {
  std::string answer;   // "SLOWER: decode +7.9 % (noise ±1.2 %), prefill within noise. Largest change: …"
  Table configuration;  // settings that differ; no rows where all are equal
  Table phases;
  Table points;
  std::vector<std::string> notes;  // points only one of the runs has
};

CompareView compare_view(const Run& base, const Run& other, const Comparison& comparison);

}  // namespace dachlast::viewmodel
