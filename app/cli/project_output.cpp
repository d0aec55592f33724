#include "app/cli/project_output.h"

#include <fmt/core.h>

#include <cstdio>

#include "app/cli/output.h"
#include "core/workbench/project_view.h"
#include "reports/csv.h"
#include "reports/markdown.h"
#include "reports/terminal.h"

namespace dachlast::cli {
namespace {

std::string joined_tables(const ProjectView& view, std::string (*render)(const viewmodel::Table&)) {
  std::string text = render(view.runs);
  if (!view.scenarios.rows.empty()) text += "\n" + render(view.scenarios);
  return text;
}

std::string csv(const viewmodel::Table& table) {
  return reports::csv_table(table);
}

std::string markdown(const viewmodel::Table& table) {
  return reports::markdown_table(table);
}

std::string terminal_project(const ProjectView& view, const CommonOptions& common) {
  std::string text = words_of(common)(view.answer) + "\n";
  if (!view.note.empty()) text += view.note + "\n";
  if (!view.runs.rows.empty()) text += "\n" + reports::terminal_table(view.runs, terminal_style(common));
  if (!view.scenarios.rows.empty()) text += "\n" + reports::terminal_table(view.scenarios, terminal_style(common));
  return text;
}

}  // namespace

Project open_project_and_note(const std::filesystem::path& file, const CommonOptions& common) {
  OpenedProject opened = read_project(file);
  if (common.verbosity != Verbosity::kQuiet)
    for (const std::string& skipped : opened.skipped)
      fmt::print(stderr, "note: {}: skipped {}\n", file.string(), skipped);
  return std::move(opened.project);
}

std::string render_project(const Project& project, const CommonOptions& common) {
  if (common.format == Format::kJson || common.format == Format::kJsonl) return project_text(project, {});
  const ProjectView view = project_view(project);
  if (common.verbosity != Verbosity::kQuiet)
    for (const std::string& problem : view.problems) fmt::print(stderr, "note: {}\n", problem);
  if (common.format == Format::kCsv) return joined_tables(view, csv);
  if (common.format == Format::kMarkdown)
    return reports::markdown_escape(view.answer) + "\n\n" + joined_tables(view, markdown);
  return terminal_project(view, common);
}

}  // namespace dachlast::cli
