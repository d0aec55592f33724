#include "app/cli/output.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "app/cli/help.h"
#include "app/cli/plan_json.h"
#include "core/base/error.h"
#include "core/figure/labels.h"
#include "core/viewmodel/compare_view.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/gpu_roof_view.h"
#include "core/viewmodel/localise.h"
#include "core/viewmodel/run_view.h"
#include "reports/csv.h"
#include "reports/json.h"
#include "reports/markdown.h"

namespace dachlast::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kDefaultWidth = 80;
constexpr int kLeastWidth = 40;

int terminal_width() {
  if (const char* columns = std::getenv("COLUMNS"); columns != nullptr && std::atoi(columns) > 0)
    return std::max(std::atoi(columns), kLeastWidth);
  winsize size{};
  if (isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return std::max<int>(size.ws_col, kLeastWidth);
  return kDefaultWidth;
}

bool wants_color(ColorMode mode) {
  if (mode != ColorMode::kAuto) return mode == ColorMode::kAlways;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::strcmp(term, "dumb") != 0);
}

/// Foreign text made harmless, wrapped.
std::string wrapped_line(const std::string& text, std::size_t indent) {
  return wrapped(reports::terminal_escape(viewmodel::plain_spaces(text)), indent,
                 static_cast<std::size_t>(terminal_width())) +
         "\n";
}

/// What a reader must know to read a table right, below it.
std::string note_lines(const std::vector<std::string>& notes, const CommonOptions& common) {
  std::string text;
  for (const auto& note : notes) text += paragraph(note, common);
  return text;
}

/// One check a line; long findings go on below it, since a check is a sentence, not a row of figures.
std::string check_lines(std::span<const HostCheck> checks, const viewmodel::Words& words) {
  constexpr const char* kStates[] = {"good", "limited", "missing"};
  constexpr std::size_t kNameWidth = 20;
  int state_width = 0;
  for (const char* state : kStates) state_width = std::max(state_width, figure::display_width(words(state)));
  const auto indent = static_cast<std::size_t>(state_width) + kNameWidth + 4;
  const auto width = static_cast<std::size_t>(terminal_width());
  std::string text;
  for (const auto& check : checks) {
    const std::string line = words(check.finding) + (check.way_out.empty() ? "" : ". " + words(check.way_out));
    text += fmt::format("{:<{}}  {:<{}}  {}\n", words(kStates[static_cast<int>(check.state)]), state_width,
                        words(check.name), kNameWidth, wrapped(viewmodel::plain_spaces(line), indent, width));
  }
  return text;
}

[[noreturn]] void refuse_write(const std::string& file) {
  throw Error(ErrorKind::kFailure, file, fmt::format("cannot be written: {}.", std::strerror(errno)),
              "Check the folder, its permissions and the space left.");
}

/// Writes all of `text` or throws; errors name `subject`, and a file made here is removed again.
void write_whole(const fs::path& file, const std::string& subject, const std::string& text) {
  const bool existed = fs::exists(file);
  errno = 0;
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (out) return;
  const int cause = errno;
  std::error_code ignored;
  if (!existed) fs::remove(file, ignored);
  errno = cause;
  refuse_write(subject);
}

}  // namespace

reports::TerminalStyle terminal_style(const CommonOptions& common) {
  return {.width = terminal_width(),
          .color = wants_color(common.color) ? reports::Color::kAlways : reports::Color::kNever,
          .language = common.language,
          .units = common.units};
}

const viewmodel::Words& words_of(const CommonOptions& common) {
  return viewmodel::Words::of(common.language, common.units);
}

std::string paragraph(const std::string& english, const CommonOptions& common, std::size_t indent) {
  return wrapped_line(words_of(common)(english), indent);
}

void say(const std::string& english, const CommonOptions& common) {
  fmt::print(stderr, "{}\n", reports::terminal_escape(words_of(common)(english)));
}

void say(std::string_view head, const std::string& english, const CommonOptions& common) {
  const viewmodel::Words& words = words_of(common);
  fmt::print(stderr, "{}: {}\n", words(head), reports::terminal_escape(words(english)));
}

std::string remark_lines(std::string_view head, const std::vector<Remark>& remarks, const CommonOptions& common) {
  const viewmodel::Words& words = words_of(common);
  std::string text;
  for (const auto& remark : remarks) text += wrapped_line(fmt::format("{}: {}", words(head), words(remark.text)), 2);
  return text;
}

std::string render_table(std::string_view schema, std::string_view key, const viewmodel::Table& table,
                         const CommonOptions& common) {
  switch (common.format) {
    case Format::kTable:
      return reports::terminal_table(table, terminal_style(common)) + note_lines(table.notes, common);
    case Format::kMarkdown: return reports::markdown_table(table, words_of(common));
    case Format::kCsv: return reports::csv_table(table);
    case Format::kJson:
    case Format::kJsonl: return reports::json_table(schema, key, table);
  }
  return {};
}

std::string render_run(const Run& run, const CommonOptions& common) {
  switch (common.format) {
    case Format::kTable: return reports::terminal_run(viewmodel::run_view(run), terminal_style(common));
    case Format::kMarkdown: return reports::markdown_run(viewmodel::run_view(run), words_of(common));
    case Format::kJson: return reports::json_run(run);
    case Format::kJsonl: return reports::jsonl_run(run);
    case Format::kCsv: return reports::csv_run(run);
  }
  return {};
}

std::string render_plan(const RunPlan& plan, const CommonOptions& common) {
  const PlanView view = plan_view(plan);
  const viewmodel::Words& words = words_of(common);
  if (common.format == Format::kJson || common.format == Format::kJsonl) return json_plan(plan);
  if (common.format == Format::kCsv) return reports::csv_table(view.points);
  if (common.format == Format::kMarkdown)
    return fmt::format("{}\n\n{}\n{}", reports::markdown_text(words, view.answer),
                       reports::markdown_table(view.points, words), reports::markdown_table(view.memory, words));
  const auto style = terminal_style(common);
  return fmt::format("{}\n\n{}\n{}\n{}{}", viewmodel::plain_spaces(words_of(common)(view.answer)),
                     reports::terminal_table(view.points, style), reports::terminal_table(view.memory, style),
                     remark_lines("note", view.warnings, common), remark_lines("assumed", view.assumptions, common));
}

std::string render_roofs(const DeviceRoofs& roofs, const CommonOptions& common) {
  if (common.format == Format::kJson || common.format == Format::kJsonl) return reports::json_roofs(roofs);
  return render_table("dachlast.roofs/1", "bandwidths", viewmodel::bandwidth_table(roofs), common) + "\n" +
         render_table("dachlast.roofs/1", "computes", viewmodel::compute_table(roofs), common);
}

std::string render_gpu_roofs(const GpuRoofs& roofs, const CommonOptions& common) {
  if (common.format == Format::kJson || common.format == Format::kJsonl) return reports::json_gpu_roofs(roofs);
  return render_table("dachlast.gpu_roofs/1", "roofs", viewmodel::gpu_roof_table(roofs), common);
}

std::string render_comparison(const Run& base, const Run& other, const Comparison& comparison,
                              const CommonOptions& common) {
  if (common.format == Format::kJson || common.format == Format::kJsonl)
    return reports::json_compare(base, other, comparison);
  const auto view = viewmodel::compare_view(base, other, comparison);
  if (common.format == Format::kCsv) return reports::csv_table(view.points);
  if (common.format == Format::kMarkdown) return reports::markdown_compare(view, words_of(common));
  return reports::terminal_compare(view, terminal_style(common));
}

std::string render_checks(std::span<const HostCheck> checks, const CommonOptions& common) {
  if (common.format == Format::kTable) return check_lines(checks, words_of(common));
  return render_table("dachlast.doctor/1", "checks", checks_table(checks), common);
}

void print_result(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    refuse_write("standard output");
}

void write_result(const std::string& file, const std::string& text) {
  if (file == "-") return print_result(text);
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) return write_whole(file, file, text);  // a device or a pipe
  const fs::path partial = file + ".partial";
  write_whole(partial, file, text);
  fs::rename(partial, file, error);
  if (!error) return;
  std::error_code ignored;
  fs::remove(partial, ignored);
  throw Error(ErrorKind::kFailure, file, fmt::format("cannot be written: {}.", error.message()),
              "Choose another --output.");
}

}  // namespace dachlast::cli
