#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "core/workbench/scenario.h"

namespace dachlast::cli {

/// The options that name one scenario, for commands that plan as a part of what they do. `plan` compares several and
/// has lists instead.
class ScenarioOptions {
 public:
  void define(CLI::App& app);

  /// Whether a model was named.
  bool given() const { return !model_.empty(); }

  /// "gpt2-plan": what a file about the plan is called.
  std::string plan_name() const;

  /// Errors   throws `Error` for whatever is wrong with the scenario.
  ScenarioPlan plan() const;

 private:
  std::string model_;
  std::string gpu_;
  std::string context_;
  std::string batch_;
  std::string weights_;
  std::string cache_;
  std::string kv_;
  std::string engine_ = "vllm";
  std::string fraction_;
  Layout layout_;
};

}  // namespace dachlast::cli
