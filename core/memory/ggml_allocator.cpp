#include "core/memory/ggml_allocator.h"

#include <algorithm>

namespace dachlast {

std::int64_t GgmlAllocator::allocate(std::int64_t bytes) {
  const std::int64_t size = aligned(bytes);
  auto best = holes_.end();
  // Of equal blocks the last one: ggml compares with <=.
  for (auto hole = holes_.begin(); hole != holes_.end(); ++hole)
    if (hole->bytes >= size && (best == holes_.end() || hole->bytes <= best->bytes)) best = hole;
  if (best == holes_.end()) {
    const std::int64_t offset = end_;
    end_ += size;
    peak_ = std::max(peak_, end_);
    return offset;
  }
  const std::int64_t offset = best->offset;
  best->offset += size;
  best->bytes -= size;
  if (best->bytes == 0) holes_.erase(best);
  return offset;
}

void GgmlAllocator::merge_with_next(std::size_t block) {
  if (block + 1 >= holes_.size()) return;
  const Block& next = holes_[block + 1];
  if (holes_[block].offset + holes_[block].bytes != next.offset) return;
  holes_[block].bytes += next.bytes;
  holes_.erase(holes_.begin() + static_cast<std::ptrdiff_t>(block) + 1);
}

void GgmlAllocator::release(std::int64_t offset, std::int64_t bytes) {
  const std::int64_t size = aligned(bytes);
  const auto next = std::ranges::lower_bound(holes_, offset, {}, &Block::offset);
  const auto at = static_cast<std::size_t>(next - holes_.begin());
  holes_.insert(next, {offset, size});
  merge_with_next(at);
  if (at > 0) merge_with_next(at - 1);
  if (holes_.back().offset + holes_.back().bytes != end_) return;
  end_ = holes_.back().offset;
  holes_.pop_back();
}

}  // namespace dachlast
