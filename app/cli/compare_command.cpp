#include <fmt/core.h>

#include <cstdio>
#include <vector>

#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/cli/run_file.h"
#include "core/roofline/compare.h"
#include "core/viewmodel/format.h"
#include "core/workbench/parse.h"

namespace dachlast::cli {
namespace {

class CompareCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("base", base_, "Baseline run")->required()->type_name("BASE")->group(kMainGroup);
    app.add_option("new", others_, "Runs to hold against it")->required()->type_name("NEW...")->group(kMainGroup);
    app.add_option("--threshold", threshold_, "Smallest change that counts, below it everything is noise")
        ->type_name("PERCENT")
        ->capture_default_str()
        ->group(kMainGroup);
    app.add_option("--fail-on", fail_on_, "Exit 4 where a phase got slower by more: decode:5%,prefill:10%")
        ->type_name("RULES")
        ->group(kMainGroup);
  }

  int execute(const CommonOptions& common) override {
    const auto rules = fail_on_.empty() ? std::vector<FailRule>{} : parse_fail_rules(fail_on_);
    const Run base = open_and_note(base_, common);
    ExitCode code = kExitDone;
    for (const auto& file : others_) {
      const Run other = open_and_note(file, common);
      const Comparison comparison = compare_runs(base, other, parse_percent("--threshold", threshold_));
      print_result(render_comparison(base, other, comparison, common));
      if (report_failures(failed_rules(comparison, rules), common)) code = kExitRegression;
    }
    return code;
  }

 private:
  static bool report_failures(const std::vector<FailedRule>& failures, const CommonOptions& common) {
    for (const auto& failure : failures)
      say("regression",
          fmt::format("{} {} beyond the limit of {}, worst at {} tokens, batch {}", name_of(failure.rule.phase),
                      viewmodel::format_change(failure.change), viewmodel::format_percent(failure.rule.limit),
                      viewmodel::format_count(failure.worst_point.context_tokens), failure.worst_point.batch_size),
          common);
    return !failures.empty();
  }

  std::string base_;
  std::vector<std::string> others_;
  std::string threshold_ = "1%";
  std::string fail_on_;
};

}  // namespace

std::unique_ptr<Command> make_compare_command() {
  return std::make_unique<CompareCommand>();
}

}  // namespace dachlast::cli
