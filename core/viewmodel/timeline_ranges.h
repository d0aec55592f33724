#pragma once

#include "core/profile/name_rules.h"
#include "core/trace/attach_record.h"
#include "core/viewmodel/timeline.h"

namespace dachlast::viewmodel {

/// What an attached program annotated, as a timeline of the thread with the most time inside ranges: for programs that did
/// nothing on a GPU. The outermost ranges that `rules` know as steps are phases, the innermost range of every moment is an
/// operation, and layers are there where ranges name them. Ranges that end by number may overlap others and are left out, but
/// for steps.
Timeline timeline_of_ranges(const AttachRecord& record, const NameRules& rules);

}  // namespace dachlast::viewmodel
