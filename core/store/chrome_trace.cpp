#include "core/store/chrome_trace.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <ostream>

#include "core/store/record_json.h"

namespace dachlast {
namespace {

constexpr int kProcess = 1;
constexpr int kStepRow = 1;
constexpr int kOpRow = 2;

/// Nanoseconds as microseconds, exactly: a double would round after 2^53 ns.
std::string microseconds(std::int64_t ns) {
  return fmt::format("{}.{:03}", ns / 1000, ns % 1000);
}

std::string row_name(int row, std::string_view name) {
  return fmt::format(R"({{"ph":"M","name":"thread_name","pid":{},"tid":{},"args":{{"name":"{}"}}}})", kProcess, row,
                     name);
}

std::int64_t earliest_start(const std::vector<PointTimeline>& timelines) {
  std::int64_t earliest = std::numeric_limits<std::int64_t>::max();
  for (const PointTimeline& timeline : timelines)
    for (const trace::Span& span : timeline.spans) earliest = std::min(earliest, span.start_ns);
  // The first samples lie before the first span.
  for (const PointTimeline& timeline : timelines) {
    if (!timeline.memory.empty()) earliest = std::min(earliest, timeline.memory.front().at_ns);
    if (!timeline.clock_power.empty()) earliest = std::min(earliest, timeline.clock_power.front().at_ns);
  }
  return earliest;
}

void add_levels(ChromeTraceWriter& writer, const PointTimeline& timeline) {
  for (const trace::MemorySample& sample : timeline.memory)
    writer.add_level("memory in use", "bytes", sample.at_ns, sample.resident_bytes);
  for (const trace::ClockPowerSample& sample : timeline.clock_power) {
    if (sample.clock_hz) writer.add_level("clock", "hz", sample.at_ns, *sample.clock_hz);
    if (sample.power_w) writer.add_level("power", "watts", sample.at_ns, *sample.power_w);
  }
}

}  // namespace

ChromeTraceWriter::ChromeTraceWriter(std::ostream& out, const std::string& process_name, std::int64_t origin_ns)
    : out_(out), origin_ns_(origin_ns) {
  out_ << R"({"displayTimeUnit":"ns","traceEvents":[)" << '\n'
       << fmt::format(R"({{"ph":"M","name":"process_name","pid":{},"args":{{"name":{}}}}})", kProcess,
                      dump(nlohmann::json(process_name)))
       << ",\n"
       << row_name(kStepRow, "steps") << ",\n"
       << row_name(kOpRow, "operations");
}

void ChromeTraceWriter::add(const trace::Span& span) {
  const bool step = span.zone == trace::ZoneKind::kStep;
  out_ << ",\n"
       << fmt::format(R"({{"ph":"X","name":"{}","cat":"{}","pid":{},"tid":{},"ts":{},"dur":{},"args":{{)",
                      step ? name_of(span.phase) : name_of(span.op), name_of(span.phase), kProcess,
                      step ? kStepRow : kOpRow, microseconds(span.start_ns - origin_ns_),
                      microseconds(span.duration_ns()));
  if (span.layer >= 0) out_ << fmt::format(R"("layer":{},)", span.layer);
  out_ << fmt::format(R"("tokens":{},"kv_len":{},"flops":{},"bytes":{}}}}})", span.n_tokens, span.kv_len,
                      span.cost.flops.value, span.cost.bytes().value);
}

void ChromeTraceWriter::add_level(std::string_view name, std::string_view unit, std::int64_t at_ns, double value) {
  out_ << ",\n"
       << fmt::format(R"({{"ph":"C","name":"{}","pid":{},"ts":{},"args":{{"{}":{}}}}})", name, kProcess,
                      microseconds(at_ns - origin_ns_), unit, value);
}

void ChromeTraceWriter::finish() {
  out_ << "\n]}\n";
}

void write_chrome_trace(std::ostream& out, const StoredRun& stored) {
  int n_kept = 0;
  int n_measured = 0;
  for (const PointTimeline& timeline : stored.timelines) {
    n_kept += timeline.n_steps_kept;
    n_measured += timeline.n_steps_measured;
  }
  const std::string name =
      fmt::format("{} (timeline of {} of {} measured steps)", stored.run.model.name, n_kept, n_measured);
  ChromeTraceWriter writer(out, name, earliest_start(stored.timelines));
  for (const PointTimeline& timeline : stored.timelines)
    for (const trace::Span& span : timeline.spans) writer.add(span);
  for (const PointTimeline& timeline : stored.timelines) add_levels(writer, timeline);
  writer.finish();
}

}  // namespace dachlast
