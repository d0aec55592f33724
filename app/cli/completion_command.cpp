#include <fmt/core.h>

#include "app/cli/commands.h"
#include "app/cli/generators.h"
#include "app/cli/help.h"
#include "app/cli/program.h"
#include "core/base/error.h"

namespace dachlast::cli {
namespace {

class CompletionCommand : public Command {
 public:
  void define(CLI::App& app) override {
    app.add_option("shell", shell_, "bash, zsh or fish")->required()->group(kMainGroup);
  }

  int execute(const CommonOptions&) override {
    fmt::print("{}", script());
    return kExitDone;
  }

 private:
  std::string script() const {
    Program program;  // a second definition: this one describes, the running one parses
    if (shell_ == "bash") return bash_completion(program.definition());
    if (shell_ == "zsh") return zsh_completion(program.definition());
    if (shell_ == "fish") return fish_completion(program.definition());
    throw Error(ErrorKind::kUsage, "completion " + shell_, "not a shell this program knows.", "Use bash, zsh or fish.");
  }

  std::string shell_;
};

class ManCommand : public Command {
 public:
  void define(CLI::App& app) override { app.add_option("command", verb_, "Command to describe; empty: the program"); }

  int execute(const CommonOptions&) override {
    fmt::print("{}", page());
    return kExitDone;
  }

 private:
  std::string page() const {
    if (verb_.empty()) return program_man_page(command_list());
    Program program;
    for (const auto& row : command_list())
      if (row.name == verb_ && !row.examples.empty())
        return command_man_page(*program.definition().get_subcommand(verb_), row);
    throw Error(ErrorKind::kUsage, "man " + verb_, "not a command of this program.", "`dachlast -h` lists them.");
  }

  std::string verb_;
};

}  // namespace

std::unique_ptr<Command> make_completion_command() {
  return std::make_unique<CompletionCommand>();
}
std::unique_ptr<Command> make_man_command() {
  return std::make_unique<ManCommand>();
}

}  // namespace dachlast::cli
