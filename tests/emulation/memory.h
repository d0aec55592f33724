#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// What the memory of a GPU is to emulated kernels: buffers that tests have named, and the shared memory of a block. Every
// access of a kernel comes here, since kernels are compiled with -fsanitize=thread and this library stands where libtsan
// would.
namespace dachlast::emulation {

/// Bytes that kernels have moved in one buffer. `unique` counts each byte once, as an ideal cache would move it.
struct Traffic {
  std::size_t read_bytes = 0;
  std::size_t written_bytes = 0;
  std::size_t unique_read_bytes = 0;
  std::size_t unique_written_bytes = 0;
};

enum class Access : std::uint8_t { kRead, kWrite };

/// Makes [data, data + bytes) memory that kernels may touch, until `unwatch`.
void watch(const void* data, std::size_t bytes, std::string name);
void unwatch(const void* data);

/// Since the last `reset_traffic`, or since the buffer is watched.
Traffic traffic_of(const void* data);
Traffic traffic_of_all();
void reset_traffic();

/// Holds an access to shared memory against those of the other threads of the block since the last barrier.
class SharedMemory {
 public:
  /// The most that any target of ours grants a block, and room behind it where accesses are still found and not fatal.
  static constexpr std::size_t kMostBytes = std::size_t{227} << 10;

  SharedMemory();

  /// A new block: all bytes read as NaN.
  void start_block(std::size_t bytes);
  std::byte* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }
  bool holds(const void* address) const;

  /// What is wrong about an access, empty for a right one. Two accesses of different threads race where one of them is a
  /// write and neither a barrier of the block nor, within a warp, one of the warp lies between them.
  std::string check(const void* address, std::size_t bytes, Access access, int thread, std::uint32_t block_epoch,
                    std::uint32_t warp_epoch);

 private:
  struct Touch {
    std::int32_t thread = -1;
    std::uint32_t block_epoch = 0;
    std::uint32_t warp_epoch = 0;

    bool races_with(const Touch& other) const;
  };
  struct Shadow {
    Touch writer;
    Touch reader;        // the last one
    Touch other_reader;  // the last one of another warp
  };

  static constexpr std::size_t kRoomBytes = 4096;

  struct Free {
    void operator()(std::byte* bytes) const;
  };
  std::unique_ptr<std::byte[], Free> bytes_;  // starts where every vector and fragment may
  std::vector<Shadow> shadow_;
  std::size_t size_ = 0;
};

/// Accounts for an access to a watched buffer. False where it lies in none, or not wholly in one.
bool touch_buffer(const void* address, std::size_t bytes, Access access);

}  // namespace dachlast::emulation
