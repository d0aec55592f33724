#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dachlast {

/// Stands for "no block": before the first one of a sequence, or where nothing was found.
inline constexpr std::int32_t kNoBlock = -1;

/// Hash of a full block's token ids, chained: `seed` is the hash of the block before it, 0 for the first.
using BlockHash = std::uint64_t (*)(std::span<const std::int32_t> token_ids, std::uint64_t seed);

/// XXH3, 64 bits.
std::uint64_t xxh3_block_hash(std::span<const std::int32_t> token_ids, std::uint64_t seed);

/// Equal blocks of `block_size` tokens and what is known of each: its users, the tokens it holds, and whether it can be
/// found by them. A block is free, allocated (it has users) or cached: without users, kept because it can be found,
/// until room is short and it is the one that was left longest ago.
/// Findable blocks form a tree: the parent of a block holds the tokens before its own. A block is found only under its
/// parent and by its very ids, so equal hashes of different texts never mix them up. Whoever uses a block uses its
/// parent too, and lets go of the child first; so a child never outlives its parent, and is evicted before it.
/// Memory   allocates in the constructor only. Every call but `retract` takes constant time.
/// Errors   none: block numbers are preconditions, asserted in debug builds.
class BlockPool {
 public:
  BlockPool(int n_blocks, int block_size, BlockHash hash);

  int n_blocks() const { return static_cast<int>(blocks_.size()); }
  int block_size() const { return block_size_; }
  int n_free() const { return n_free_; }
  int n_cached() const { return n_cached_; }
  int n_allocated() const { return n_blocks() - n_free_ - n_cached_; }
  std::int64_t n_evicted() const { return n_evicted_; }

  /// A block with one user and no content: a free one, else the cached one left longest ago; kNoBlock where all have
  /// users.
  std::int32_t take();
  /// Counts one more user; a cached block becomes allocated.
  void share(std::int32_t block);
  /// Counts one user less. Without users a block is cached where it can be found, else free.
  void release(std::int32_t block);

  int n_users(std::int32_t block) const { return at(block).n_users; }
  /// Room for the ids of its tokens, [block_size].
  std::span<std::int32_t> token_ids(std::int32_t block) { return {ids_.data() + offset(block), size()}; }
  std::span<const std::int32_t> token_ids(std::int32_t block) const { return {ids_.data() + offset(block), size()}; }

  /// The findable block under `parent` with these ids, which fill a block; else kNoBlock.
  std::int32_t find(std::int32_t parent, std::span<const std::int32_t> token_ids) const;
  bool findable(std::int32_t block) const { return at(block).findable; }
  /// Makes a full block with users findable under `parent`, kNoBlock or a findable one, unless another block with the
  /// same ids is there already.
  void publish(std::int32_t block, std::int32_t parent);
  /// Ends that: its content is about to change. What was cached behind it can no longer be reached and becomes free.
  /// The block has users, none of its descendants has.
  void retract(std::int32_t block);
  /// Frees every cached block.
  void drop_cached();

 private:
  struct Block {
    std::int32_t n_users = 0;
    bool findable = false;
    std::uint64_t hash = 0;
    std::int32_t next_of_bucket = kNoBlock;
    // the tree of findable blocks
    std::int32_t parent = kNoBlock;
    std::int32_t first_child = kNoBlock;
    std::int32_t next_sibling = kNoBlock;
    std::int32_t previous_sibling = kNoBlock;
    // the list it is in: free blocks are linked forwards only
    std::int32_t newer = kNoBlock;
    std::int32_t older = kNoBlock;
  };

  Block& at(std::int32_t block) { return blocks_[static_cast<std::size_t>(block)]; }
  const Block& at(std::int32_t block) const { return blocks_[static_cast<std::size_t>(block)]; }
  std::size_t size() const { return static_cast<std::size_t>(block_size_); }
  std::size_t offset(std::int32_t block) const { return static_cast<std::size_t>(block) * size(); }
  std::int32_t& bucket_of(std::uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
  std::int32_t bucket_of(std::uint64_t hash) const { return buckets_[hash & (buckets_.size() - 1)]; }

  std::uint64_t hash_under(std::int32_t parent, std::span<const std::int32_t> token_ids) const;
  bool holds(std::int32_t block, std::int32_t parent, std::span<const std::int32_t> token_ids) const;
  void push_free(std::int32_t block);
  std::int32_t pop_free();
  void push_cached(std::int32_t block);
  void unlink_cached(std::int32_t block);
  void hide(std::int32_t block);
  void unlink_from_bucket(std::int32_t block);
  void unlink_from_tree(std::int32_t block);

  int block_size_;
  BlockHash hash_;
  std::vector<Block> blocks_;
  std::vector<std::int32_t> ids_;      // [n_blocks, block_size]
  std::vector<std::int32_t> buckets_;  // first block of each; a power of two of them
  std::int32_t first_free_ = kNoBlock;
  std::int32_t newest_cached_ = kNoBlock;
  std::int32_t oldest_cached_ = kNoBlock;
  int n_free_ = 0;
  int n_cached_ = 0;
  std::int64_t n_evicted_ = 0;
};

}  // namespace dachlast
