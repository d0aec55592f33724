#include "app/cli/project_output.h"

#include <fmt/core.h>

#include "app/cli/output.h"
#include "core/workbench/project_view.h"
#include "reports/csv.h"
#include "reports/markdown.h"
#include "reports/terminal.h"

namespace dachlast::cli {
namespace {

template <class Render>
std::string joined_tables(const ProjectView& view, const Render& render) {
  std::string text = render(view.runs);
  if (!view.scenarios.rows.empty()) text += "\n" + render(view.scenarios);
  return text;
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
      say("note", fmt::format("{}: skipped {}", file.string(), skipped), common);
  return std::move(opened.project);
}

std::string render_project(const Project& project, const CommonOptions& common) {
  if (common.format == Format::kJson || common.format == Format::kJsonl) return project_text(project, {});
  const ProjectView view = project_view(project);
  if (common.verbosity != Verbosity::kQuiet)
    for (const std::string& problem : view.problems) say("note", problem, common);
  if (common.format == Format::kCsv) return joined_tables(view, reports::csv_table);
  if (common.format == Format::kMarkdown)
    return reports::markdown_text(words_of(common), view.answer) + "\n\n" +
           joined_tables(
               view, [&](const viewmodel::Table& table) { return reports::markdown_table(table, words_of(common)); });
  return terminal_project(view, common);
}

}  // namespace dachlast::cli
