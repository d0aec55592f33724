#include <fmt/core.h>

#include "app/cli/attach_output.h"
#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/cli/project_output.h"
#include "app/cli/run_file.h"
#include "app/cli/scenario_output.h"
#include "core/base/error.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/report_view.h"
#include "core/viewmodel/run_view.h"
#include "core/workbench/attach.h"
#include "core/workbench/open_plan.h"
#include "core/workbench/workbench.h"

namespace dachlast::cli {
namespace {

// Names of ranges; all of them in machine formats would be no more than people can scroll.
constexpr std::size_t kRangesShown = 1000;

class ShowCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("file", file_, "Run file, report, project, or the record of an attached program")
        ->required()
        ->type_name("FILE")
        ->group(kMainGroup);
    app.add_option("--view", view_, "overview, ops, roofline, memory, kv or configuration")
        ->type_name("VIEW")
        ->capture_default_str()
        ->group(kMainGroup);
  }

  int execute(const CommonOptions& common) override {
    if (holds_attached_program(file_)) {
      print_result(render_attached(attached_view(file_, kRangesShown), attached_gpu_view(file_), common));
      return kExitDone;
    }
    if (is_project(file_)) {
      print_result(render_project(open_project_and_note(file_, common), common));
      return kExitDone;
    }
    if (const auto plan = open_plan(file_)) {
      print_result(render_scenarios({&*plan, 1}, common));
      return kExitDone;
    }
    const Run run = open_and_note(file_, common);
    print_result(rendered(run, common));
    return kExitDone;
  }

 private:
  std::string rendered(const Run& run, const CommonOptions& common) const {
    if (view_ == "overview") return render_run(run, common);
    const auto segments = memory_of(run);
    const auto view = viewmodel::run_view(run, segments);
    if (view_ == "roofline") return render_roofs(run.roofs, common);
    if (view_ == "configuration")
      return render_table("dachlast.configuration/1", "settings", view.configuration, common);
    if (view_ == "ops") return operations(run, view, common);
    if (view_ == "kv") return cache(run, common);
    if (view_ == "memory" && view.memory) return render_table("dachlast.memory/1", "segments", *view.memory, common);
    if (view_ == "memory")
      throw Error(ErrorKind::kInput, file_,
                  fmt::format("its model '{}' is not here, so no breakdown can be computed.", run.model.name),
                  "Run the command where the model's config.json lies.");
    throw Error(ErrorKind::kUsage, "--view " + view_, "not a view.",
                "Use overview, ops, roofline, memory, kv or configuration.");
  }

  /// What a report says of the cache.
  std::string cache(const Run& run, const CommonOptions& common) const {
    const viewmodel::ReportView report = viewmodel::report_view(run);
    if (report.kv_tables.empty())
      throw Error(ErrorKind::kInput, file_, "it holds nothing of a KV cache.",
                  "Measure it with --serve, --compare-uncached or --what-if.");
    if (common.format != Format::kTable && common.format != Format::kMarkdown) return render_run(run, common);
    std::string text;
    if (common.format == Format::kTable)
      for (const std::string& line : report.kv_lines) text += paragraph(line, common);
    for (const viewmodel::Table& table : report.kv_tables)
      text += (text.empty() ? "" : "\n") + render_table("dachlast.kv/1", table.id, table, common);
    return text;
  }

  std::string operations(const Run& run, const viewmodel::RunView& view, const CommonOptions& common) const {
    if (common.format != Format::kTable && common.format != Format::kMarkdown) return render_run(run, common);
    std::string text;
    for (const auto& point : view.ops)
      text += fmt::format("{}\n{}\n{}\n", viewmodel::plain_spaces(words_of(common)(point.heading)),
                          viewmodel::plain_spaces(words_of(common)(point.verdict)),
                          render_table("dachlast.ops/1", "ops", point.table, common));
    return text;
  }

  std::string file_;
  std::string view_ = "overview";
};

}  // namespace

std::unique_ptr<Command> make_show_command() {
  return std::make_unique<ShowCommand>();
}

}  // namespace dachlast::cli
