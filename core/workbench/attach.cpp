#include "core/workbench/attach.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <cstdlib>
#include <ctime>
#include <optional>

#include "core/base/error.h"
#include "core/collect/launch.h"
#include "core/collect/nvtx/spool_reader.h"
#include "core/import/attached_trace.h"
#include "core/model/model_source.h"
#include "core/store/attach_file.h"
#include "core/workbench/import_profile.h"

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
  ~SpoolFolder() = default;  // whoever could not write the file finds the events here
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

/// The libraries that record the program.
struct Recorders {
  fs::path nvtx;
  std::optional<fs::path> cupti;  // empty: this build has none
};

Recorders recorders_for(const AttachRequest& request) {
  Recorders recorders{nvtx_injection_library(), cupti_injection_library()};
  if (!recorders.cupti && !request.counters.empty())
    throw Error(ErrorKind::kDevice, "--counters " + request.counters, "this build has no CUPTI.",
                "Build it where the CUDA toolkit is, or leave --counters out.");
  return recorders;
}

/// What makes NVTX and the CUDA driver load them, and them write where we read.
std::vector<EnvironmentEntry> environment_of(const AttachRequest& request, const Recorders& recorders,
                                             const fs::path& spools) {
  std::vector<EnvironmentEntry> environment = {{"NVTX_INJECTION64_PATH", recorders.nvtx.string()},
                                               {"DACHLAST_ATTACH_DIR", spools.string()},
                                               {"DACHLAST_ATTACH_MAX_MIB", std::to_string(request.max_mib)}};
  if (!recorders.cupti) return environment;
  environment.push_back({"CUDA_INJECTION64_PATH", recorders.cupti->string()});
  environment.push_back({"DACHLAST_ATTACH_COUNTERS", request.counters});
  environment.push_back({"DACHLAST_METRIC_SETS", (data_dir() / "metric_sets").string()});
  return environment;
}

}  // namespace

AttachResult attach(const AttachRequest& request) {
  if (request.command.empty())
    throw Error(ErrorKind::kUsage, "attach", "names no program.", "Write it after two dashes: attach -- PROGRAM ARGS.");
  const std::time_t now = std::time(nullptr);
  AttachResult result;
  result.file = request.file.empty() ? default_file(request.command, now) : request.file;
  require_writable_name(result.file, request.if_exists);
  const Recorders recorders = recorders_for(request);
  const SpoolFolder spools;
  const std::vector<EnvironmentEntry> environment = environment_of(request, recorders, spools.path());
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

viewmodel::AttachGpuView attached_gpu_view(const AttachRecord& record) {
  const AttachedGpuPart& gpu = record.gpu;
  if (gpu.work.empty() && gpu.counters.empty() && gpu.losses.empty()) return {};
  const NameRules rules(data_dir() / "rules");
  const GpuTrace trace = attached_trace(record, rules);
  GpuProfile profile = summarize(trace, rules);
  profile.counters = attached_counters(record, rules);
  viewmodel::ProfileViewOptions options;
  options.device = recorded_device(profile);
  return viewmodel::attach_gpu_view(gpu, profile, phase_devices(trace), options);
}

viewmodel::AttachGpuView attached_gpu_view(const fs::path& file) {
  return attached_gpu_view(read_attach_file(file));
}

viewmodel::AttachView attached_view(const fs::path& file, std::size_t n_ranges) {
  return attached_view(read_attach_file(file), n_ranges);
}

}  // namespace dachlast
