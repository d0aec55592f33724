#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "core/base/units.h"
#include "core/kv_cache/kv_tier.h"

namespace dachlast {
namespace {

/// Keeps pages from being swapped out: what a copy engine beside a GPU requires, and what makes times repeat here.
class LockedPages {
 public:
  explicit LockedPages(std::span<std::byte> memory)
      : memory_(memory), locked_(!memory.empty() && ::mlock(memory.data(), memory.size()) == 0) {}
  ~LockedPages() {
    if (locked_) ::munlock(memory_.data(), memory_.size());
  }
  LockedPages(const LockedPages&) = delete;
  LockedPages& operator=(const LockedPages&) = delete;

  std::string text() const {
    if (locked_) return "locked";
    rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return "not locked";
    return fmt::format("not locked, the limit on locked memory being {:.4g} MiB (ulimit -l)",
                       static_cast<double>(limit.rlim_cur) / kMiB);
  }

 private:
  std::span<std::byte> memory_;
  bool locked_;
};

class HostTier final : public TierMemory {
 public:
  explicit HostTier(double bytes) : memory_(bytes, "KV tier in RAM"), locked_(memory_.as<std::byte>()) {}

  std::span<const std::byte> read(std::int64_t offset, std::span<std::byte> bounce) override {
    return stage(offset, bounce);
  }
  std::span<std::byte> stage(std::int64_t offset, std::span<std::byte> bounce) override {
    return memory_.as<std::byte>().subspan(static_cast<std::size_t>(offset), bounce.size());
  }
  void write(std::int64_t, std::span<const std::byte>) override {}

  double memory_bytes() const override { return static_cast<double>(memory_.size_bytes()); }
  std::string description() const override {
    return fmt::format("a second pool of {:.4g} MiB in RAM, {}", static_cast<double>(memory_.size_bytes()) / kMiB,
                       locked_.text());
  }

 private:
  AlignedBuffer memory_;
  LockedPages locked_;  // behind the memory: unlocked before it goes
};

}  // namespace

std::unique_ptr<TierMemory> make_host_tier(double bytes) {
  return std::make_unique<HostTier>(bytes);
}

}  // namespace dachlast
