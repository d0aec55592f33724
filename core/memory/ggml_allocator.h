#pragma once

#include <cstdint>
#include <vector>

namespace dachlast {

/// Places tensors in one buffer as ggml's measuring allocator does, so that a buffer's size can be told without one:
/// the smallest free block that holds the tensor, the open end only where none does; neighbours merge when freed.
/// Source   ggml-org/llama.cpp:ggml/src/ggml-alloc.c (ggml_dyn_tallocr).
class GgmlAllocator {
 public:
  explicit GgmlAllocator(std::int64_t alignment_bytes) : alignment_(alignment_bytes) {}

  /// Offset of `bytes` bytes, rounded up to the alignment.
  std::int64_t allocate(std::int64_t bytes);

  /// Gives back what `allocate(bytes)` placed at `offset`.
  void release(std::int64_t offset, std::int64_t bytes);

  /// Bytes from the buffer's start to the highest end any tensor ever had.
  std::int64_t peak_bytes() const { return peak_; }

 private:
  struct Block {
    std::int64_t offset;
    std::int64_t bytes;
  };

  std::int64_t aligned(std::int64_t bytes) const { return (bytes + alignment_ - 1) / alignment_ * alignment_; }
  void merge_with_next(std::size_t block);

  std::int64_t alignment_;
  std::int64_t end_ = 0;      // of the used part; everything behind it is free
  std::vector<Block> holes_;  // free blocks before `end_`, by offset, never touching each other or the end
  std::int64_t peak_ = 0;
};

}  // namespace dachlast
