#include <fmt/chrono.h>
#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/cli/project_output.h"
#include "app/cli/run_file.h"
#include "app/cli/scenario_options.h"
#include "app/documents/pdf.h"
#include "app/documents/scenario_json.h"
#include "core/base/error.h"
#include "core/workbench/open_plan.h"
#include "core/workbench/project_view.h"
#include "core/workbench/scenario_report.h"
#include "core/workbench/workbench.h"
#include "reports/html.h"

namespace dachlast::cli {
namespace {

/// Now, or SOURCE_DATE_EPOCH where it is set, as ISO 8601 UTC.
std::string report_time() {
  std::time_t now = std::time(nullptr);
  if (const char* fixed = std::getenv("SOURCE_DATE_EPOCH"); fixed != nullptr && *fixed != '\0') {
    char* end = nullptr;
    now = static_cast<std::time_t>(std::strtoll(fixed, &end, 10));
    constexpr std::time_t kYear10000 = 253402300800;  // four digits of a year hold no more
    if (*end != '\0' || now < 0 || now >= kYear10000)
      throw Error(ErrorKind::kUsage, "SOURCE_DATE_EPOCH", "is not a number of seconds.",
                  "Unset it or give seconds since 1970.");
  }
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

/// The logo's file as it is embedded.
std::string logo_uri(const std::string& file) {
  if (file.empty()) return {};
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  std::ifstream in(file, std::ios::binary);
  if (error || !in) throw Error(ErrorKind::kInput, file, "cannot be read.", "Give a PNG, JPEG or SVG file.");
  constexpr std::uintmax_t kMost = 64u << 20;
  if (size > kMost) throw Error(ErrorKind::kUsage, file, "is too large for a logo.", "Give a smaller image.");
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return reports::image_uri(file, bytes.str());
}

class ReportCommand : public Command {
 public:
  ResultKind result() const override { return ResultKind::kDocument; }

  void define(CLI::App& app) override {
    const auto main = [](CLI::Option* option) { return option->group(kMainGroup); };
    main(app.add_option("file", file_, "Run file, a report, or a project")->type_name("FILE"));
    main(app.add_option("--output,-o", output_,
                        "File to write; - is standard output (default: FILE, or MODEL-plan, with .html or .pdf)")
             ->type_name("FILE"));
    main(app.add_option("--baseline", baseline_, "Run to hold this one against")->type_name("FILE"));
    main(app.add_option("--level", level_, "summary (two pages) or full")->type_name("LEVEL")->capture_default_str());
    main(app.add_option("--title", title_, "Title of the report (default: made from what it reports)")
             ->type_name("TEXT"));
    main(app.add_option("--author", author_, "Author")->type_name("TEXT"));
    main(app.add_option("--note", note_, "A note shown in the summary")->type_name("TEXT"));
    main(app.add_option("--logo", logo_, "PNG, JPEG or SVG shown at the top")->type_name("FILE"));
    main(app.add_option("--theme", theme_, "auto, light or dark")->type_name("THEME")->capture_default_str());
    main(app.add_option("--timestamp", timestamp_, "Date of the report (default: now; SOURCE_DATE_EPOCH is honoured)")
             ->type_name("ISO"));
    scenario_.define(app);
  }

  int execute(const CommonOptions& common) override {
    const bool pdf = common.document == DocumentFormat::kPdf;
    reports::HtmlOptions options = html_options();
    options.language = common.language;
    options.units = common.units;
    if (pdf) options.medium = reports::Medium::kPaper;
    check_subject();
    const std::string html = document(options, common);
    const std::string target = output_file(pdf ? ".pdf" : ".html");
    write_result(target, pdf ? pdf_of(html) : html);
    if (target != "-" && common.verbosity != Verbosity::kQuiet) say(fmt::format("Wrote {}.", target), common);
    return kExitDone;
  }

 private:
  void check_subject() const {
    if (file_.empty() == scenario_.given()) {
      if (!file_.empty() || baseline_.empty()) return;
      throw Error(ErrorKind::kUsage, "--baseline", "compares runs, and a plan is none.", "Give a run file.");
    }
    throw Error(ErrorKind::kUsage, "report",
                scenario_.given() ? "was given a run and a model." : "was given nothing to report.",
                "Give a run file, or --model and --gpu.");
  }

  std::string document(const reports::HtmlOptions& options, const CommonOptions& common) const {
    if (scenario_.given()) return plan_document(scenario_.plan(), options);
    if (is_project(file_)) return project_document(options, common);
    if (baseline_.empty())
      if (const auto plan = open_plan(file_)) return plan_document(*plan, options);
    return run_document(file_, baseline_, options, common);
  }

  /// The run shown, against the baseline of the project or that of the command line; else the scenario.
  std::string project_document(reports::HtmlOptions options, const CommonOptions& common) const {
    const Project project = open_project_and_note(file_, common);
    const ProjectSubject subject = subject_of(project);
    if (options.note.empty()) options.note = subject.note;
    if (!subject.run.empty())
      return run_document(subject.run.string(), baseline_.empty() ? subject.baseline.string() : baseline_, options,
                          common);
    if (const auto plan = plan_of(project)) return plan_document(*plan, options);
    throw Error(ErrorKind::kInput, file_, "the project holds neither runs nor scenarios.",
                "Open it in dachlast-gui and add some.");
  }

  static std::string run_document(const std::string& file, const std::string& baseline,
                                  const reports::HtmlOptions& options, const CommonOptions& common) {
    const Run run = open_and_note(file, common);
    const auto memory = memory_of(run);
    if (baseline.empty()) return reports::run_html(run, options, memory);
    const Run base = open_and_note(baseline, common);
    return reports::comparison_html(base, run, compare_runs(base, run), options, memory);
  }

  static std::string plan_document(const ScenarioPlan& plan, const reports::HtmlOptions& options) {
    const reports::EmbeddedData data[] = {{"dachlast-data", json_scenario(plan)}};
    return reports::report_html(
        full_report_view(plan, options.units, &viewmodel::Words::of(options.language, options.units)), data, options);
  }

  reports::HtmlOptions html_options() const {
    return {.timestamp = timestamp_.empty() ? report_time() : timestamp_,
            .title = title_,
            .author = author_,
            .note = note_,
            .logo = logo_uri(logo_),
            .theme = theme(),
            .level = level()};
  }

  reports::Theme theme() const {
    if (theme_ == "auto") return reports::Theme::kAuto;
    if (theme_ == "light") return reports::Theme::kLight;
    if (theme_ == "dark") return reports::Theme::kDark;
    throw Error(ErrorKind::kUsage, "--theme " + theme_, "not a theme.", "Use auto, light or dark.");
  }

  reports::ReportLevel level() const {
    if (level_ == "summary") return reports::ReportLevel::kSummary;
    if (level_ == "full") return reports::ReportLevel::kFull;
    throw Error(ErrorKind::kUsage, "--level " + level_, "not a level.", "Use summary or full.");
  }

  std::string output_file(const char* extension) const {
    if (!output_.empty()) return output_;
    const std::filesystem::path named = file_.empty() ? scenario_.plan_name() : file_;
    std::filesystem::path target = named;
    target.replace_extension(extension);
    // A report made from a report must not overwrite it unasked.
    if (target == named) target = named.parent_path() / (named.stem().string() + "-report" + extension);
    return target.string();
  }

  std::string file_;
  std::string output_;
  std::string baseline_;
  std::string level_ = "full";
  std::string title_;
  std::string author_;
  std::string note_;
  std::string logo_;
  std::string theme_ = "auto";
  std::string timestamp_;
  ScenarioOptions scenario_;
};

}  // namespace

std::unique_ptr<Command> make_report_command() {
  return std::make_unique<ReportCommand>();
}

}  // namespace dachlast::cli
