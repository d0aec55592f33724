#include "core/collect/cupti/memory_ledger.h"

#include <algorithm>
#include <tuple>

namespace dachlast {
namespace {

constexpr std::uint32_t kAllocated = 1;  // CUpti_ActivityMemoryOperationType
constexpr std::uint32_t kReleased = 2;

/// Source   CUpti_ActivityMemoryKind of cupti_activity.h.
std::string memory_name(const spool::Allocation& allocation) {
  switch (allocation.memory_kind) {
    case 1: return "pageable";
    case 2: return "pinned";
    case 3: return allocation.pool_address != 0 ? "device, in pools" : "device";
    case 4: return "array";
    case 5: return "managed";
    case 6: return "device, static";
    case 7: return "managed, static";
    default: return "of another kind";
  }
}

}  // namespace

std::vector<AttachedMemory> MemoryLedger::totals(std::int32_t process) {
  std::stable_sort(events_.begin(), events_.end(), [](const auto& a, const auto& b) {
    return std::tuple(a.at_ns, -static_cast<int>(a.operation)) < std::tuple(b.at_ns, -static_cast<int>(b.operation));
  });
  for (const spool::Allocation& event : events_) follow(event);
  std::vector<AttachedMemory> list;
  for (auto& [key, memory] : memory_) {
    memory.process = process;
    list.push_back(memory);
  }
  return list;
}

void MemoryLedger::follow(const spool::Allocation& event) {
  if (event.operation == kAllocated) {
    const auto device = static_cast<std::int32_t>(event.device);
    AttachedMemory& memory = memory_[{device, memory_name(event)}];
    memory.device = device;
    memory.kind = memory_name(event);
    ++memory.n_allocations;
    memory.end_bytes += static_cast<std::int64_t>(event.bytes);
    memory.peak_bytes = std::max(memory.peak_bytes, memory.end_bytes);
    held_[event.address] = {&memory, static_cast<std::int64_t>(event.bytes)};
  } else if (const auto found = held_.find(event.address); event.operation == kReleased && found != held_.end()) {
    found->second.memory->end_bytes -= found->second.bytes;
    held_.erase(found);
  }
}

}  // namespace dachlast
