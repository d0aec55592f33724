#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/output.h"

namespace dachlast::cli {
namespace {

class ModelsCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("model", model_, "Model to show; \"list\" or nothing: all of them")->group(kMainGroup);
  }

  int execute(const CommonOptions& common) override {
    if (model_.empty() || model_ == "list")
      print_result(render_table("dachlast.models/1", "models", presets_table(list_presets()), common));
    else
      print_result(render_table("dachlast.model/1", "fields", model_table(resolve_model(model_)), common));
    return kExitDone;
  }

 private:
  std::string model_;
};

}  // namespace

std::unique_ptr<Command> make_models_command() {
  return std::make_unique<ModelsCommand>();
}

}  // namespace dachlast::cli
