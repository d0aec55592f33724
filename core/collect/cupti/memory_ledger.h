#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/collect/cupti/gpu_records.h"
#include "core/trace/attached_gpu.h"

namespace dachlast {

/// The memory of a process by kind, followed through time.
class MemoryLedger {
 public:
  void add(const spool::Allocation& allocation) { events_.push_back(allocation); }

  /// Records come out of order; a release may make room at an address at once, so at equal times releases come first. What is
  /// released and was never seen taken changes nothing. Call once.
  std::vector<AttachedMemory> totals(std::int32_t process);

 private:
  struct Held {
    AttachedMemory* memory;
    std::int64_t bytes;
  };

  void follow(const spool::Allocation& event);

  std::vector<spool::Allocation> events_;
  std::map<std::pair<std::int32_t, std::string>, AttachedMemory>
      memory_;                                    // by device and kind; nodes stay where they are
  std::unordered_map<std::uint64_t, Held> held_;  // by address
};

}  // namespace dachlast
