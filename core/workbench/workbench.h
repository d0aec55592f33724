#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/store/run_file.h"
#include "core/viewmodel/timeline.h"
#include "core/workbench/run_request.h"

namespace dachlast {

/// Watches long work. Called from the thread that works; every call is short.
class JobObserver {
 public:
  virtual ~JobObserver() = default;
  /// Something began: "Loading weights", "decode, 512 tokens, batch 1"; step `index` of `count` (0-based).
  virtual void began(const std::string& what, int index, int count) = 0;
  /// A point of a run is finished and saved.
  virtual void point_finished(const Run& run, const MeasuredPoint& point) = 0;
  /// Something the reader should know now: competing load, drifting clocks.
  virtual void remarked(const Remark& remark) = 0;
};

/// Resolves names, sizes, precision, roofs and memory of a request. Measures the roofs of this computer first (a few
/// seconds) where none are stored, and says so in the plan.
/// Errors   throws `Error` for whatever is wrong with the request; a plan that does not fit is returned, not thrown.
RunPlan plan_run(const RunRequest& request, JobObserver& observer, std::stop_token stop);

/// Where a run goes.
struct RunOutput {
  std::filesystem::path file;
  IfExists if_exists = IfExists::kRefuse;
};

/// Measures every point of the plan and saves each into the file as it is finished.
/// Errors   throws `Error` (kDoesNotFit) before allocating where the plan does not fit; what was saved so far stays
/// readable.
Run execute_run(const RunPlan& plan, const RunOutput& output, JobObserver& observer, std::stop_token stop);

/// Name for the run file of a plan that was given none: "gpt2-20260301-140502.dachlast", in the working folder.
std::filesystem::path default_run_file(const RunPlan& plan);

/// A run file as read, with what of it this version could not read.
struct OpenedRun {
  Run run;
  std::vector<std::string> skipped;
};

/// Errors   throws `Error` (kInput) where the file is missing, not a run, or damaged.
OpenedRun open_run(const std::filesystem::path& file);

/// The recorded spans of a run file, or what a recording (recording.h) holds of a GPU, on one time axis; empty where there are none. Takes about a second a million spans.
/// Errors   as `open_run`.
viewmodel::Timeline timeline_of(const std::filesystem::path& file);

/// Memory breakdown of the largest point of a run, where its model can still be found; empty otherwise.
std::vector<MemorySegment> memory_of(const Run& run);

/// The recorded spans of a run, or a recording, as a Chrome trace (JSON), which Perfetto opens.
std::string chrome_trace_of(const std::filesystem::path& file);

/// Measures the roofs of this computer and stores them.
DeviceRoofs calibrate_host(JobObserver& observer, std::stop_token stop, Seconds budget);

/// Times the operations of made-up models on this computer, from which speeds of others are predicted, and stores them.
/// Errors   as `calibrate_curves`.
void calibrate_host_curves(JobObserver& observer, std::stop_token stop);

/// One line of `doctor`.
struct HostCheck {
  enum class State { kGood, kLimited, kMissing };
  std::string name;
  State state;
  std::string finding;
  std::string way_out;  // empty where nothing needs doing
};

/// What can be measured on this computer, and what stands in the way.
std::vector<HostCheck> check_host();

}  // namespace dachlast
