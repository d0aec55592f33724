#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/cli/run_file.h"
#include "core/viewmodel/format.h"
#include "core/workbench/import_profile.h"
#include "core/workbench/parse.h"
#include "reports/csv.h"
#include "reports/json.h"
#include "reports/markdown.h"

namespace dachlast::cli {
namespace {

using nlohmann::ordered_json;
using viewmodel::ProfileView;
using viewmodel::Table;

constexpr std::size_t kMostKernels = 1'000'000;

/// The tables that have something to say, in the order people read them.
std::vector<const Table*> filled_tables(const ProfileView& view) {
  std::vector<const Table*> tables;
  for (const Table* table : {&view.timelines, &view.phases, &view.families, &view.ops, &view.kernels, &view.counters})
    if (!table->rows.empty()) tables.push_back(table);
  return tables;
}

std::string render_text(const ProfileView& view, const CommonOptions& common) {
  const auto width = static_cast<std::size_t>(terminal_style(common).width);
  const auto sentence = [&](std::string_view text, std::size_t indent) {
    return wrapped(reports::terminal_escape(viewmodel::plain_spaces(text)), indent, width) + "\n";
  };
  std::string text = sentence(view.title, 0);
  for (const std::string& line : view.answer) text += sentence(line, 0);
  if (!view.roofs_line.empty()) text += sentence(view.roofs_line, 0);
  for (const Table* table : filled_tables(view)) text += "\n" + render_table("", "", *table, common);
  if (!view.remarks.empty()) text += "\n";
  for (const Remark& remark : view.remarks) text += sentence("note: " + remark.text, 2);
  return text;
}

std::string render_markdown(const ProfileView& view) {
  std::string text = fmt::format("**{}**\n\n", reports::markdown_escape(view.title));
  for (const std::string& line : view.answer) text += reports::markdown_escape(line) + "\n\n";
  if (!view.roofs_line.empty()) text += reports::markdown_escape(view.roofs_line) + "\n\n";
  for (const Table* table : filled_tables(view)) text += reports::markdown_table(*table) + "\n";
  for (const Remark& remark : view.remarks) text += "- " + reports::markdown_escape(remark.text) + "\n";
  return text;
}

std::string render_json(const ProfileView& view) {
  ordered_json document = {{"schema", "dachlast.profile/1"}, {"title", view.title}};
  document["answer"] = view.answer;
  if (!view.roofs_line.empty()) document["roofs"] = view.roofs_line;
  for (const Table* table : filled_tables(view))
    document[table->id] = ordered_json::parse(reports::json_table("", table->id, *table))[table->id];
  document["warnings"] = ordered_json::array();
  for (const Remark& remark : view.remarks)
    document["warnings"].push_back({{"code", remark.code}, {"text", remark.text}});
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

/// CSV holds one table: the one that says most about this kind of recording.
const Table& main_table(const ProfileView& view) {
  if (!view.counters.rows.empty()) return view.counters;
  return view.kernels;
}

class ImportCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("file", file_,
                   "Recording: PyTorch profiler trace, Nsight Systems export, Nsight Compute table, or a run file")
        ->required()
        ->type_name("FILE")
        ->group(kMainGroup);
    app.add_option("--gpu", device_, "Device whose roofs apply, where the recording does not name a known one")
        ->type_name("NAME")
        ->group(kMainGroup);
    app.add_option("--kernels", n_kernels_, "Kernels to list, the longest first; CSV has all unless given")
        ->type_name("N")
        ->check(CLI::Range(std::size_t{1}, kMostKernels))
        ->group(kMainGroup);
    app.add_option("--threshold", threshold_, "Share of a roof from which it names the bound")
        ->type_name("PERCENT")
        ->capture_default_str()
        ->group(kMainGroup);
  }

  int execute(const CommonOptions& common) override {
    if (std::filesystem::path(file_).extension() == ".dachlast")
      print_result(render_run(open_and_note(file_, common), common));
    else
      print_result(rendered(import_profile(request(common)), common));
    return kExitDone;
  }

 private:
  ImportRequest request(const CommonOptions& common) const {
    const std::size_t n_default =
        common.format == Format::kTable || common.format == Format::kMarkdown ? 15 : kMostKernels;
    return {.file = file_,
            .device = device_,
            .threshold = parse_percent("--threshold", threshold_),
            .n_kernels = n_kernels_.value_or(n_default)};
  }

  static std::string rendered(const ProfileView& view, const CommonOptions& common) {
    switch (common.format) {
      case Format::kTable: return render_text(view, common);
      case Format::kMarkdown: return render_markdown(view);
      case Format::kCsv: return reports::csv_table(main_table(view));
      case Format::kJson:
      case Format::kJsonl: return render_json(view);
    }
    return {};
  }

  std::string file_;
  std::string device_;
  std::string threshold_ = "60%";
  std::optional<std::size_t> n_kernels_;
};

}  // namespace

std::unique_ptr<Command> make_import_command() {
  return std::make_unique<ImportCommand>();
}

}  // namespace dachlast::cli
