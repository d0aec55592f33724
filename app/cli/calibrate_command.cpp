#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/interrupt.h"
#include "app/cli/output.h"
#include "app/cli/progress.h"
#include "core/base/error.h"
#include "core/engine/open_device.h"
#include "core/workbench/calibrate_gpu.h"
#include "core/workbench/workbench.h"

namespace dachlast::cli {
namespace {

class CalibrateCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("--gpu", gpu_, "Device to measure: cpu, or a GPU as cuda or cuda:N")
        ->type_name("NAME")
        ->capture_default_str()
        ->group(kMainGroup);
    seconds_option_ =
        app.add_option("--seconds", seconds_, "Time to spend on the CPU; more repeats give narrower roofs")
            ->type_name("S")
            ->capture_default_str()
            ->group(kMainGroup);
    app.add_flag(
           "--roofs-only", roofs_only_,
           "Leave out the operations of the engine, some minutes, from which its speeds are predicted; of the CPU")
        ->group(kMainGroup);
  }

  int execute(const CommonOptions& common) override {
    if (!(seconds_ >= 1.0 && seconds_ <= 3600.0))
      throw Error(ErrorKind::kUsage, "--seconds", "must lie between 1 and 3600.", "Leave it out for the default.");
    const DeviceChoice choice = parse_device("--gpu", gpu_);
    if (choice.cuda_device) return calibrate_cuda(choice, common);
    const InterruptWatch interrupt(words_of(common));
    ProgressPrinter progress(common);
    const DeviceRoofs roofs = calibrate_host(progress, interrupt.token(), Seconds{seconds_});
    if (!roofs_only_) calibrate_host_curves(progress, interrupt.token());
    print_result(render_roofs(roofs, common));
    return kExitDone;
  }

 private:
  /// A GPU has no curves of single operations, and its probes take as long as their sizes do.
  void refuse_options_of_the_cpu() const {
    for (const char* option : {seconds_option_->count() > 0 ? "--seconds" : "", roofs_only_ ? "--roofs-only" : ""})
      if (*option != '\0') throw Error(ErrorKind::kUsage, option, "It is for the CPU.", "Leave it or --gpu out.");
  }

  int calibrate_cuda(const DeviceChoice& choice, const CommonOptions& common) const {
    refuse_options_of_the_cpu();
    const InterruptWatch interrupt(words_of(common));
    const auto device = open_device(choice);
    ProgressPrinter progress(common);
    print_result(render_gpu_roofs(calibrate_device(*device, progress, interrupt.token()), common));
    return kExitDone;
  }

  std::string gpu_ = "cpu";
  CLI::Option* seconds_option_ = nullptr;
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
