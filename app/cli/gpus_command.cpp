#include <fmt/core.h>

#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "core/base/error.h"
#include "core/hardware/data_object.h"
#include "core/workbench/device_view.h"

namespace dachlast::cli {
namespace {

/// A size with its unit, or plain GiB.
Bytes parse_memory(const std::string& text) {
  const auto size = parse_size(text, Dimension::kCapacity);
  const auto gib = size ? size : parse_size(text + " GiB", Dimension::kCapacity);
  if (!gib)
    throw Error(ErrorKind::kUsage, "--min-memory " + text, "is no size above zero.", "Write it like 80 or \"80 GiB\".");
  return {*gib};
}

class GpusCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("action", action_, "list, show or import; a device alone is shown")->group(kMainGroup);
    app.add_option("device", device_, "Device to show, by id, name or file; file to import")->group(kMainGroup);
    app.add_option("--vendor", vendor_, "List only devices of this vendor")->type_name("NAME")->group(kMainGroup);
    app.add_option("--min-memory", min_memory_, "List only devices with at least this memory")
        ->type_name("SIZE")
        ->group(kMainGroup);
    app.add_flag("--force", force_, "Import over a device of the same id")->group(kMainGroup);
  }

  int execute(const CommonOptions& common) override {
    if (action_ == "show" || action_ == "import") {
      if (device_.empty())
        throw Error(ErrorKind::kUsage, "gpus " + action_, "names no device.", "Give an id or a device file.");
      return action_ == "show" ? show(device_, common) : import(common);
    }
    if (action_.empty() || (action_ == "list" && device_.empty())) return list(common);
    if (action_ == "list")
      throw Error(ErrorKind::kUsage, "gpus list " + device_, "lists every device, not one.",
                  "Use `gpus show`, or --vendor and --min-memory.");
    if (!device_.empty())
      throw Error(ErrorKind::kUsage, "gpus " + action_, "is none of list, show and import.",
                  "A name of several words needs quotes.");
    return show(action_, common);
  }

 private:
  int list(const CommonOptions& common) const {
    DeviceFilter filter{.vendor = vendor_, .min_memory = {}};
    if (!min_memory_.empty()) filter.min_memory = parse_memory(min_memory_);
    print_result(render_table("dachlast.gpus/1", "gpus", devices_table(devices_that_pass(filter)), common));
    return kExitDone;
  }

  static int show(const std::string& name, const CommonOptions& common) {
    print_result(render_table("dachlast.gpu/1", "fields", device_table(find_device(name)), common));
    return kExitDone;
  }

  int import(const CommonOptions& common) const {
    const DeviceSpec stored = import_device(device_, force_ ? IfDeviceExists::kReplace : IfDeviceExists::kRefuse);
    if (common.verbosity != Verbosity::kQuiet)
      say(fmt::format("dachlast: {} is known from now on; stored as {}", stored.id, stored.file.string()), common);
    return show(stored.id, common);
  }

  std::string action_;
  std::string device_;
  std::string vendor_;
  std::string min_memory_;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> make_gpus_command() {
  return std::make_unique<GpusCommand>();
}

}  // namespace dachlast::cli
