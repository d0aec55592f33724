#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace dachlast {

/// Where an `AlignedBuffer` comes from and goes back to; its deleter.
struct ReleaseMemory {
  enum class Source { kHeap, kPages };
  std::size_t size_bytes = 0;
  Source source = Source::kHeap;
  void operator()(std::byte* memory) const;
};

/// Zeroed memory that starts on a cache line. Large buffers come in whole pages straight from the system, asking for
/// huge ones: streaming a long KV cache through 4 KiB pages would miss the TLB once every few rows.
class AlignedBuffer {
 public:
  static constexpr std::size_t kAlignmentBytes = 64;  // a cache line, and one AVX-512 register

  /// `bytes` rounded up to whole cache lines: what a buffer of this size takes.
  static double padded_bytes(double bytes);

  AlignedBuffer() = default;
  /// `subject` names the buffer to the reader of the error.
  /// Errors   throws `Error` (kDoesNotFit) naming the bytes needed where the system refuses them.
  AlignedBuffer(double bytes, std::string_view subject);

  std::size_t size_bytes() const { return memory_.get_deleter().size_bytes; }

  /// The whole buffer as elements of type T.
  template <class T>
  std::span<T> as() const {
    return {reinterpret_cast<T*>(memory_.get()), size_bytes() / sizeof(T)};
  }

 private:
  std::unique_ptr<std::byte[], ReleaseMemory> memory_;
};

}  // namespace dachlast
