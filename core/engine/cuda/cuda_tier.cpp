#include "core/engine/cuda/cuda_tier.h"

#include <fmt/core.h>

#include <cstring>
#include <exception>
#include <utility>

#include "core/base/units.h"

namespace dachlast {
namespace {

using kernels::cuda::PinnedMemory;
using kernels::cuda::Stream;
using Parts = std::span<const std::span<std::byte>>;

void queue_to_parts(const std::byte* from, Parts parts, Stream stream) {
  for (const std::span<std::byte> part : parts) {
    kernels::cuda::copy(part.data(), from, part.size(), stream);
    from += part.size();
  }
}

void queue_from_parts(std::byte* to, Parts parts, Stream stream) {
  for (const std::span<std::byte> part : parts) {
    kernels::cuda::copy(to, part.data(), part.size(), stream);
    to += part.size();
  }
}

class PinnedTier final : public CudaTier {
 public:
  explicit PinnedTier(double bytes) : memory_(static_cast<std::size_t>(bytes), "KV tier in pinned memory") {
    std::memset(memory_.bytes().data(), 0, memory_.bytes().size());
  }

  void load(const TierRecord& record, Parts parts, Stream stream) override {
    queue_to_parts(at(record), parts, stream);
  }
  void store(const TierRecord& record, Parts parts, Stream stream) override {
    queue_from_parts(at(record), parts, stream);
  }
  void copy(const TierRecord& from, const TierRecord& to) override { std::memcpy(at(to), at(from), from.bytes); }
  std::string description() const override {
    return fmt::format("{:.4g} MiB of pinned memory of the host, copied by the GPU",
                       static_cast<double>(memory_.bytes().size()) / kMiB);
  }

 private:
  std::byte* at(const TierRecord& record) const { return memory_.bytes().data() + record.offset; }

  PinnedMemory memory_;
};

class BouncedTier final : public CudaTier {
 public:
  BouncedTier(std::unique_ptr<TierMemory> memory, std::size_t largest_record_bytes, std::size_t alignment)
      : memory_(std::move(memory)),
        pinned_(largest_record_bytes + alignment, "room for a block on its way to the file"),
        bounce_(aligned(pinned_.bytes(), largest_record_bytes, alignment)) {}

  void load(const TierRecord& record, Parts parts, Stream stream) override {
    kernels::cuda::call_host([this, record] { attempt([&] { read(record); }); }, stream);
    queue_to_parts(bounce_.data(), parts, stream);
  }

  void store(const TierRecord& record, Parts parts, Stream stream) override {
    queue_from_parts(bounce_.data(), parts, stream);
    kernels::cuda::call_host([this, record] { attempt([&] { write(record); }); }, stream);
  }

  void copy(const TierRecord& from, const TierRecord& to) override {
    require_intact();
    read(from);
    write(to);
  }

  void require_intact() override {
    if (failure_) std::rethrow_exception(failure_);
  }
  std::string description() const override { return memory_->description() + ", behind pinned memory"; }

 private:
  static std::span<std::byte> aligned(std::span<std::byte> memory, std::size_t bytes, std::size_t alignment) {
    const auto past = reinterpret_cast<std::uintptr_t>(memory.data()) % alignment;
    return memory.subspan(past == 0 ? 0 : alignment - past, bytes);
  }

  void read(const TierRecord& record) {
    const std::span<std::byte> room = bounce_.first(record.bytes);
    const std::span<const std::byte> found = memory_->read(record.offset, room);
    if (found.data() != room.data()) std::memcpy(room.data(), found.data(), found.size());
  }

  void write(const TierRecord& record) {
    const std::span<std::byte> room = bounce_.first(record.bytes);
    const std::span<std::byte> staged = memory_->stage(record.offset, room);
    if (staged.data() != room.data()) std::memcpy(staged.data(), room.data(), room.size());
    memory_->write(record.offset, staged);
  }

  /// On a thread of the runtime. The queue's order keeps two from being here at once, and whoever asks has waited for all.
  template <class Work>
  void attempt(Work&& work) noexcept {
    if (failure_) return;
    try {
      work();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  std::unique_ptr<TierMemory> memory_;
  PinnedMemory pinned_;
  std::span<std::byte> bounce_;
  std::exception_ptr failure_;
};

}  // namespace

std::unique_ptr<CudaTier> make_pinned_tier(double bytes) {
  return std::make_unique<PinnedTier>(bytes);
}

std::unique_ptr<CudaTier> make_bounced_tier(std::unique_ptr<TierMemory> memory, std::size_t largest_record_bytes,
                                            std::size_t alignment) {
  return std::make_unique<BouncedTier>(std::move(memory), largest_record_bytes, alignment);
}

}  // namespace dachlast
