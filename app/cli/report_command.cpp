#include <fmt/chrono.h>
#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/cli/run_file.h"
#include "core/base/error.h"
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
    if (*end != '\0')
      throw Error(ErrorKind::kUsage, "SOURCE_DATE_EPOCH", "is not a number of seconds.",
                  "Unset it or give seconds since 1970.");
  }
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

class ReportCommand : public Command {
 public:
  void define(CLI::App& app) override {
    const auto main = [](CLI::Option* option) { option->group(kMainGroup); };
    main(app.add_option("file", file_, "Run file")->required()->type_name("FILE"));
    main(app.add_option("--output,-o", output_, "File to write; - is standard output (default: FILE with .html)")
             ->type_name("FILE"));
    main(app.add_option("--title", title_, "Title of the report (default: made from the run)")->type_name("TEXT"));
    main(app.add_option("--author", author_, "Author")->type_name("TEXT"));
    main(app.add_option("--note", note_, "A note shown in the summary")->type_name("TEXT"));
    main(app.add_option("--theme", theme_, "auto, light or dark")->type_name("THEME")->capture_default_str());
    main(app.add_option("--timestamp", timestamp_, "Date of the report (default: now; SOURCE_DATE_EPOCH is honoured)")
             ->type_name("ISO"));
  }

  int execute(const CommonOptions& common) override {
    const reports::HtmlOptions options = html_options();
    const Run run = open_and_note(file_, common);
    const auto memory = memory_of(run);
    const std::string target = output_file();
    write_result(target, reports::run_html(run, options, memory));
    if (target != "-" && common.verbosity != Verbosity::kQuiet) fmt::print(stderr, "Wrote {}.\n", target);
    return kExitDone;
  }

 private:
  reports::HtmlOptions html_options() const {
    return {.timestamp = timestamp_.empty() ? report_time() : timestamp_,
            .title = title_,
            .author = author_,
            .note = note_,
            .theme = theme()};
  }

  reports::Theme theme() const {
    if (theme_ == "auto") return reports::Theme::kAuto;
    if (theme_ == "light") return reports::Theme::kLight;
    if (theme_ == "dark") return reports::Theme::kDark;
    throw Error(ErrorKind::kUsage, "--theme " + theme_, "not a theme.", "Use auto, light or dark.");
  }

  std::string output_file() const {
    return output_.empty() ? std::filesystem::path(file_).replace_extension(".html").string() : output_;
  }

  std::string file_;
  std::string output_;
  std::string title_;
  std::string author_;
  std::string note_;
  std::string theme_ = "auto";
  std::string timestamp_;
};

}  // namespace

std::unique_ptr<Command> make_report_command() {
  return std::make_unique<ReportCommand>();
}

}  // namespace dachlast::cli
