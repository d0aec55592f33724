#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/kv_cache/kv_tier.h"
#include "kernels/cuda/runtime.h"

namespace dachlast {

/// A record between its turns: bytes of a tier from `offset` on.
struct TierRecord {
  std::int64_t offset = 0;
  std::size_t bytes = 0;
};

/// What lies behind the slots of a GPU. Transfers are queued and keep the order of their queue, which is always the same one.
/// Errors   what goes wrong in a transfer comes out of `require_intact`; the tier is of no use then.
class CudaTier {
 public:
  virtual ~CudaTier() = default;

  /// Queues copies of the record to the parts, one behind the other.
  virtual void load(const TierRecord& record, std::span<const std::span<std::byte>> parts,
                    kernels::cuda::Stream stream) = 0;
  virtual void store(const TierRecord& record, std::span<const std::span<std::byte>> parts,
                     kernels::cuda::Stream stream) = 0;
  /// Copies a record at once; nothing is queued.
  virtual void copy(const TierRecord& from, const TierRecord& to) = 0;
  /// Nothing is queued.
  virtual void require_intact() {}
  virtual std::string description() const = 0;
};

/// Pinned memory of the host, which the GPU copies from and to by itself.
std::unique_ptr<CudaTier> make_pinned_tier(double bytes);

/// A tier of the host behind one record of pinned memory: calls of the host in the queue read and write it.
std::unique_ptr<CudaTier> make_bounced_tier(std::unique_ptr<TierMemory> memory, std::size_t largest_record_bytes,
                                            std::size_t alignment);

}  // namespace dachlast
