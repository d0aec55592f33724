#pragma once

#include <string>
#include <vector>

#include "core/planner/advise.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// One lever in words.
struct AdviceLine {
  std::string head;    // "INT4 weights: +102 % (+74 % to +134 %), 10.9 GiB less"
  std::string reason;  // empty: the figures say it
  std::string risk;
  std::string source;  // of the risk
  std::string command;
  std::string engine_option;
};

/// Advice as people read it.
struct AdviceView {
  std::string answer;                  // "Decode takes 97 % of the time and is weight-bound … Most gained: …"
  std::string subject;                 // "llama-3.1-8b on H100 SXM5 80GB, 1 × (7,168 + 1,024 tokens), vLLM"
  Table gains;                         // what is worth trying, the most first
  std::vector<AdviceLine> worthwhile;  // the same, with risk and command
  Table verified;                      // predicted beside measured; no rows where nothing was run
  std::vector<AdviceLine> wasted;      // what changes next to nothing here, or slows down
  std::vector<AdviceLine> others;      // in use, does not fit, does not apply
  Table levers;                        // every lever, every field: CSV and Markdown
};

AdviceView advice_view(const AdviceReport& report);

}  // namespace dachlast::viewmodel
