#include "core/workbench/attach.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <cstdlib>
#include <ctime>

#include "core/base/error.h"
#include "core/collect/launch.h"
#include "core/collect/nvtx/spool_reader.h"
#include "core/model/model_source.h"
#include "core/store/attach_file.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

/// Where the program's threads leave their events. Removed once they are in the file; kept where that fails.
class SpoolFolder {
 public:
  SpoolFolder() {
    std::string name = (fs::temp_directory_path() / "dachlast-attach-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw Error(ErrorKind::kFailure, name, "cannot be made.", "Set TMPDIR to a folder with room.");
    path_ = name;
  }
  SpoolFolder(const SpoolFolder&) = delete;
  SpoolFolder& operator=(const SpoolFolder&) = delete;

  const fs::path& path() const { return path_; }
  void remove() const {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

 private:
  fs::path path_;
};

std::string command_line(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + word;
  return text;
}

fs::path default_file(const std::vector<std::string>& command, std::time_t now) {
  return fmt::format("{}-{:%Y%m%d-%H%M%S}.dachlast", fs::path(command.front()).filename().string(), fmt::gmtime(now));
}

}  // namespace

AttachResult attach(const AttachRequest& request) {
  if (request.command.empty())
    throw Error(ErrorKind::kUsage, "attach", "names no program.", "Write it after two dashes: attach -- PROGRAM ARGS.");
  const std::time_t now = std::time(nullptr);
  AttachResult result;
  result.file = request.file.empty() ? default_file(request.command, now) : request.file;
  require_writable_name(result.file, request.if_exists);
  const fs::path library = nvtx_injection_library();
  const SpoolFolder spools;
  const EnvironmentEntry environment[] = {{"NVTX_INJECTION64_PATH", library.string()},
                                          {"DACHLAST_ATTACH_DIR", spools.path().string()},
                                          {"DACHLAST_ATTACH_MAX_MIB", std::to_string(request.max_mib)}};
  ProgramEnd end;
  try {
    end = run_program(request.command, environment);
  } catch (const Error&) {
    spools.remove();
    throw;
  }
  result.record = read_spools(spools.path());
  result.record.command = command_line(request.command);
  result.record.started_at = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
  result.record.exit_code = end.exit_code;
  result.record.signal = end.signal;
  try {
    write_attach_file(result.file, result.record, request.if_exists);
  } catch (const Error& error) {
    throw Error(error.kind(), error.subject(), error.reason(),
                fmt::format("The events are in {}.", spools.path().string()));
  }
  spools.remove();
  return result;
}

bool holds_attached_program(const fs::path& file) {
  return is_attach_file(file);
}

viewmodel::AttachView attached_view(const AttachRecord& record, std::size_t n_ranges) {
  return viewmodel::attach_view(record, summarize(record, NameRules(data_dir() / "rules")), n_ranges);
}

viewmodel::AttachView attached_view(const fs::path& file, std::size_t n_ranges) {
  return attached_view(read_attach_file(file), n_ranges);
}

}  // namespace dachlast
