#include <filesystem>
#include <vector>

#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/cli/validation_output.h"
#include "core/workbench/validate.h"

namespace dachlast::cli {
namespace {

class ValidateCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("files", files_, "Tables of published figures; their kind follows from the header")
        ->required()
        ->type_name("FILE...")
        ->group(kMainGroup);
    app.add_option("--worst", n_worst_, "Figures missed by most to list")
        ->type_name("N")
        ->capture_default_str()
        ->group(kMainGroup);
    app.add_option(
           "--time-model", time_model_,
           "What times are predicted with: curves of measured operators, constant shares of the roofs, or the roofs")
        ->type_name("NAME")
        ->check(CLI::IsMember({"curves", "constant", "roofline"}))
        ->capture_default_str()
        ->group(kMainGroup);
  }

  int execute(const CommonOptions& common) override {
    const std::vector<std::filesystem::path> files(files_.begin(), files_.end());
    print_result(render_validation(validate_files(files, time_model()), n_worst_, common));
    return kExitDone;
  }

 private:
  TimeModel time_model() const {
    if (time_model_ == "constant") return TimeModel::kConstant;
    return time_model_ == "roofline" ? TimeModel::kRoofline : TimeModel::kCurves;
  }

  std::vector<std::string> files_;
  std::string time_model_ = "curves";
  std::size_t n_worst_ = 10;
};

}  // namespace

std::unique_ptr<Command> make_validate_command() {
  return std::make_unique<ValidateCommand>();
}

}  // namespace dachlast::cli
