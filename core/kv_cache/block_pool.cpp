#include "core/kv_cache/block_pool.h"

#define XXH_INLINE_ALL  // the header alone: no library to link, and hashing a block of 16 ids is inlined
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cassert>

namespace dachlast {

std::uint64_t xxh3_block_hash(std::span<const std::int32_t> token_ids, std::uint64_t seed) {
  return XXH3_64bits_withSeed(token_ids.data(), token_ids.size_bytes(), seed);
}

BlockPool::BlockPool(int n_blocks, int block_size, BlockHash hash)
    : block_size_(block_size),
      hash_(hash),
      blocks_(static_cast<std::size_t>(n_blocks)),
      ids_(blocks_.size() * static_cast<std::size_t>(block_size)),
      buckets_(std::bit_ceil(blocks_.size()), kNoBlock) {
  for (std::int32_t block = n_blocks - 1; block >= 0; --block) push_free(block);  // so that block 0 is taken first
}

// -------- users

std::int32_t BlockPool::take() {
  std::int32_t block = pop_free();
  if (block == kNoBlock && oldest_cached_ != kNoBlock) {
    block = oldest_cached_;
    assert(at(block).first_child == kNoBlock);
    unlink_cached(block);
    hide(block);
    ++n_evicted_;
  }
  if (block != kNoBlock) at(block).n_users = 1;
  return block;
}

void BlockPool::share(std::int32_t block) {
  assert(at(block).n_users > 0 || at(block).findable);
  if (at(block).n_users++ == 0) unlink_cached(block);
}

void BlockPool::release(std::int32_t block) {
  assert(at(block).n_users > 0);
  if (--at(block).n_users > 0) return;
  if (at(block).findable)
    push_cached(block);
  else
    push_free(block);
}

// -------- content

std::uint64_t BlockPool::hash_under(std::int32_t parent, std::span<const std::int32_t> token_ids) const {
  return hash_(token_ids, parent == kNoBlock ? 0 : at(parent).hash);
}

bool BlockPool::holds(std::int32_t block, std::int32_t parent, std::span<const std::int32_t> ids) const {
  return at(block).parent == parent && std::ranges::equal(token_ids(block), ids);
}

std::int32_t BlockPool::find(std::int32_t parent, std::span<const std::int32_t> ids) const {
  assert(ids.size() == size() && (parent == kNoBlock || findable(parent)));
  const std::uint64_t hash = hash_under(parent, ids);
  for (std::int32_t block = bucket_of(hash); block != kNoBlock; block = at(block).next_of_bucket)
    if (at(block).hash == hash && holds(block, parent, ids)) return block;
  return kNoBlock;
}

void BlockPool::publish(std::int32_t block, std::int32_t parent) {
  assert(at(block).n_users > 0 && !findable(block));
  if (find(parent, token_ids(block)) != kNoBlock) return;
  Block& made = at(block);
  made.findable = true;
  made.hash = hash_under(parent, token_ids(block));
  made.parent = parent;
  made.next_of_bucket = bucket_of(made.hash);
  bucket_of(made.hash) = block;
  if (parent == kNoBlock) return;
  made.next_sibling = at(parent).first_child;
  if (made.next_sibling != kNoBlock) at(made.next_sibling).previous_sibling = block;
  at(parent).first_child = block;
}

void BlockPool::retract(std::int32_t block) {
  assert(at(block).n_users > 0);
  // Leaf by leaf, without recursion: a chain may be as long as the pool.
  for (std::int32_t leaf = block;;) {
    while (at(leaf).first_child != kNoBlock) leaf = at(leaf).first_child;
    const std::int32_t above = at(leaf).parent;
    hide(leaf);
    if (leaf == block) return;
    assert(at(leaf).n_users == 0);
    unlink_cached(leaf);
    push_free(leaf);
    leaf = above;
  }
}

void BlockPool::drop_cached() {
  while (oldest_cached_ != kNoBlock) {
    const std::int32_t block = oldest_cached_;
    unlink_cached(block);
    hide(block);
    push_free(block);
  }
}

void BlockPool::hide(std::int32_t block) {
  if (!findable(block)) return;
  unlink_from_bucket(block);
  unlink_from_tree(block);
  at(block).findable = false;
}

void BlockPool::unlink_from_bucket(std::int32_t block) {
  std::int32_t* link = &bucket_of(at(block).hash);
  while (*link != block) link = &at(*link).next_of_bucket;
  *link = at(block).next_of_bucket;
  at(block).next_of_bucket = kNoBlock;
}

void BlockPool::unlink_from_tree(std::int32_t block) {
  Block& gone = at(block);
  if (gone.previous_sibling != kNoBlock)
    at(gone.previous_sibling).next_sibling = gone.next_sibling;
  else if (gone.parent != kNoBlock)
    at(gone.parent).first_child = gone.next_sibling;
  if (gone.next_sibling != kNoBlock) at(gone.next_sibling).previous_sibling = gone.previous_sibling;
  gone.parent = gone.next_sibling = gone.previous_sibling = kNoBlock;
}

// -------- lists

void BlockPool::push_free(std::int32_t block) {
  at(block).older = first_free_;
  first_free_ = block;
  ++n_free_;
}

std::int32_t BlockPool::pop_free() {
  const std::int32_t block = first_free_;
  if (block == kNoBlock) return block;
  first_free_ = at(block).older;
  at(block).older = kNoBlock;
  --n_free_;
  return block;
}

void BlockPool::push_cached(std::int32_t block) {
  at(block).older = newest_cached_;
  at(block).newer = kNoBlock;
  (newest_cached_ != kNoBlock ? at(newest_cached_).newer : oldest_cached_) = block;
  newest_cached_ = block;
  ++n_cached_;
}

void BlockPool::unlink_cached(std::int32_t block) {
  Block& gone = at(block);
  (gone.newer != kNoBlock ? at(gone.newer).older : newest_cached_) = gone.older;
  (gone.older != kNoBlock ? at(gone.older).newer : oldest_cached_) = gone.newer;
  gone.newer = gone.older = kNoBlock;
  --n_cached_;
}

}  // namespace dachlast
