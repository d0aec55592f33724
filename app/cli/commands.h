#pragma once

#include <memory>

#include "app/cli/command.h"
#include "app/cli/exit_code.h"

// One factory per verb; each lives in its own <verb>_command.cpp.
namespace dachlast::cli {

std::unique_ptr<Command> make_run_command();
std::unique_ptr<Command> make_show_command();
std::unique_ptr<Command> make_export_command();
std::unique_ptr<Command> make_compare_command();
std::unique_ptr<Command> make_report_command();
std::unique_ptr<Command> make_calibrate_command();
std::unique_ptr<Command> make_doctor_command();
std::unique_ptr<Command> make_models_command();
std::unique_ptr<Command> make_gpus_command();
std::unique_ptr<Command> make_plan_command();
std::unique_ptr<Command> make_advise_command();
std::unique_ptr<Command> make_recommend_command();
std::unique_ptr<Command> make_validate_command();
std::unique_ptr<Command> make_attach_command();
std::unique_ptr<Command> make_import_command();
std::unique_ptr<Command> make_completion_command();
std::unique_ptr<Command> make_man_command();

}  // namespace dachlast::cli
