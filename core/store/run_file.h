#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/roofline/run.h"
#include "core/trace/clock_power_sample.h"
#include "core/trace/memory_sample.h"
#include "core/trace/span.h"

namespace dachlast {

/// What to do where the file to be written exists already.
enum class IfExists : std::uint8_t { kRefuse, kOverwrite };

/// Which spans of a point are kept: those of its first steps, so that files stay small, or of every step.
enum class Timeline : std::uint8_t { kFirstSteps, kFull };

/// Steps per point whose spans `Timeline::kFirstSteps` keeps: one to look at, two to see that it repeats.
inline constexpr int kTimelineSteps = 3;

/// Spans of one point in the order they ended, and how many steps they stand for.
struct PointTimeline {
  int n_steps_measured = 0;
  int n_steps_kept = 0;  // less than measured where the timeline was thinned
  std::vector<trace::Span> spans;
  std::vector<trace::MemorySample> memory = {};           // around those steps; none in older files
  std::vector<trace::ClockPowerSample> clock_power = {};  // likewise; none where it was not asked for
};

/// The spans of the first `n_steps` steps among `spans`, which lie in the order they ended: a step's operations before
/// it.
PointTimeline keep_first_steps(std::span<const trace::Span> spans, int n_steps);

/// Whether a run file could be made under this name, asked before the work that would fill it.
/// Errors   throws `Error`: kUsage where it exists and `if_exists` refuses or is a folder, kFailure where its folder is
///          missing.
void require_writable_name(const std::filesystem::path& file, IfExists if_exists);

/// Writes one run into a file while it is measured. Each point is one transaction, so a killed process loses at most
/// the point in flight. Moved, not copied.
/// Threads  one at a time.
class RunWriter {
 public:
  /// Makes the file and stores everything of `run` that is known before the first point. The file appears under its
  /// name only once it is whole; where that fails nothing is left behind and an older file stays as it was. Errors
  /// throws `Error`: kUsage where the file exists and `if_exists` refuses, kFailure where it cannot be written.
  static RunWriter create(const std::filesystem::path& file, const Run& run, IfExists if_exists,
                          Timeline timeline = Timeline::kFirstSteps);

  RunWriter(const RunWriter&) = delete;
  RunWriter& operator=(const RunWriter&) = delete;
  RunWriter(RunWriter&&) noexcept;
  RunWriter& operator=(RunWriter&&) noexcept;
  /// Leaves a single readable file, marked incomplete unless `finish` was called.
  ~RunWriter();

  /// Appends a point, its spans and what memory was in use; thinned spans thin the samples with them.
  /// Errors   throws `Error` (kFailure), for example where the disk is full; points stored before stay readable.
  void add_point(const MeasuredPoint& point, std::span<const trace::Span> spans = {},
                 std::span<const trace::MemorySample> memory = {},
                 std::span<const trace::ClockPowerSample> clock_power = {});

  /// Notes where clock and power are read, or why they are not.
  void note_sources(const trace::ClockPowerSources& sources);

  /// Replaces what may still change after creation: warnings, assumptions, generation, the uncached comparison, roofs,
  /// and the number of planned points. Points are not touched.
  void update(const Run& run);

  /// Marks the run complete and folds the journal into the one file, so that it can be mailed. Nothing may be added
  /// after.
  void finish();

 private:
  struct State;
  explicit RunWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A run as it was read back.
struct StoredRun {
  Run run;
  std::vector<PointTimeline> timelines;                 // one per point of `run`; without spans where none were kept
  std::optional<trace::ClockPowerSources> clock_power;  // empty: nobody asked for them
  std::vector<std::string> skipped;  // what a newer version stored and this one cannot show: "table counters"
};

/// Whether the spans of a run file are read with it: they may be a hundred times the rest.
enum class Spans : std::uint8_t { kRead, kLeaveOut };

/// Reads a run file, or the run that a report (HTML) or its JSON carries, which holds no spans. Older versions are migrated in
/// memory, newer ones read as far as they are known; the file itself is never changed. A file of a killed process is read up to its last whole point, `run.complete` false. Where spans are
/// left out, damage to them goes unnoticed.
/// Errors   throws `Error` (kInput) where the file is missing, not a run file, damaged or truncated.
StoredRun read_run(const std::filesystem::path& file, Spans spans = Spans::kRead);

}  // namespace dachlast
