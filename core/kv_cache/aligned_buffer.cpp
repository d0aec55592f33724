#include "core/kv_cache/aligned_buffer.h"

#include <fmt/core.h>
#include <sys/mman.h>

#include <cmath>
#include <cstring>
#include <new>

#include "core/base/error.h"
#include "core/base/units.h"

namespace dachlast {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;
// Below two huge pages a page mapping could not hold one; the heap costs less there and sanitizers watch its borders.
constexpr std::size_t kSmallestMapping = 2 * kHugePageBytes;
constexpr double kAddressableBytes = 0x1p46;  // half of what 47 bits of user address space hold

Error does_not_fit(std::string_view subject, double bytes) {
  return {ErrorKind::kDoesNotFit, std::string(subject),
          fmt::format("{:.0f} bytes ({:.2f} GiB) are needed and the system refuses them.", bytes, bytes / kGiB),
          "Use a shorter context, a smaller batch or bf16."};
}

std::byte* map_pages(std::size_t size) {
  void* pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  ::madvise(pages, size, MADV_HUGEPAGE);  // a wish: refusing it only costs time
  return static_cast<std::byte*>(pages);
}

std::byte* take_heap(std::size_t size) {
  void* memory = ::operator new (size, std::align_val_t{AlignedBuffer::kAlignmentBytes}, std::nothrow);
  if (memory != nullptr) std::memset(memory, 0, size);
  return static_cast<std::byte*>(memory);
}

}  // namespace

double AlignedBuffer::padded_bytes(double bytes) {
  return std::ceil(bytes / kAlignmentBytes) * kAlignmentBytes;
}

AlignedBuffer::AlignedBuffer(double bytes, std::string_view subject) {
  if (bytes <= 0.0) return;
  if (!(bytes <= kAddressableBytes)) throw does_not_fit(subject, bytes);
  const auto size = static_cast<std::size_t>(padded_bytes(bytes));
  using Source = ReleaseMemory::Source;
  const Source source = size < kSmallestMapping ? Source::kHeap : Source::kPages;
  std::byte* memory = source == Source::kHeap ? take_heap(size) : map_pages(size);
  if (memory == nullptr) throw does_not_fit(subject, bytes);
  memory_ = {memory, ReleaseMemory{size, source}};
}

void ReleaseMemory::operator()(std::byte* memory) const {
  if (source == Source::kPages)
    ::munmap(memory, size_bytes);
  else
    ::operator delete (memory, std::align_val_t{AlignedBuffer::kAlignmentBytes});
}

}  // namespace dachlast
