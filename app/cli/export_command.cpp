#include <fmt/core.h>

#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/cli/run_file.h"
#include "core/base/error.h"
#include "core/viewmodel/charts.h"
#include "core/workbench/workbench.h"
#include "reports/csv.h"
#include "reports/json.h"

namespace dachlast::cli {
namespace {

class ExportCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("file", file_, "Run file")->required()->type_name("FILE")->group(kMainGroup);
    app.add_option("--to", target_, "json, jsonl, csv, svg (a chart) or trace (Chrome trace of the recorded steps)")
        ->type_name("KIND")
        ->capture_default_str()
        ->group(kMainGroup);
    app.add_option("--view", view_,
                   "Chart of an svg: roofline, phases, memory, speed-over-batch, speed-over-context, kv, kv-history, "
                   "kv-waste or kv-growth (default: roofline)")
        ->type_name("CHART")
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
  std::string chart_of(const Run& run, const CommonOptions& common) const {
    std::vector<viewmodel::NamedChart> charts =
        viewmodel::charts_of(viewmodel::report_view(run, memory_of(run), &words_of(common)));
    for (viewmodel::NamedChart& chart : viewmodel::cache_charts_of(run, &words_of(common)))
      charts.push_back(std::move(chart));
    return chart_svg(charts, view_.empty() ? "roofline" : view_, run.model.name, common);
  }

  std::string exported(const CommonOptions& common) const {
    if (!view_.empty() && target_ != "svg")
      throw Error(ErrorKind::kUsage, "--view", "chooses the chart of an svg.", "Add --to svg.");
    if (target_ == "trace") return chrome_trace_of(file_);
    const Run run = open_and_note(file_, common);
    if (target_ == "json") return reports::json_run(run);
    if (target_ == "jsonl") return reports::jsonl_run(run);
    if (target_ == "csv") return reports::csv_run(run);
    if (target_ == "svg") return chart_of(run, common);
    throw Error(ErrorKind::kUsage, "--to " + target_, "not a format of exports.",
                "Use json, jsonl, csv, svg or trace.");
  }

  std::string file_;
  std::string target_ = "json";
  std::string view_;
  std::string output_ = "-";
};

}  // namespace

std::unique_ptr<Command> make_export_command() {
  return std::make_unique<ExportCommand>();
}

}  // namespace dachlast::cli
