#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "core/collect/nvtx/spool_file.h"
#include "core/trace/attach_record.h"

namespace dachlast {

/// CUPTI's clock against CLOCK_MONOTONIC, tied at moments at which both were read. CUPTI's follows the time of day, which
/// the system speeds up and slows down to keep it right, so between two moments the way is a straight line.
class ClockTies {
 public:
  void add(std::uint64_t cupti_ns, std::int64_t monotonic_ns);
  /// Call after the last `add`.
  void finish();
  /// Before the first moment and behind the last one both clocks are taken to run alike; without any moment too.
  std::int64_t monotonic_ns(std::uint64_t cupti_ns) const;

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>> ties_;  // CUPTI, monotonic
};

/// The program a process runs: its number and that of the image, so that what replaces it by exec is another one.
using ProgramKey = std::pair<std::int64_t, std::uint32_t>;

/// Adds what GPUs did to a record that has its ranges. Each piece of work is assigned to the outermost call of the runtime
/// or driver that carries its correlation number, and through it to a thread. `processes` finds a program's index in the
/// record; programs that annotated nothing are added.
/// Errors   none: what is damaged or missing is left out.
void add_gpu_work(std::span<const SpoolFile> files, std::map<ProgramKey, std::int32_t>& processes,
                  AttachRecord& record);

}  // namespace dachlast
