#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>

#include "core/profile/gpu_trace.h"
#include "core/profile/name_rules.h"
#include "core/profile/trace_range.h"
#include "core/viewmodel/recording_view.h"
#include "core/viewmodel/timeline_trace.h"

namespace dachlast {

/// Whether a file holds what kernels of a GPU did: a trace of PyTorch's profiler, a SQLite export of Nsight Systems, or what
/// `attach` wrote. Looks at its head alone; false for whatever cannot be read.
bool is_recording(const std::filesystem::path& file);

/// Errors   throws `Error` (kInput) naming the file: missing, damaged, or without GPU work.
GpuTrace read_recording(const std::filesystem::path& file, const NameRules& rules);

/// A recording that stays open, so that parts of it can be looked at.
struct OpenedRecording {
  GpuTrace trace;
  NameRules rules;
  std::optional<viewmodel::Timeline> of_host = {};  // of an attached program that did nothing on a GPU: its ranges
  viewmodel::RecordingView whole;  // held against the device the recording names, where the catalog knows it
};

/// Errors   as `read_recording`, but for attached programs without GPU work that annotated something.
OpenedRecording open_recording(const std::filesystem::path& file);

/// Of one GPU; of the one that worked longest where none is asked for.
viewmodel::Timeline timeline_of(const OpenedRecording& recording, std::optional<std::int32_t> device = {});

/// What ran in a part of the time, see `summarize`. Takes up to about 0.3 s a million events.
viewmodel::RecordingView view_of(const OpenedRecording& recording, const TraceRange& range);

/// Writes a recording as Chrome trace events: a process a GPU, a row a stream, one for the annotated steps on the host.
void write_chrome_trace(std::ostream& out, const GpuTrace& trace);

}  // namespace dachlast
