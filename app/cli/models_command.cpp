#include <fmt/core.h>

#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "core/base/error.h"
#include "core/model/model_import.h"

namespace dachlast::cli {
namespace {

class ModelsCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("action", action_, "list, show or import; a model alone is shown")->group(kMainGroup);
    app.add_option("model", model_, "Model to show: preset, config.json, folder, .safetensors, .gguf; config to import")
        ->group(kMainGroup);
    app.add_option("--name", name_, "Name of an imported model; its folder's otherwise")
        ->type_name("NAME")
        ->group(kMainGroup);
    app.add_flag("--force", force_, "Import over a model of the same name")->group(kMainGroup);
  }

  int execute(const CommonOptions& common) override {
    if (action_ == "show" || action_ == "import") {
      if (model_.empty())
        throw Error(ErrorKind::kUsage, "models " + action_, "names no model.", "Give a preset, a file or a folder.");
      return action_ == "show" ? show(model_, common) : import(common);
    }
    if (!model_.empty() && action_ == "list")
      throw Error(ErrorKind::kUsage, "models list " + model_, "lists every model, not one.", "Use `models show`.");
    if (!model_.empty())
      throw Error(ErrorKind::kUsage, "models " + action_, "is none of list, show and import.",
                  "Give the action first, then the model.");
    if (action_.empty() || action_ == "list") {
      print_result(render_table("dachlast.models/1", "models", presets_table(list_presets()), common));
      return kExitDone;
    }
    return show(action_, common);
  }

 private:
  static int show(const std::string& model, const CommonOptions& common) {
    print_result(render_table("dachlast.model/1", "fields", model_table(resolve_model(model)), common));
    return kExitDone;
  }

  int import(const CommonOptions& common) const {
    const ModelSource source = resolve_model(model_);
    if (source.config_path.extension() != ".json")
      throw Error(ErrorKind::kUsage, model_, "has no config.json to import.", "Name a GGUF file by its path instead.");
    const std::string name = name_.empty() ? import_name(source.config_path) : name_;
    import_model(source.config_path, name, force_ ? IfModelExists::kReplace : IfModelExists::kRefuse);
    if (common.verbosity != Verbosity::kQuiet)
      say(fmt::format("dachlast: {} is known from now on; its config is stored in {}", name, user_model_dir().string()),
          common);
    return show(name, common);
  }

  std::string action_;
  std::string model_;
  std::string name_;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> make_models_command() {
  return std::make_unique<ModelsCommand>();
}

}  // namespace dachlast::cli
