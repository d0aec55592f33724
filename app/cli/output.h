#pragma once

#include <span>
#include <string>

#include "app/cli/command.h"
#include "core/workbench/plan_view.h"
#include "core/workbench/workbench.h"
#include "reports/terminal.h"

// The result of a command in the format asked for. JSON, CSV and Markdown hold the same fields as the terminal's
// tables.
namespace dachlast::cli {

std::string render_run(const Run& run, const CommonOptions& common);
std::string render_plan(const RunPlan& plan, const CommonOptions& common);
std::string render_gpu_roofs(const GpuRoofs& roofs, const CommonOptions& common);
std::string render_roofs(const DeviceRoofs& roofs, const CommonOptions& common);
std::string render_comparison(const Run& base, const Run& other, const Comparison& comparison,
                              const CommonOptions& common);

/// Any single table; `schema` and `key` name it in JSON.
std::string render_table(std::string_view schema, std::string_view key, const viewmodel::Table& table,
                         const CommonOptions& common);
std::string render_checks(std::span<const HostCheck> checks, const CommonOptions& common);

/// How tables look on stdout: its width (COLUMNS, the terminal, else 80) and whether colour is wanted.
reports::TerminalStyle terminal_style(const CommonOptions& common);

/// The words of the language asked for.
const viewmodel::Words& words_of(const CommonOptions& common);

/// A sentence in the language asked for, wrapped for the terminal; lines after the first begin `indent` columns in.
std::string paragraph(const std::string& english, const CommonOptions& common, std::size_t indent = 0);

/// Says a sentence on stderr, behind `head` where there is one ("note"), each in the language asked for.
void say(const std::string& english, const CommonOptions& common);
void say(std::string_view head, const std::string& english, const CommonOptions& common);

/// Remarks, one a paragraph, each behind `head`: "Assumed".
std::string remark_lines(std::string_view head, const std::vector<Remark>& remarks, const CommonOptions& common);

/// Writes to stdout.
/// Errors   throws `Error` (kFailure) where stdout cannot take it (closed pipe, full disk).
void print_result(const std::string& text);

/// Writes a whole file: to a temporary one beside it first, so that nothing half-written is left behind. "-" is stdout.
/// Errors   throws `Error` (kFailure) naming file and reason.
void write_result(const std::string& file, const std::string& text);

}  // namespace dachlast::cli
