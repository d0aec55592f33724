#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "core/store/run_file.h"
#include "core/trace/span.h"

namespace dachlast {

/// Writes spans as Chrome trace events, one after the other, so that a timeline of any length needs no memory. Steps
/// are one row, operations another; times are microseconds since `origin_ns`. Perfetto and chrome://tracing open it.
/// Source   Trace Event Format, https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
class ChromeTraceWriter {
 public:
  /// Writes the head of the file and the names of process and rows. `out` must outlive the writer.
  ChromeTraceWriter(std::ostream& out, const std::string& process_name, std::int64_t origin_ns);

  void add(const trace::Span& span);

  /// A level at a moment: memory in use, clock, power.
  void add_level(std::string_view name, std::string_view unit, std::int64_t at_ns, double value);

  /// Closes the JSON. Nothing may be added after.
  void finish();

 private:
  std::ostream& out_;
  std::int64_t origin_ns_;
};

/// The whole timeline of a run. The name of the process says how many of the measured steps it shows.
void write_chrome_trace(std::ostream& out, const StoredRun& stored);

}  // namespace dachlast
