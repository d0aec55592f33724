#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "core/figure/scale.h"
#include "core/trace/clock_power_sample.h"
#include "core/trace/memory_sample.h"
#include "core/trace/span.h"
#include "core/viewmodel/op_family.h"
#include "core/viewmodel/op_filter.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// Events of one row: ascending, none over another. Events are told apart by kind, each with its colour.
class TimelineRow {
 public:
  static constexpr int kMostKinds = kOpFamilyCount;
  /// Time inside events, by kind.
  using Busy = std::array<std::int64_t, kMostKinds>;

  /// Events come in the order they begin; one that begins before the last has ended is cut to begin there.
  void add(std::int64_t start_ns, std::int64_t end_ns, int kind);

  int size() const { return static_cast<int>(starts_.size()); }
  std::int64_t start_ns(int i) const { return starts_[static_cast<std::size_t>(i)]; }
  std::int64_t end_ns(int i) const { return ends_[static_cast<std::size_t>(i)]; }
  int kind(int i) const { return kinds_[static_cast<std::size_t>(i)]; }

  /// The first event that begins at or after a time.
  int first_from(std::int64_t time_ns) const;
  /// Time inside events [from, to), in constant time for any number of them.
  Busy busy(int from, int to) const;
  /// Time inside events between two times, those cut at the ends counted in part.
  std::int64_t busy_between(std::int64_t from_ns, std::int64_t to_ns) const;

 private:
  static constexpr int kBlock =
      64;  // events summed at once: sums for each would take five times the room of the events

  std::vector<std::int64_t> starts_;
  std::vector<std::int64_t> ends_;
  std::vector<std::uint8_t> kinds_;
  std::vector<Busy> sums_;  // before event 64·i
};

/// What stands in a window of a row: an event at least a column wide, or the small ones that share a column.
struct TimelineBar {
  double from = 0.0;  // columns from the left edge
  double to = 0.0;
  int kind = 0;        // of small ones, the kind with the most time
  double cover = 1.0;  // share of the bar inside events
  int event = -1;      // −1: several
};

/// At most about two bars a column, whatever the number of events.
std::vector<TimelineBar> bars_of(const TimelineRow& row, const figure::Interval& window_ns, int n_columns);

/// Recorded steps of one measured point.
struct TimelinePoint {
  std::string heading;  // "Decode, 512 tokens, batch 1"
  Phase phase = Phase::kPrefill;
  int n_steps_measured = 0;
  int first_step = 0;  // places in the row of steps
  int n_steps = 0;
};

/// Tokens a KV cache holds while one step lasts.
struct KvLevel {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::int64_t tokens_before = 0;
  std::int64_t tokens_after = 0;
};

/// Clock and power between two readings.
struct ClockPowerPiece {
  std::int64_t from_ns = 0;
  std::int64_t to_ns = 0;
  std::optional<double> clock_from_hz;
  std::optional<double> clock_to_hz;
  std::optional<double> power_w;  // mean of that time
};

/// What kernels of a GPU are for, as their colours tell them apart.
enum class KernelGroup : std::uint8_t { kAttention, kMatrix, kOther, kCopy, kCommunication };

inline constexpr int kKernelGroupCount = static_cast<int>(KernelGroup::kCommunication) + 1;
static_assert(kKernelGroupCount <= TimelineRow::kMostKinds);

constexpr std::string_view name_of(KernelGroup group) {
  constexpr std::string_view names[] = {"attention kernels", "matrix products", "other kernels", "copies and fills",
                                        "communication"};
  return names[static_cast<int>(group)];
}

/// One kernel, copy or fill as it was recorded: in its row it is cut where another stream's lies over it.
struct TimelineKernel {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::uint32_t name = 0;  // index into the names
  std::int32_t stream = 0;
  std::int64_t bytes = 0;                      // moved by a copy or fill; 0: not recorded
  std::optional<std::int64_t> launch_ns = {};  // when the host's call began; empty: not recorded
};

/// What another profiler recorded of one GPU, or of one thread of a program that used none. Its phases and operations are the time that what they launched took there.
struct RecordedGpu {
  std::string heading;             // "PyTorch profiler trace, GPU 0"
  std::vector<std::string> names;  // of kernels, operations and steps
  std::vector<TimelineKernel> kernels;
  std::vector<std::uint32_t> op_names;    // of each operation in its row
  std::vector<std::uint32_t> step_names;  // likewise
  /// Where nothing ran, before the host had asked for what ran next.
  TimelineRow launch_gaps;
  bool launches_known = false;
  bool of_host = false;        // a thread: there are no kernels, and operations are its ranges
  std::int32_t device = 0;     // by the recording's numbers
  std::int64_t origin_ns = 0;  // where the axis begins, by the recording's own clock
};

/// Recorded steps, layers and operations of a run on one time axis that begins at 0.
struct Timeline {
  std::vector<TimelinePoint> points;
  TimelineRow steps;               // kind: phase
  TimelineRow layers;              // kind: family of the layer's longest operation; of a recording as the next
  TimelineRow ops;                 // kind: family; of a recording: group of the kernels that took longest
  TimelineRow kernels;             // kind: group; none of runs of this program, whose operations are timed as a whole
  std::vector<trace::Span> spans;  // of `ops`, as measured; none of a recording
  std::vector<std::int32_t> layer_numbers;
  std::vector<trace::MemorySample> memory;                      // ascending; none where it was not read
  std::vector<KvLevel> kv;                                      // a level a step; none of runs without a cache
  std::vector<ClockPowerPiece> clock_power;                     // ascending; none where it was not read
  std::optional<trace::ClockPowerSources> clock_power_sources;  // empty: nobody asked for clock and power
  std::string no_kernels;  // why a run on a GPU has no row of kernels, a sentence; empty: it has one, or none is missed
  std::optional<RecordedGpu> gpu;  // of a recording
  std::int64_t end_ns = 0;

  bool empty() const { return ops.size() == 0 && kernels.size() == 0; }
};

/// Spans of one point as they were recorded.
struct RecordedPoint {
  std::string heading;
  Phase phase = Phase::kPrefill;
  int n_steps_measured = 0;
  std::span<const trace::Span> spans;
  int batch_size = 0;  // sequences whose K and V are kept; 0: none are
  std::span<const trace::MemorySample> memory = {};
  std::span<const trace::ClockPowerSample> clock_power = {};
};
Timeline make_timeline(std::span<const RecordedPoint> points);

/// Rows that are missing, and why: "No power: …". Empty where nothing is, or nobody asked.
std::vector<std::string> missing_rows(const Timeline& timeline);

/// The part that is framed first: one decode step of the last decode point, else a step of the last point, a little air around it.
figure::Interval first_window(const Timeline& timeline);
/// One step with air around it. `step` counts over all points.
figure::Interval step_window(const Timeline& timeline, int step);
/// A window as wide as asked, moved and narrowed until it lies on the time axis.
figure::Interval clamped_window(const Timeline& timeline, figure::Interval window_ns);

/// A timeline in a chart: a run, and where on its own axis the chart's zero lies.
struct TimelineStrip {
  std::string name;  // of the run; empty where there is only one
  const Timeline* timeline = nullptr;
  std::int64_t origin_ns = 0;
};

/// Draws strips below one another, their zeros aligned. Operations that the filters hold back are faint. Drawing takes time by
/// the width of the chart, not by the number of events; hit boxes carry no facts, `event_facts` tells those of one.
figure::Figure timeline_figure(std::span<const TimelineStrip> strips, const figure::Interval& window_ns,
                               std::span<const OpFilter> filters, figure::Size size, std::string id);

/// The facts of an event, by the datum of its hit box; empty for a datum that is none.
std::string event_facts(std::span<const TimelineStrip> strips, std::string_view event);

/// The events that begin in a window, one a row, counted from an origin.
Table events_table(const Timeline& timeline, const figure::Interval& window_ns, std::int64_t origin_ns);

/// What lies between two times.
struct TimelineRange {
  std::string sentence;             // "12 operations in 3.21 ms: 2.90 ms inside operations, 0.31 ms in gaps (9.7 %)."
  Table statistics;                 // durations of the operations that begin there
  std::vector<std::string> datums;  // operations seen there, ascending; none of a recording
  figure::Interval window_ns;       // as asked for; of a recording without the air around its axis
  std::int64_t n_events = 0;        // operations, or kernels of a recording, that begin there
};
TimelineRange describe_range(const Timeline& timeline, const figure::Interval& range_ns);

/// Operation an event of the chart stands for, by the datum of its hit box: "op:12" → "decode/attention". Empty for steps, layers
/// and strips other than the first.
std::string op_datum_of(const Timeline& timeline, std::string_view event);

}  // namespace dachlast::viewmodel
