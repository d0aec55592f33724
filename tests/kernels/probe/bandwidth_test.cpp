#include "kernels/probe/bandwidth.h"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <string>
#include <vector>

namespace dachlast::kernels {
namespace {

/// Aligned floats with one granule of guard behind them that no probe may write.
class Array {
 public:
  explicit Array(std::size_t n) : n_(n), data_(new (std::align_val_t{kProbeAlignment}) float[n + kProbeGranule]) {
    for (std::size_t i = 0; i < n + kProbeGranule; ++i) data_.get()[i] = i < n ? 0.0f : kGuard;
  }
  std::span<float> values() { return {data_.get(), n_}; }
  bool guard_is_whole() const {
    for (std::size_t i = n_; i < n_ + kProbeGranule; ++i)
      if (data_.get()[i] != kGuard) return false;
    return true;
  }

 private:
  static constexpr float kGuard = -12345.0f;
  struct Free {
    void operator()(float* data) const { operator delete[](data, std::align_val_t{kProbeAlignment}); }
  };
  std::size_t n_;
  std::unique_ptr<float[], Free> data_;
};

/// Runs `check(variant, n)` for every supported build of a pattern on lengths around the unrolled step.
template <class Check>
void for_each_build(ProbePattern pattern, Check check) {
  int n_builds = 0;
  for (const BandwidthVariant& variant : bandwidth_variants()) {
    if (variant.pattern != pattern || !variant.supported()) continue;
    ++n_builds;
    for (const std::size_t n : {kProbeGranule, 2 * kProbeGranule, 9 * kProbeGranule}) {
      SCOPED_TRACE(std::string(variant.name) + ", n = " + std::to_string(n));
      check(variant, n);
    }
  }
  EXPECT_GE(n_builds, 1);
}

TEST(BandwidthProbe, ReadSumsEveryElementOnceAPass) {
  for_each_build(ProbePattern::kRead, [](const BandwidthVariant& variant, std::size_t n) {
    Array a(n);
    for (std::size_t i = 0; i < n; ++i) a.values()[i] = static_cast<float>(i);
    // 3 · n(n − 1)/2, at most 3 · 1152 · 1151 / 2 < 2^24: exact in float in any order.
    EXPECT_EQ(variant.run({a.values(), {}, {}}, 0.0f, 3), static_cast<float>(3 * n * (n - 1) / 2));
  });
}

TEST(BandwidthProbe, WriteFillsTheArrayAndNothingElse) {
  for_each_build(ProbePattern::kWrite, [](const BandwidthVariant& variant, std::size_t n) {
    Array a(n);
    variant.run({a.values(), {}, {}}, 2.5f, 2);
    for (const float x : a.values()) ASSERT_EQ(x, 2.5f);
    EXPECT_TRUE(a.guard_is_whole());
  });
}

TEST(BandwidthProbe, CopyCopies) {
  for_each_build(ProbePattern::kCopy, [](const BandwidthVariant& variant, std::size_t n) {
    Array a(n), b(n);
    for (std::size_t i = 0; i < n; ++i) b.values()[i] = static_cast<float>(i);
    variant.run({a.values(), b.values(), {}}, 0.0f, 1);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(a.values()[i], static_cast<float>(i));
    EXPECT_TRUE(a.guard_is_whole());
  });
}

TEST(BandwidthProbe, TriadScalesTheThirdArrayAndAddsTheSecond) {
  for_each_build(ProbePattern::kTriad, [](const BandwidthVariant& variant, std::size_t n) {
    Array a(n), b(n), c(n);
    for (std::size_t i = 0; i < n; ++i) {
      b.values()[i] = static_cast<float>(i);
      c.values()[i] = static_cast<float>(2 * i + 1);
    }
    variant.run({a.values(), b.values(), c.values()}, 3.0f, 1);
    // i + 3 · (2i + 1) = 7i + 3, small integers: exact.
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(a.values()[i], static_cast<float>(7 * i + 3));
    EXPECT_TRUE(a.guard_is_whole());
  });
}

TEST(BandwidthProbe, NoPassesTouchNothing) {
  for (const BandwidthVariant& variant : bandwidth_variants()) {
    if (!variant.supported()) continue;
    Array a(kProbeGranule), b(kProbeGranule), c(kProbeGranule);
    for (float& x : b.values()) x = 1.0f;
    EXPECT_EQ(variant.run({a.values(), b.values(), c.values()}, 1.0f, 0), 0.0f) << variant.name;
    for (const float x : a.values()) ASSERT_EQ(x, 0.0f) << variant.name;
  }
}

TEST(BandwidthProbe, EveryPatternEndsWithAReferenceThatRunsAnywhere) {
  for (const auto pattern : {ProbePattern::kRead, ProbePattern::kWrite, ProbePattern::kCopy, ProbePattern::kTriad}) {
    const BandwidthVariant* last = nullptr;
    for (const BandwidthVariant& variant : bandwidth_variants())
      if (variant.pattern == pattern) last = &variant;
    ASSERT_NE(last, nullptr);
    EXPECT_EQ(last->name, "reference");
    EXPECT_TRUE(last->supported());
    ASSERT_NE(bandwidth_variant_for(pattern, StoreKind::kCached), nullptr);
  }
  EXPECT_EQ(bandwidth_variant_for(ProbePattern::kRead, StoreKind::kNonTemporal), nullptr);
}

TEST(BandwidthProbe, TrafficCountsEachArrayOnce) {
  EXPECT_EQ(probe_bytes_per_element(ProbePattern::kTriad), 12.0);  // two read, one written, 4 bytes each
  EXPECT_EQ(probe_arrays(ProbePattern::kRead), 1);
  EXPECT_EQ(probe_arrays(ProbePattern::kCopy), 2);
  EXPECT_EQ(probe_arrays(ProbePattern::kTriad), 3);
}

}  // namespace
}  // namespace dachlast::kernels
