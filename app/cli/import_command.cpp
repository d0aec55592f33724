#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/findings_output.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/cli/run_file.h"
#include "core/workbench/import_profile.h"
#include "core/workbench/parse.h"
#include "reports/csv.h"

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

/// Roofs, where there are any, belong to the answer in print.
Findings findings_of(const ProfileView& view) {
  Findings findings{view.title, view.answer, filled_tables(view), view.remarks};
  if (!view.roofs_line.empty()) findings.answer.push_back(view.roofs_line);
  return findings;
}

std::string head_of(const ProfileView& view) {
  ordered_json head = {{"schema", "dachlast.profile/1"}, {"title", view.title}, {"answer", view.answer}};
  if (!view.roofs_line.empty()) head["roofs"] = view.roofs_line;
  return head.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
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
      case Format::kTable:
      case Format::kMarkdown: return render_findings(findings_of(view), common);
      case Format::kCsv: return reports::csv_table(main_table(view));
      case Format::kJson:
      case Format::kJsonl: return json_findings(head_of(view), findings_of(view));
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
