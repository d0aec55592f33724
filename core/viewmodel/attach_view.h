#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/profile/range_summary.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// What an attached program annotated, as people read it.
struct AttachView {
  std::string title;                // the command
  std::vector<std::string> answer;  // how it ended; where the time went
  Table steps;                      // phases by the annotations of engines; no rows where there are none
  Table ranges;
  Table threads;
  std::vector<Remark> remarks;
};

/// `n_ranges`: rows of the list of names, the longest first.
AttachView attach_view(const AttachRecord& record, const RangeSummary& summary, std::size_t n_ranges);

}  // namespace dachlast::viewmodel
