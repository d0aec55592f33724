#include "tests/emulation/memory.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <new>

namespace dachlast::emulation {
namespace {

constexpr int kWarpSize = 32;
constexpr std::uint8_t kReadMark = 1, kWriteMark = 2;

struct Buffer {
  std::string name;
  Traffic traffic;
  std::vector<std::uint8_t> marks;  // of each byte
};

std::uintptr_t number_of(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address);
}

/// By first address.
std::map<std::uintptr_t, Buffer>& buffers() {
  static std::map<std::uintptr_t, Buffer> all;
  return all;
}

struct Found {
  Buffer* buffer = nullptr;
  std::size_t offset = 0;
};

/// The buffer of the last access: the next one is mostly in the same.
struct LastBuffer {
  std::uintptr_t begin = 0;
  Buffer* buffer = nullptr;
};
LastBuffer last_buffer;

Found find(std::uintptr_t address, std::size_t bytes) {
  if (last_buffer.buffer != nullptr && address - last_buffer.begin < last_buffer.buffer->marks.size() &&
      address - last_buffer.begin + bytes <= last_buffer.buffer->marks.size())
    return {last_buffer.buffer, address - last_buffer.begin};
  auto after = buffers().upper_bound(address);
  if (after == buffers().begin()) return {};
  --after;
  const std::size_t offset = address - after->first;
  if (offset + bytes > after->second.marks.size()) return {};
  last_buffer = {after->first, &after->second};
  return {&after->second, offset};
}

std::size_t mark(Buffer& buffer, std::size_t offset, std::size_t bytes, std::uint8_t with) {
  std::size_t fresh = 0;
  for (std::size_t i = offset; i < offset + bytes; ++i) {
    fresh += (buffer.marks[i] & with) == 0 ? 1 : 0;
    buffer.marks[i] |= with;
  }
  return fresh;
}

}  // namespace

void watch(const void* data, std::size_t bytes, std::string name) {
  last_buffer = {};
  if (bytes > 0) buffers()[number_of(data)] = {std::move(name), {}, std::vector<std::uint8_t>(bytes)};
}

void unwatch(const void* data) {
  last_buffer = {};
  buffers().erase(number_of(data));
}

Traffic traffic_of(const void* data) {
  const auto found = buffers().find(number_of(data));
  return found == buffers().end() ? Traffic{} : found->second.traffic;
}

Traffic traffic_of_all() {
  Traffic sum;
  for (const auto& [begin, buffer] : buffers()) {
    sum.read_bytes += buffer.traffic.read_bytes;
    sum.written_bytes += buffer.traffic.written_bytes;
    sum.unique_read_bytes += buffer.traffic.unique_read_bytes;
    sum.unique_written_bytes += buffer.traffic.unique_written_bytes;
  }
  return sum;
}

void reset_traffic() {
  for (auto& [begin, buffer] : buffers()) {
    buffer.traffic = {};
    std::fill(buffer.marks.begin(), buffer.marks.end(), std::uint8_t{0});
  }
}

bool touch_buffer(const void* address, std::size_t bytes, Access access) {
  const Found found = find(number_of(address), bytes);
  if (found.buffer == nullptr) return false;
  Traffic& traffic = found.buffer->traffic;
  if (access == Access::kRead) {
    traffic.read_bytes += bytes;
    traffic.unique_read_bytes += mark(*found.buffer, found.offset, bytes, kReadMark);
  } else {
    traffic.written_bytes += bytes;
    traffic.unique_written_bytes += mark(*found.buffer, found.offset, bytes, kWriteMark);
  }
  return true;
}

void SharedMemory::Free::operator()(std::byte* bytes) const {
  std::free(bytes);
}

SharedMemory::SharedMemory()
    : bytes_(static_cast<std::byte*>(std::aligned_alloc(1024, kMostBytes + kRoomBytes))), shadow_(kMostBytes) {
  if (bytes_ == nullptr) throw std::bad_alloc();
}

void SharedMemory::start_block(std::size_t bytes) {
  size_ = bytes;
  std::fill_n(bytes_.get(), bytes, std::byte{0xff});
}

bool SharedMemory::holds(const void* address) const {
  return number_of(address) - number_of(bytes_.get()) < kMostBytes + kRoomBytes;
}

bool SharedMemory::Touch::races_with(const Touch& other) const {
  if (thread < 0 || thread == other.thread || block_epoch != other.block_epoch) return false;
  return thread / kWarpSize != other.thread / kWarpSize || warp_epoch == other.warp_epoch;
}

std::string SharedMemory::check(const void* address, std::size_t bytes, Access access, int thread,
                                std::uint32_t block_epoch, std::uint32_t warp_epoch) {
  const std::size_t offset = number_of(address) - number_of(bytes_.get());
  if (offset + bytes > size_) return "beyond the " + std::to_string(size_) + " bytes of shared memory of the launch";
  const Touch touch{thread, block_epoch, warp_epoch};
  std::string wrong;
  for (std::size_t i = offset; i < offset + bytes; ++i) {
    Shadow& shadow = shadow_[i];
    if (shadow.writer.races_with(touch)) wrong = "races with a write of thread " + std::to_string(shadow.writer.thread);
    if (access == Access::kWrite) {
      for (const Touch& reader : {shadow.reader, shadow.other_reader})
        if (reader.races_with(touch)) wrong = "races with a read of thread " + std::to_string(reader.thread);
      shadow.writer = touch;
      continue;
    }
    if (shadow.reader.thread / kWarpSize != thread / kWarpSize) shadow.other_reader = shadow.reader;
    shadow.reader = touch;
  }
  return wrong;
}

}  // namespace dachlast::emulation
