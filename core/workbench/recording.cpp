#include "core/workbench/recording.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/import/attached_trace.h"
#include "core/import/kineto_trace.h"
#include "core/import/nsys_trace.h"
#include "core/model/model_source.h"
#include "core/store/attach_file.h"
#include "core/store/nsys_export.h"
#include "core/viewmodel/timeline_ranges.h"
#include "core/workbench/import_profile.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSqliteMagic = "SQLite format 3";
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::size_t kHead = 64 * 1024;    // PyTorch's profiler lists its devices before the events
constexpr std::size_t kMostKernels = 1000;  // names; a table of more nobody reads
constexpr int kHostProcess = 1'000'000;     // beyond any number of a GPU

std::string head_of(const fs::path& file) {
  std::string head(kHead, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return head;
}

bool is_kineto(const fs::path& file, std::string_view head) {
  if (head.starts_with(kGzipMagic)) return file.string().ends_with(".json.gz");
  return head.find("\"traceEvents\"") != std::string_view::npos ||
         head.find("\"deviceProperties\"") != std::string_view::npos;
}

/// Nanoseconds as microseconds, exactly.
std::string microseconds(std::int64_t ns) {
  return fmt::format("{}.{:03}", ns / 1000, ns % 1000);
}

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string process_name(int process, const std::string& name) {
  return fmt::format(R"({{"ph":"M","name":"process_name","pid":{},"args":{{"name":{}}}}})", process, quoted(name));
}

std::string complete_event(const std::string& name, int process, int row, std::int64_t start_ns,
                           std::int64_t length_ns) {
  return fmt::format(R"({{"ph":"X","name":{},"pid":{},"tid":{},"ts":{},"dur":{}}})", quoted(name), process, row,
                     microseconds(start_ns), microseconds(length_ns));
}

bool is_attached(const fs::path& file) {
  return head_of(file).starts_with(kSqliteMagic) && is_attach_file(file);
}

GpuTrace work_of(const fs::path& file, const AttachRecord& record, const NameRules& rules) {
  GpuTrace trace = attached_trace(record, rules);
  if (trace.events.empty())
    throw Error(ErrorKind::kInput, file.string(), "the attached program did no work on a GPU that was recorded.",
                "`dachlast show` lists the ranges it annotated.");
  return trace;
}

/// Empty where a GPU worked, or nobody annotated anything.
std::optional<viewmodel::Timeline> ranges_alone(const AttachRecord& record, const NameRules& rules) {
  if (!record.gpu.work.empty()) return std::nullopt;
  viewmodel::Timeline timeline = viewmodel::timeline_of_ranges(record, rules);
  return timeline.empty() ? std::nullopt : std::optional(std::move(timeline));
}

}  // namespace

bool is_recording(const fs::path& file) {
  try {
    if (!fs::is_regular_file(file)) return false;
    const std::string head = head_of(file);
    if (head.starts_with(kSqliteMagic)) return is_attach_file(file) || is_nsys_export(file);
    return is_kineto(file, head);
  } catch (const std::exception&) {
    return false;  // whoever opens it says what is wrong
  }
}

GpuTrace read_recording(const fs::path& file, const NameRules& rules) {
  if (is_attached(file)) return work_of(file, read_attach_file(file), rules);
  if (head_of(file).starts_with(kSqliteMagic)) return read_nsys_trace(file, rules);
  return read_kineto_trace(file, rules);
}

OpenedRecording open_recording(const fs::path& file) {
  OpenedRecording opened{.trace = {}, .rules = NameRules(data_dir() / "rules"), .of_host = {}, .whole = {}};
  if (is_attached(file)) {
    const AttachRecord record = read_attach_file(file);
    opened.of_host = ranges_alone(record, opened.rules);
    if (opened.of_host) return opened;
    opened.trace = work_of(file, record, opened.rules);
  } else {
    opened.trace = read_recording(file, opened.rules);
  }
  GpuProfile profile = summarize(opened.trace, opened.rules);
  viewmodel::ProfileViewOptions options;
  options.device = recorded_device(profile);
  options.n_kernels = kMostKernels;
  opened.whole = viewmodel::recording_view(std::move(profile), options);
  return opened;
}

viewmodel::Timeline timeline_of(const OpenedRecording& recording, std::optional<std::int32_t> device) {
  if (recording.of_host) return *recording.of_host;
  return viewmodel::timeline_of_trace(recording.trace, recording.rules, device);
}

viewmodel::RecordingView view_of(const OpenedRecording& recording, const TraceRange& range) {
  return viewmodel::recording_view(summarize(recording.trace, recording.rules, range), recording.whole.options);
}

void write_chrome_trace(std::ostream& out, const GpuTrace& trace) {
  std::int64_t origin_ns = INT64_MAX;
  for (const GpuEvent& event : trace.events) origin_ns = std::min(origin_ns, event.start_ns);
  for (const TraceStep& step : trace.steps) origin_ns = std::min(origin_ns, step.start_ns);
  out << R"({"displayTimeUnit":"ns","traceEvents":[)" << '\n' << process_name(kHostProcess, "annotated steps");
  for (const TraceDevice& device : trace.devices)
    out << ",\n" << process_name(device.index, fmt::format("GPU {} {}", device.index, device.name));
  for (const TraceStep& step : trace.steps)
    out << ",\n" << complete_event(step.name, kHostProcess, 0, step.start_ns - origin_ns, step.end_ns - step.start_ns);
  for (const GpuEvent& event : trace.events)
    out << ",\n"
        << complete_event(trace.names[event.name], event.device, event.stream, event.start_ns - origin_ns,
                          event.duration_ns());
  out << "\n]}\n";
}

}  // namespace dachlast
