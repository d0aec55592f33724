#include "core/memory/ggml_allocator.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

TEST(GgmlAllocator, RoundsSizesUpToTheAlignment) {
  GgmlAllocator buffer(128);
  EXPECT_EQ(buffer.allocate(1), 0);
  EXPECT_EQ(buffer.allocate(128), 128);
  EXPECT_EQ(buffer.peak_bytes(), 256);
}

TEST(GgmlAllocator, TakesTheSmallestHoleThatHoldsTheTensor) {
  GgmlAllocator buffer(32);
  const auto large = buffer.allocate(320);  // 0 … 320
  buffer.allocate(32);                      // 320 … 352 keeps the holes apart
  const auto small = buffer.allocate(96);   // 352 … 448
  buffer.allocate(32);                      // 448 … 480
  buffer.release(large, 320);
  buffer.release(small, 96);
  EXPECT_EQ(buffer.allocate(64), 352);
  EXPECT_EQ(buffer.allocate(64), 0);     // 32 bytes are left of the small hole
  EXPECT_EQ(buffer.allocate(512), 480);  // no hole holds it
  EXPECT_EQ(buffer.peak_bytes(), 992);
}

TEST(GgmlAllocator, JoinsFreedNeighboursAndTheOpenEnd) {
  GgmlAllocator buffer(32);
  const auto a = buffer.allocate(64);
  const auto b = buffer.allocate(64);
  const auto c = buffer.allocate(64);
  buffer.release(a, 64);
  buffer.release(c, 64);
  buffer.release(b, 64);
  EXPECT_EQ(buffer.allocate(192), 0);
  EXPECT_EQ(buffer.peak_bytes(), 192);
}

}  // namespace
}  // namespace dachlast
