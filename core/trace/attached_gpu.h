#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dachlast {

inline constexpr std::int32_t kNoThread = -1;

/// A GPU that an attached program used, as its driver describes it.
struct AttachedGpu {
  std::int32_t index = 0;
  std::string name;
  std::int64_t memory_bytes = 0;
  std::int32_t n_multiprocessors = 0;
  std::int32_t compute_capability = 0;  // 90: 9.0
};

enum class AttachedActivity : std::uint8_t { kKernel, kCopy, kFill, kGraph };

inline constexpr AttachedActivity kAllAttachedActivities[] = {AttachedActivity::kKernel, AttachedActivity::kCopy,
                                                              AttachedActivity::kFill, AttachedActivity::kGraph};

constexpr std::string_view name_of(AttachedActivity activity) {
  constexpr std::string_view names[] = {"kernel", "copy", "fill", "graph"};
  return names[static_cast<int>(activity)];
}

/// One kernel, copy, fill or whole graph on a GPU. Times are CLOCK_MONOTONIC nanoseconds, as those of ranges.
struct AttachedWork {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::int64_t bytes = 0;            // moved by a copy or fill
  std::int32_t process = 0;          // index into the processes
  std::int32_t thread = kNoThread;   // index into the threads: whose call asked for it; kNoThread: not recorded
  std::int64_t launch_start_ns = 0;  // of that call
  std::int64_t launch_end_ns = 0;    // likewise
  std::int32_t name = 0;             // index into the names
  std::int32_t device = 0;
  std::int32_t stream = 0;
  std::int32_t registers = 0;     // a thread
  std::int64_t shared_bytes = 0;  // a block, static and dynamic
  std::array<std::int32_t, 3> grid = {};
  std::array<std::int32_t, 3> block = {};
  AttachedActivity activity = AttachedActivity::kKernel;
};

/// What host time went into.
enum class HostTimeKind : std::uint8_t {
  kCall,     // of the CUDA runtime or driver
  kWait,     // for a GPU, or of a stream for another
  kOverhead  // of the recording, or of the driver's compiling and loading
};

inline constexpr HostTimeKind kAllHostTimeKinds[] = {HostTimeKind::kCall, HostTimeKind::kWait, HostTimeKind::kOverhead};

constexpr std::string_view name_of(HostTimeKind kind) {
  constexpr std::string_view names[] = {"call", "wait", "overhead"};
  return names[static_cast<int>(kind)];
}

/// All calls, waits or overheads of one name in one process.
struct AttachedHostTime {
  std::int32_t process = 0;
  HostTimeKind kind = HostTimeKind::kCall;
  std::string name;
  std::int64_t n = 0;
  std::int64_t total_ns = 0;
};

/// Memory of one kind that a process held.
struct AttachedMemory {
  std::int32_t process = 0;
  std::int32_t device = 0;
  std::string kind;  // "device", "pinned", "managed", "pageable", "device, in pools"
  std::int64_t n_allocations = 0;
  std::int64_t peak_bytes = 0;
  std::int64_t end_bytes = 0;  // not given back when the recording ended
};

/// A counter of a kernel, measured by a profiler that replayed it: times of such a recording are not the program's.
struct AttachedCounter {
  std::int32_t process = 0;
  std::int32_t range = 0;   // number of the launch
  std::int32_t kernel = 0;  // index into the names
  std::int32_t metric = 0;  // likewise
  double value = 0.0;
};

/// What the memory of a GPU moved over a short time, all of its work together.
struct AttachedSample {
  std::int64_t start_ns = 0;  // CLOCK_MONOTONIC; on a clock of the GPU's own where the uncertainty is empty
  std::int64_t end_ns = 0;
  std::optional<std::int64_t> uncertainty_ns = {};  // of both, either way
  std::int32_t process = 0;                         // index into the processes: who sampled
  std::int32_t device = 0;
  double read_bytes = 0.0;  // of DRAM, as the next
  double written_bytes = 0.0;
};

/// What a recording could not hold, or why there is none.
struct AttachedGpuLoss {
  std::int32_t process = 0;
  std::int64_t n_dropped = 0;   // records CUPTI had no buffer for, or the file no room
  std::int64_t n_unknown = 0;   // records of kinds nobody reads
  std::int64_t lost_bytes = 0;  // of buffers that could not be read to their end
  std::vector<std::string> notes;
};

/// What the GPUs of an attached program did; all empty where no driver was loaded.
struct AttachedGpuPart {
  std::vector<AttachedGpu> gpus = {};
  std::vector<AttachedWork> work = {};  // by start
  std::vector<AttachedHostTime> host_times = {};
  std::vector<AttachedMemory> memory = {};
  std::vector<AttachedCounter> counters = {};
  std::vector<AttachedSample> samples = {};
  std::vector<AttachedGpuLoss> losses = {};  // of each process whose GPU work was to be recorded
};

}  // namespace dachlast
