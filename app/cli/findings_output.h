#pragma once

#include <string>
#include <vector>

#include "app/cli/command.h"
#include "core/roofline/run.h"
#include "core/viewmodel/table.h"

namespace dachlast::cli {

/// What was found in a recording or in an attached program: sentences, tables that have rows, remarks.
struct Findings {
  std::string title;
  std::vector<std::string> answer;
  std::vector<const viewmodel::Table*> tables;
  std::vector<Remark> remarks;
};

/// As text or Markdown, whichever of the two is asked for.
std::string render_findings(const Findings& findings, const CommonOptions& common);

/// `head` is a JSON object of the keys that stand before the tables, schema first; tables follow by their ids, then the
/// remarks as "warnings".
std::string json_findings(const std::string& head, const Findings& findings);

}  // namespace dachlast::cli
