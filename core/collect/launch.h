#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dachlast {

/// How a program ended.
struct ProgramEnd {
  std::optional<int> exit_code;  // empty: a signal ended it
  std::optional<int> signal;
};

/// One variable of the environment of a program.
struct EnvironmentEntry {
  std::string name;
  std::string value;
};

/// Runs a program with this one's terminal and files, adds `environment` to what it inherits, and waits for its end.
/// Interrupts from the terminal reach the program, which decides; this process outlives them.
/// Errors   throws `Error` (kInput) naming the program where it cannot be started, (kFailure) where no process can be made.
ProgramEnd run_program(std::span<const std::string> command, std::span<const EnvironmentEntry> environment);

/// The library that NVTX loads into annotated programs.
/// Errors   throws `Error` (kFailure) where this build has none, or it is not where the installation puts it.
std::filesystem::path nvtx_injection_library();

/// The library that the CUDA driver loads into programs; empty where this build has none, or it is not installed: then
/// nothing is recorded of GPUs.
std::optional<std::filesystem::path> cupti_injection_library();

}  // namespace dachlast
