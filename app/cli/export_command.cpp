#include <fmt/core.h>

#include "app/cli/chart_output.h"
#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/cli/run_file.h"
#include "core/base/error.h"
#include "core/workbench/workbench.h"
#include "reports/csv.h"
#include "reports/json.h"

namespace dachlast::cli {
namespace {

class ExportCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("file", file_, "Run file")->required()->type_name("FILE")->group(kMainGroup);
    app.add_option("--to", target_,
                   "json, jsonl, csv, svg or png (a chart), or trace (Chrome trace of the recorded steps)")
        ->type_name("KIND")
        ->capture_default_str()
        ->group(kMainGroup);
    app.add_option(
           "--view", view_,
           "Chart of an svg or png, or whose data a csv or json holds: roofline, phases, memory, speed-over-batch, "
           "speed-over-context, kv, kv-history, kv-waste or kv-growth (default: roofline)")
        ->type_name("CHART")
        ->group(kMainGroup);
    drawing_.define(app);
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
  std::string chart_of(const Run& run, ChartKind kind, const CommonOptions& common) const {
    const viewmodel::Words& words = words_of(common);
    const viewmodel::ReportView report = viewmodel::report_view(run, memory_of(run), &words);
    const std::vector<viewmodel::NamedChart> charts = viewmodel::charts_of(run, report, &words);
    const auto head = viewmodel::sheet_head(report, words);
    return chart_file({charts, head, run.model.name}, view_.empty() ? "roofline" : view_, kind, drawing_, common);
  }

  std::string exported(const CommonOptions& common) const {
    if (target_ == "trace" || target_ == "jsonl") refuse_view();
    if (target_ == "trace") return chrome_trace_of(file_);
    const Run run = open_and_note(file_, common);
    if (target_ == "svg") return chart_of(run, ChartKind::kSvg, common);
    if (target_ == "png") return chart_of(run, ChartKind::kPng, common);
    if (target_ == "json") return view_.empty() ? reports::json_run(run) : chart_of(run, ChartKind::kJson, common);
    if (target_ == "csv") return view_.empty() ? reports::csv_run(run) : chart_of(run, ChartKind::kCsv, common);
    if (target_ == "jsonl") return reports::jsonl_run(run);
    throw Error(ErrorKind::kUsage, "--to " + target_, "not a format of exports.",
                "Use json, jsonl, csv, svg, png or trace.");
  }

  void refuse_view() const {
    if (!view_.empty())
      throw Error(ErrorKind::kUsage, "--view", fmt::format("chooses a chart, and {} holds none.", target_),
                  "Add --to svg, png, csv or json.");
  }

  std::string file_;
  std::string target_ = "json";
  std::string view_;
  ChartOptions drawing_;
  std::string output_ = "-";
};

}  // namespace

std::unique_ptr<Command> make_export_command() {
  return std::make_unique<ExportCommand>();
}

}  // namespace dachlast::cli
