#include <fmt/core.h>

#include <cstdio>

#include "app/cli/attach_output.h"
#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "core/workbench/attach.h"

namespace dachlast::cli {
namespace {

constexpr std::size_t kRangesShown = 15;
// What a shell reports for a program that a signal ended.
constexpr int kSignalBase = 128;

class AttachCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("command", command_, "Program and its arguments, after two dashes")
        ->required()
        ->type_name("PROGRAM [ARGS...]")
        ->group(kMainGroup);
    app.add_option("-o,--output", file_, "File for the record; by default named after the program and the time")
        ->type_name("FILE")
        ->group(kMainGroup);
    app.add_flag("--force", force_, "Replace the file where it exists")->group(kMainGroup);
    app.add_option(
           "--counters", counters_,
           "Counters of GPU kernels in place of a timeline: kernels run one by one, several times over; sampling "
           "counts beside the timeline")
        ->type_name("SET")
        ->check(CLI::IsMember({"traffic", "fp32", "tensor", "shares", "roofline", "sampling"}))
        ->group(kMainGroup);
    app.add_option("--max-mib", max_mib_, "Room for events on disk, of each process")
        ->type_name("MIB")
        ->capture_default_str()
        ->check(CLI::Range(1, 1 << 20))
        ->group(kMainGroup);
  }

  /// stdout is the program's, so what was recorded is said on stderr; the exit code is the program's too.
  int execute(const CommonOptions& common) override {
    const AttachResult result = attach({.command = command_,
                                        .file = file_,
                                        .if_exists = force_ ? IfExists::kOverwrite : IfExists::kRefuse,
                                        .max_mib = max_mib_,
                                        .counters = counters_});
    if (common.verbosity != Verbosity::kQuiet) {
      CommonOptions table = common;
      table.format = Format::kTable;
      fmt::print(stderr, "\n{}\n{}: {}\n",
                 render_attached(attached_view(result.record, kRangesShown), attached_gpu_view(result.record), table),
                 words_of(common)("record"), result.file.string());
    }
    return result.record.signal ? kSignalBase + *result.record.signal : result.record.exit_code.value_or(kExitFailure);
  }

 private:
  std::vector<std::string> command_;
  std::string file_;
  bool force_ = false;
  int max_mib_ = 2048;
  std::string counters_;
};

}  // namespace

std::unique_ptr<Command> make_attach_command() {
  return std::make_unique<AttachCommand>();
}

}  // namespace dachlast::cli
