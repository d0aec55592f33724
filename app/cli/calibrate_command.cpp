#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/interrupt.h"
#include "app/cli/output.h"
#include "app/cli/progress.h"
#include "core/base/error.h"
#include "core/workbench/workbench.h"

namespace dachlast::cli {
namespace {

class CalibrateCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("--seconds", seconds_, "Time to spend; more repeats give narrower roofs")
        ->type_name("S")
        ->capture_default_str()
        ->group(kMainGroup);
    app.add_flag("--roofs-only", roofs_only_,
                 "Leave out the operations of the engine, some minutes, from which its speeds are predicted")
        ->group(kMainGroup);
  }

  int execute(const CommonOptions& common) override {
    if (!(seconds_ >= 1.0 && seconds_ <= 3600.0))
      throw Error(ErrorKind::kUsage, "--seconds", "must lie between 1 and 3600.", "Leave it out for the default.");
    const InterruptWatch interrupt;
    ProgressPrinter progress(common);
    const DeviceRoofs roofs = calibrate_host(progress, interrupt.token(), Seconds{seconds_});
    if (!roofs_only_) calibrate_host_curves(progress, interrupt.token());
    print_result(render_roofs(roofs, common));
    return kExitDone;
  }

 private:
  double seconds_ = 15.0;
  bool roofs_only_ = false;
};

class DoctorCommand : public Command {
 public:
  void define(CLI::App&) override {}

  int execute(const CommonOptions& common) override {
    print_result(render_checks(check_host(), common));
    return kExitDone;
  }
};

}  // namespace

std::unique_ptr<Command> make_calibrate_command() {
  return std::make_unique<CalibrateCommand>();
}
std::unique_ptr<Command> make_doctor_command() {
  return std::make_unique<DoctorCommand>();
}

}  // namespace dachlast::cli
