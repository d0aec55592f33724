#include "core/viewmodel/attach_view.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/viewmodel/column_values.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

std::string name_or(const std::string& name, std::string_view other) {
  return name.empty() ? std::string(other) : name;
}

std::string end_text(const AttachRecord& record) {
  if (record.signal) return fmt::format("was ended by signal {}", *record.signal);
  if (record.exit_code) return fmt::format("ended with exit code {}", *record.exit_code);
  return "has no recorded end";
}

std::string end_sentence(const AttachRecord& record, const RangeSummary& summary) {
  if (summary.n_ranges == 0)
    return fmt::format("The program {} and annotated nothing: it does not use NVTX, or not on this path.",
                       end_text(record));
  return fmt::format("The program {}: {} of {} in {}, over {}.", end_text(record),
                     counted(summary.n_ranges, "range", "ranges"),
                     counted(static_cast<std::int64_t>(record.threads.size()), "thread", "threads"),
                     counted(static_cast<std::int64_t>(record.processes.size()), "process", "processes"),
                     format(Measure::kTime, seconds(summary.span_ns)));
}

std::vector<std::string> answer_of(const AttachRecord& record, const RangeSummary& summary) {
  std::vector<std::string> answer = {end_sentence(record, summary)};
  if (summary.ranges.empty()) return answer;
  const auto longest = std::max_element(summary.ranges.begin(), summary.ranges.end(),
                                        [](const RangeTimes& a, const RangeTimes& b) { return a.self_ns < b.self_ns; });
  answer.push_back(fmt::format("Most time of its own: '{}', {} in {}.", name_or(longest->name, "unnamed"),
                               format(Measure::kTime, seconds(longest->self_ns)),
                               counted(longest->times.n, "call", "calls")));
  return answer;
}

Table steps_table(const RangeSummary& summary) {
  const auto& rows = summary.steps;
  TableBuilder builder("steps", "Phases");
  builder.text({"phase", "Phase", "", "Read from the annotations of an engine's steps", Align::kLeft, 0},
               texts(rows, [](const StepTimes& row) { return row.label; }));
  builder.count({"steps", "Steps", "", "Outermost annotated steps", Align::kRight, 0},
                counts(rows, [](const StepTimes& row) { return row.times.n; }), Origin::kMeasured);
  builder.measure({"time_s", "Time", "", "Sum of the steps", Align::kRight, 0}, Measure::kTime,
                  numbers(rows, [](const StepTimes& row) { return seconds(row.times.total_ns); }), Origin::kMeasured);
  builder.measure({"mean_s", "Mean", "", "Of a step", Align::kRight, 1}, Measure::kTime,
                  numbers(rows, [](const StepTimes& row) { return seconds(row.times.total_ns / row.times.n); }),
                  Origin::kMeasured);
  return builder.build();
}

Table ranges_table(const RangeSummary& summary, std::size_t n_rows) {
  const std::size_t n = std::min(n_rows, summary.ranges.size());
  const std::vector<RangeTimes> rows(summary.ranges.begin(), summary.ranges.begin() + static_cast<std::ptrdiff_t>(n));
  TableBuilder builder("ranges", "Ranges");
  builder.text({"range", "Range", "", "Name as annotated", Align::kLeft, 0},
               texts(rows, [](const RangeTimes& row) { return name_or(row.name, "unnamed"); }));
  builder.text({"domain", "Domain", "", "Of the annotations", Align::kLeft, 4},
               texts(rows, [](const RangeTimes& row) { return name_or(row.domain, kMissing); }));
  builder.count({"calls", "Calls", "", "Ranges of this name", Align::kRight, 1},
                counts(rows, [](const RangeTimes& row) { return row.times.n; }), Origin::kMeasured);
  builder.measure({"time_s", "Time", "", "Sum of durations", Align::kRight, 0}, Measure::kTime,
                  numbers(rows, [](const RangeTimes& row) { return seconds(row.times.total_ns); }), Origin::kMeasured);
  builder.measure({"self_s", "Self", "", "Without the ranges inside", Align::kRight, 0}, Measure::kTime,
                  numbers(rows, [](const RangeTimes& row) { return seconds(row.self_ns); }), Origin::kMeasured);
  builder.measure(
      {"mean_s", "Mean", "", "Of a call", Align::kRight, 2}, Measure::kTime,
      numbers(rows,
              [](const RangeTimes& row) { return seconds(row.times.total_ns) / static_cast<double>(row.times.n); }),
      Origin::kMeasured);
  builder.measure({"min_s", "Min", "", "Shortest call", Align::kRight, 5}, Measure::kTime,
                  numbers(rows, [](const RangeTimes& row) { return seconds(row.times.min_ns); }), Origin::kMeasured);
  builder.measure({"max_s", "Max", "", "Longest call", Align::kRight, 3}, Measure::kTime,
                  numbers(rows, [](const RangeTimes& row) { return seconds(row.times.max_ns); }), Origin::kMeasured);
  if (n < summary.ranges.size())
    builder.note(fmt::format("{} more names are not listed.",
                             format_count(static_cast<std::int64_t>(summary.ranges.size() - n))));
  return builder.build();
}

Table threads_table(const AttachRecord& record) {
  std::vector<std::int64_t> n_ranges(record.threads.size(), 0);
  for (const AttachedRange& range : record.ranges) ++n_ranges[static_cast<std::size_t>(range.thread)];
  const auto process_of = [&](const AttachedThread& thread) -> const AttachedProcess& {
    return record.processes[static_cast<std::size_t>(thread.process)];
  };
  TableBuilder builder("threads", "Threads");
  builder.count({"pid", "Process", "", "Number of the process", Align::kRight, 0},
                counts(record.threads, [&](const AttachedThread& row) { return process_of(row).pid; }), Origin::kExact);
  builder.count({"tid", "Thread", "", "Number of the thread", Align::kRight, 0},
                counts(record.threads, [](const AttachedThread& row) { return row.tid; }), Origin::kExact);
  builder.text({"name", "Name", "", "As the program named it", Align::kLeft, 2},
               texts(record.threads, [](const AttachedThread& row) { return name_or(row.name, kMissing); }));
  builder.count({"ranges", "Ranges", "", "Ranges and marks", Align::kRight, 0}, n_ranges, Origin::kMeasured);
  builder.count({"dropped", "Dropped", "", "Events that found no room", Align::kRight, 1},
                counts(record.threads, [](const AttachedThread& row) { return row.n_dropped; }), Origin::kMeasured);
  builder.text({"program", "Program", "", "Command line of the process", Align::kLeft, 3},
               texts(record.threads, [&](const AttachedThread& row) { return process_of(row).program; }));
  return builder.build();
}

std::vector<Remark> remarks_of(const RangeSummary& summary) {
  std::vector<Remark> remarks;
  if (summary.n_dropped > 0)
    remarks.push_back({"dropped", fmt::format("{} found no room and were dropped: the disk is full, or the limit of "
                                              "--max-mib was reached.",
                                              counted(summary.n_dropped, "event", "events"))});
  if (summary.n_cut > 0)
    remarks.push_back(
        {"cut", fmt::format("{} never ended: the program ended first. Their times reach to the last event "
                            "of their process.",
                            counted(summary.n_cut, "range", "ranges"))});
  return remarks;
}

}  // namespace

AttachView attach_view(const AttachRecord& record, const RangeSummary& summary, std::size_t n_ranges) {
  AttachView view;
  view.title = record.command;
  view.answer = answer_of(record, summary);
  view.steps = steps_table(summary);
  view.ranges = ranges_table(summary, n_ranges);
  view.threads = threads_table(record);
  view.remarks = remarks_of(summary);
  return view;
}

}  // namespace dachlast::viewmodel
