// What one NVTX range costs the program that is annotated: run it alone, and under attach.
//   build/ci/bin/dachlast_nvtx_range_bench
//   build/ci/bin/dachlast attach -q -- build/ci/bin/dachlast_nvtx_range_bench
#include <nvtx3/nvToolsExt.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace {

constexpr int kRanges = 1'000'000;
constexpr int kRepeats = 9;

double nanoseconds_of_a_range() {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kRanges; ++i) {
    nvtxRangePushA("attention, layer 17, forward");
    nvtxRangePop();
  }
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
  return taken.count() / kRanges;
}

}  // namespace

int main() {
  nvtxRangePushA("first range: loads the recorder");
  nvtxRangePop();
  std::vector<double> samples;
  for (int i = 0; i < kRepeats; ++i) samples.push_back(nanoseconds_of_a_range());
  std::sort(samples.begin(), samples.end());
  std::printf("%.1f ns a range (%.1f to %.1f, n = %d repeats of %d ranges)\n", samples[kRepeats / 2], samples.front(),
              samples.back(), kRepeats, kRanges);
}
