#include "core/collect/launch.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "core/base/error.h"
#include "core/base/program_library.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

/// Ignores the terminal's interrupts while it lives.
class InterruptsIgnored {
 public:
  InterruptsIgnored() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGINT, &ignore, &interrupt_);
    sigaction(SIGQUIT, &ignore, &quit_);
  }
  ~InterruptsIgnored() { restore(); }
  InterruptsIgnored(const InterruptsIgnored&) = delete;
  InterruptsIgnored& operator=(const InterruptsIgnored&) = delete;

  /// As they were before; safe between fork and exec.
  void restore() const {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGQUIT, &quit_, nullptr);
  }

 private:
  struct sigaction interrupt_ {};
  struct sigaction quit_ {};
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> merged_environment(std::span<const EnvironmentEntry> added) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    bool replaced = false;
    for (const EnvironmentEntry& one : added) replaced = replaced || text.starts_with(one.name + "=");
    if (!replaced) merged.push_back(text);
  }
  for (const EnvironmentEntry& one : added) merged.push_back(one.name + "=" + one.value);
  return merged;
}

/// The end of a pipe through which a child says why it could not become the program; closed by exec where it could.
struct Pipe {
  int read = -1;
  int write = -1;

  Pipe() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0)
      throw Error(ErrorKind::kFailure, "a pipe", std::string("cannot be made: ") + std::strerror(errno) + ".");
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    ::close(read);
    if (write >= 0) ::close(write);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void close_write() {
    ::close(write);
    write = -1;
  }
};

[[noreturn]] void become(char* const* arguments, char* const* environment, int failure_pipe) {
  ::execvpe(arguments[0], arguments, environment);
  const int reason = errno;
  [[maybe_unused]] const ssize_t written = ::write(failure_pipe, &reason, sizeof(reason));
  std::_Exit(127);  // a child that is no program must leave without running anything of ours
}

ProgramEnd wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      throw Error(ErrorKind::kFailure, "the program",
                  std::string("cannot be waited for: ") + std::strerror(errno) + ".");
  if (WIFEXITED(status)) return {WEXITSTATUS(status), std::nullopt};
  return {std::nullopt, WTERMSIG(status)};
}

}  // namespace

ProgramEnd run_program(std::span<const std::string> command, std::span<const EnvironmentEntry> environment) {
  std::vector<std::string> arguments(command.begin(), command.end());
  std::vector<std::string> variables = merged_environment(environment);
  const std::vector<char*> argument_list = pointers(arguments);
  const std::vector<char*> variable_list = pointers(variables);
  const InterruptsIgnored ignored;
  Pipe failure;
  const pid_t child = ::fork();
  if (child < 0)
    throw Error(ErrorKind::kFailure, command.front(),
                std::string("no process can be made: ") + std::strerror(errno) + ".");
  if (child == 0) {
    ignored.restore();
    become(argument_list.data(), variable_list.data(), failure.write);
  }
  failure.close_write();
  int reason = 0;
  const bool failed = ::read(failure.read, &reason, sizeof(reason)) == static_cast<ssize_t>(sizeof(reason));
  const ProgramEnd end = wait_for(child);
  if (failed)
    throw Error(ErrorKind::kInput, command.front(), std::string("cannot be started: ") + std::strerror(reason) + ".",
                "Check the name, the PATH and the file's permissions.");
  return end;
}

fs::path nvtx_injection_library() {
#ifdef DACHLAST_HAS_NVTX
  if (const auto library = program_library("libdachlast_nvtx.so")) return *library;
  throw Error(ErrorKind::kFailure, "libdachlast_nvtx.so", "is not where the installation puts it, ../lib/dachlast.",
              "Install the program again, or set DACHLAST_LIB_DIR to its folder.");
#else
  throw Error(ErrorKind::kFailure, "attach", "this build has no NVTX.",
              "Build it with -DDACHLAST_NVTX=ON where the headers of NVTX 3 are installed.");
#endif
}

std::optional<fs::path> cupti_injection_library() {
  return program_library("libdachlast_cupti.so");
}

}  // namespace dachlast
