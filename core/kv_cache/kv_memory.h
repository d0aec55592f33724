#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/kv_cache/kv_stage.h"
#include "core/kv_cache/kv_tier.h"

namespace dachlast {

/// The memory that pools of blocks lie in, zeroed when it comes. A device's is reached by its kernels alone: the host hands its
/// addresses on and never follows them.
class KvMemory {
 public:
  virtual ~KvMemory() = default;

  virtual std::span<std::byte> bytes() const = 0;
  /// Copies within it, behind the kernels that were launched so far and before those that follow.
  virtual void copy(std::size_t to, std::size_t from, std::size_t n_bytes) = 0;
};

/// Where caches of a device come from.
class KvDevice {
 public:
  virtual ~KvDevice() = default;

  /// Errors   throws `Error` (kDoesNotFit) where there is no room.
  virtual std::unique_ptr<KvMemory> allocate(double bytes) = 0;
  /// Slots before `tier`, or before `tier_bytes` of memory of its own choice where there is none.
  virtual std::unique_ptr<KvStage> make_stage(StageOptions options, std::unique_ptr<TierMemory> tier,
                                              double tier_bytes) = 0;
};

/// RAM of this computer.
/// Errors   throws `Error` (kDoesNotFit) where there is no room.
std::unique_ptr<KvMemory> make_host_kv_memory(double bytes);

}  // namespace dachlast
