#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/viewmodel/table.h"
#include "core/workbench/workbench.h"

namespace dachlast {

/// A run plan as people read it: `run --dry-run` and the window's measure page.
struct PlanView {
  std::string answer;  // "Fits: needs 0.62 GiB of 21.40 GiB free. About 40 s."
  viewmodel::Table points;
  viewmodel::Table memory;  // segments, their sum, what is free
  std::vector<Remark> warnings;
  std::vector<Remark> assumptions;
};

PlanView plan_view(const RunPlan& plan);

/// The same sentence the refusal of a plan that does not fit gives: "Needs …, free are …: … short. …".
std::string shortage_text(const RunPlan& plan);

viewmodel::Table checks_table(std::span<const HostCheck> checks);
viewmodel::Table presets_table(std::span<const PresetInfo> presets);
viewmodel::Table model_table(const ModelSource& source);

}  // namespace dachlast
