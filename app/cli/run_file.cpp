#include "app/cli/run_file.h"

#include <fmt/core.h>

#include "app/cli/output.h"
#include "core/workbench/workbench.h"

namespace dachlast::cli {

Run open_and_note(const std::string& file, const CommonOptions& common) {
  OpenedRun opened = open_run(file);
  if (common.verbosity != Verbosity::kQuiet) {
    for (const auto& skipped : opened.skipped) say("note", fmt::format("{}: skipped {}", file, skipped), common);
    if (!opened.run.complete)
      say("note",
          fmt::format("{}: partial ({} of {} points)", file, opened.run.points.size(), opened.run.planned_points),
          common);
  }
  return std::move(opened.run);
}

}  // namespace dachlast::cli
