// Takes the barriers out of the kernels, one at a time, and expects the emulation to find each of them missing: no barrier
// is there without a reason, and none could be forgotten without a test that fails.
#include <functional>
#include <map>

#include "core/base/error.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/latent.h"
#include "kernels/cuda/weight_gemv.h"
#include "tests/emulation/grid.h"
#include "tests/kernels/cuda/device_cache.h"

namespace dachlast::kernels::cuda {
namespace {

using testing::AttentionPlan;
using testing::AttentionProblem;
using testing::DeviceArray;
using testing::DeviceCall;

void attend(std::string_view variant, KvValues values, int head_dim, int value_dim) {
  const KvLayout layout{KvFormat::kBF16, KeyScales::kPerToken, values, 1, 16, head_dim, value_dim};
  const AttentionProblem problem(AttentionPlan{layout, 4, {{20, 150}}});
  const DeviceCall device(problem.call({}, {}));
  testing::run_attention(device, variant);
}

void run_norm() {
  const DeviceArray<float> x(std::vector<float>(300, 2.0f)), w(std::vector<float>(300, 1.0f));
  DeviceArray<float> out(300);
  norm({1, 300, NormKind::kLayer}, {1e-3f, 0.0f}, x.span(), 300, w.span(), {}, out.span(), 300, nullptr);
}

void run_sample() {
  const DeviceArray<float> logits(std::vector<float>(3000, 1.0f)), uniforms(std::vector<float>{0.5f});
  DeviceArray<std::int32_t> ids(1);
  sample_softmax({1, 3000}, 1.0f, logits.span(), uniforms.span(), ids.span(), nullptr);
}

void run_gemv() {
  const DeviceArray<float> x(std::vector<float>(1024, 1.0f));
  const DeviceArray<std::byte> w(std::vector<std::byte>(PanelLayout(kInt8Groups32, 1024).panel_bytes()));
  DeviceArray<float> y(32);
  weight_gemv({1, 32, 1024, kInt8Groups32}, x.span(), {kInt8Groups32, 32, 1024, w.span()}, {}, y.span(), nullptr);
}

/// Whether the emulation finds the barrier missing, in one order of threads or the other.
bool is_missed(const std::string& barrier, const std::function<void()>& run) {
  bool missed = false;
  for (const auto schedule : {emulation::Schedule::kForward, emulation::Schedule::kBackward}) {
    emulation::set_schedule(schedule);
    emulation::leave_out_barrier(barrier);
    try {
      run();
    } catch (const Error&) {
      missed = true;
    }
  }
  emulation::leave_out_barrier({});
  emulation::set_schedule(emulation::Schedule::kForward);
  return missed;
}

/// Barriers of block and warp that a run meets.
std::vector<std::string> barriers_of(const std::function<void()>& run) {
  emulation::forget_barriers();
  run();
  return emulation::barriers_met();
}

TEST(CudaBarriers, AreAllNeeded) {
  const std::function<void()> runs[] = {run_norm,
                                        run_sample,
                                        run_gemv,
                                        [] { attend("stream", KvValues::kOwnRows, 64, 64); },
                                        [] { attend("tensor", KvValues::kOwnRows, 64, 64); },
                                        [] { attend("latent", KvValues::kInKeys, 72, 64); },
                                        [] { attend("naive", KvValues::kOwnRows, 64, 64); }};
  std::map<std::string, bool> missed;  // functions that kernels share need a barrier in one of them at least
  for (const auto& run : runs)
    for (const std::string& barrier : barriers_of(run))
      if (!missed[barrier]) missed[barrier] = is_missed(barrier, run);
  for (const auto& [barrier, is_needed] : missed) EXPECT_TRUE(is_needed) << barrier;
  // Sum 2, maximum 2, sampling 2, GEMV 1, stream 5, tensor 7, latent 8.
  EXPECT_EQ(missed.size(), 27u);
}

/// Elements that the arrays of a call lack at their ends.
struct Missing {
  std::size_t in = 0, w = 0, out = 0;
};

/// What the emulation says of a call; arrays as long as the contract asks, less what is missing.
template <class Queue>
std::string latent_fault(Queue* queue, std::size_t in_dim, std::size_t out_dim, Missing missing) {
  const LatentHeads s{2, 5, 2, 3, 133};
  const std::size_t rows = 9 * 2;  // a token more than share a read of the weights
  const DeviceArray<float> in(std::vector<float>(rows * in_dim - missing.in, 1.0f));
  const DeviceArray<float> w(std::vector<float>(2 * (5 + 3) * 133 - missing.w, 1.0f));
  DeviceArray<float> out(rows * out_dim - missing.out);
  try {
    queue(s, 9, in.span(), w.span(), out.span(), nullptr);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

template <class Queue>
void expect_exact(Queue* queue, std::size_t in_dim, std::size_t out_dim, std::size_t w_rows_unread) {
  const auto fault = [&](Missing missing) { return latent_fault(queue, in_dim, out_dim, missing); };
  EXPECT_EQ(fault({}), "");
  EXPECT_EQ(fault({.w = w_rows_unread * 133}), "");  // the values' rows, which absorbing leaves alone
  for (const Missing missing : {Missing{.in = 1}, Missing{.w = w_rows_unread * 133 + 1}})
    EXPECT_NE(fault(missing).find("out of range: a read of 4 bytes"), std::string::npos) << fault(missing);
  EXPECT_NE(fault({.out = 1}).find("out of range: a write of 4 bytes"), std::string::npos) << fault({.out = 1});
}

// Kernels without barriers: one element beyond any array is noticed, and so is a read of the other half of W.
TEST(CudaLatentBounds, AreExact) {
  expect_exact(absorb_queries, 7, 135, 3);
  expect_exact(raise_values, 133, 3, 0);
}

}  // namespace
}  // namespace dachlast::kernels::cuda
