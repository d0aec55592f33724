#include "core/kv_cache/kv_memory.h"

#include <cstring>

#include "core/kv_cache/aligned_buffer.h"

namespace dachlast {
namespace {

class HostKvMemory final : public KvMemory {
 public:
  explicit HostKvMemory(double bytes) : memory_(bytes, "KV cache") {}

  std::span<std::byte> bytes() const override { return memory_.as<std::byte>(); }
  void copy(std::size_t to, std::size_t from, std::size_t n_bytes) override {
    std::memcpy(bytes().data() + to, bytes().data() + from, n_bytes);
  }

 private:
  AlignedBuffer memory_;
};

}  // namespace

std::unique_ptr<KvMemory> make_host_kv_memory(double bytes) {
  return std::make_unique<HostKvMemory>(bytes);
}

}  // namespace dachlast
