#include "app/cli/run_file.h"

#include <fmt/core.h>

#include <cstdio>

#include "core/workbench/workbench.h"

namespace dachlast::cli {

Run open_and_note(const std::string& file, const CommonOptions& common) {
  OpenedRun opened = open_run(file);
  if (common.verbosity != Verbosity::kQuiet) {
    for (const auto& skipped : opened.skipped) fmt::print(stderr, "note: {}: skipped {}\n", file, skipped);
    if (!opened.run.complete)
      fmt::print(stderr, "note: {}: partial ({} of {} points)\n", file, opened.run.points.size(),
                 opened.run.planned_points);
  }
  return std::move(opened.run);
}

}  // namespace dachlast::cli
