#include <fmt/core.h>

#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/cli/run_file.h"
#include "core/base/error.h"
#include "core/viewmodel/localise.h"
#include "core/viewmodel/roofline_plot.h"
#include "core/workbench/workbench.h"
#include "reports/csv.h"
#include "reports/json.h"
#include "reports/svg.h"

namespace dachlast::cli {
namespace {

class ExportCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("file", file_, "Run file")->required()->type_name("FILE")->group(kMainGroup);
    app.add_option("--to", target_, "json, jsonl, csv, svg (roofline) or trace (Chrome trace of the recorded steps)")
        ->type_name("KIND")
        ->capture_default_str()
        ->group(kMainGroup);
    app.add_option("--output,-o", output_, "File to write; - is standard output")
        ->type_name("FILE")
        ->capture_default_str()
        ->group(kMainGroup);
  }

  int execute(const CommonOptions& common) override {
    write_result(output_, exported(common));
    return kExitDone;
  }

 private:
  static std::string roofline_svg(const Run& run, const CommonOptions& common) {
    constexpr figure::Size kSize{1200.0, 720.0};
    return reports::svg_file(viewmodel::in_language(
        viewmodel::roofline_figure(viewmodel::roofline_plot(run), kSize, "roofline"), words_of(common)));
  }

  std::string exported(const CommonOptions& common) const {
    if (target_ == "trace") return chrome_trace_of(file_);
    const Run run = open_and_note(file_, common);
    if (target_ == "json") return reports::json_run(run);
    if (target_ == "jsonl") return reports::jsonl_run(run);
    if (target_ == "csv") return reports::csv_run(run);
    if (target_ == "svg") return roofline_svg(run, common);
    throw Error(ErrorKind::kUsage, "--to " + target_, "not a format of exports.",
                "Use json, jsonl, csv, svg or trace.");
  }

  std::string file_;
  std::string target_ = "json";
  std::string output_ = "-";
};

}  // namespace

std::unique_ptr<Command> make_export_command() {
  return std::make_unique<ExportCommand>();
}

}  // namespace dachlast::cli
