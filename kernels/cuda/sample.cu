#include <limits>

#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/launch.cuh"

namespace dachlast::kernels::cuda {
namespace {

/// A row of logits is long (32 Ki to 256 Ki) and there are few of them: as many threads a row as a block may have.
constexpr int kThreads = 1024;
constexpr int kWarps = kThreads / kWarpSize;
static_assert(kWarps == kWarpSize);  // one lane for what each warp has found

constexpr float kLowest = -std::numeric_limits<float>::infinity();
constexpr int kNowhere = std::numeric_limits<int>::max();

struct Candidate {
  float value;
  int index;
};

__device__ Candidate better(const Candidate& a, const Candidate& b) {
  if (a.value != b.value) return a.value > b.value ? a : b;
  return a.index < b.index ? a : b;
}

__device__ Candidate best_of_warp(Candidate best) {
  for (int with = kWarpSize / 2; with > 0; with /= 2) {
    const float value = __shfl_xor_sync(kAllLanes, best.value, with);
    const int index = __shfl_xor_sync(kAllLanes, best.index, with);
    best = better(best, {value, index});
  }
  return best;
}

struct ArgmaxShared {
  Candidate of_warp[kWarps];
};

/// The best logit of the block's row, in every thread. Comparisons with a NaN are false: it never wins.
__device__ Candidate best_of_row(const float* row, int n, ArgmaxShared& shared) {
  Candidate best{kLowest, kNowhere};
  for (int i = static_cast<int>(threadIdx.x); i < n; i += kThreads)
    if (row[i] > best.value) best = {row[i], i};
  best = best_of_warp(best);
  if (lane_id() == 0) shared.of_warp[warp_id()] = best;
  __syncthreads();
  const Candidate of_lane = shared.of_warp[lane_id()];  // g++ does not let tests see loads right into an argument
  return best_of_warp(of_lane);
}

__global__ void __launch_bounds__(kThreads) argmax_kernel(int vocab_size, const float* logits, std::int32_t* next_ids) {
  DACHLAST_SHARED(ArgmaxShared, shared);
  const Candidate best = best_of_row(logits + static_cast<std::int64_t>(blockIdx.x) * vocab_size, vocab_size, shared);
  if (threadIdx.x == 0) next_ids[blockIdx.x] = best.index == kNowhere ? 0 : best.index;
}

// ---- a draw from softmax

struct SoftmaxShared {
  ArgmaxShared argmax;
  float sums[kWarps];
};

/// The weights of a row.
struct Weights {
  const float* row;
  float largest;
  float inverse_temperature;

  __device__ float at(int i) const {
    if (row[i] == largest) return 1.0f;  // infinities too, and at temperature 0
    const float difference = row[i] - largest;
    return difference < 0.0f ? __expf(difference * inverse_temperature) : 0.0f;  // a NaN has no weight
  }
};

/// Sum over the lanes up to this one.
__device__ float prefix_sum(float x) {
  for (int by = 1; by < kWarpSize; by *= 2) {
    const float before = __shfl_up_sync(kAllLanes, x, by);
    if (lane_id() >= by) x += before;
  }
  return x;
}

/// First element of [begin, end) whose running sum exceeds `target`, by one warp; the last one that has weight where
/// rounding leaves the sum short of it.
__device__ int crossing(const Weights& weights, int begin, int end, float target) {
  float before = 0.0f;
  int last = begin;
  for (int first = begin; first < end; first += kWarpSize) {
    const int i = first + lane_id();
    const float weight = i < end ? weights.at(i) : 0.0f;
    const float sum = before + prefix_sum(weight);
    const unsigned beyond = __ballot_sync(kAllLanes, sum > target ? 1 : 0);
    if (beyond != 0) return first + __ffs(static_cast<int>(beyond)) - 1;
    const unsigned weighty = __ballot_sync(kAllLanes, weight > 0.0f ? 1 : 0);
    if (weighty != 0) last = first + kWarpSize - 1 - __clz(static_cast<int>(weighty));
    before = __shfl_sync(kAllLanes, sum, kWarpSize - 1);
  }
  return last;
}

/// Each warp sums a stretch of the row; the one whose stretch holds the crossing looks for it.
__global__ void __launch_bounds__(kThreads)
    softmax_sample_kernel(int vocab_size, float inverse_temperature, const float* logits, const float* uniforms,
                          std::int32_t* next_ids) {
  DACHLAST_SHARED(SoftmaxShared, shared);
  const float* const row = logits + static_cast<std::int64_t>(blockIdx.x) * vocab_size;
  const Candidate best = best_of_row(row, vocab_size, shared.argmax);
  if (best.index == kNowhere) {
    if (threadIdx.x == 0) next_ids[blockIdx.x] = 0;
    return;
  }
  const Weights weights{row, best.value, inverse_temperature};
  const int stretch = (vocab_size + kWarps - 1) / kWarps;
  const int begin = min(warp_id() * stretch, vocab_size), end = min(begin + stretch, vocab_size);
  float sum = 0.0f;
  for (int i = begin + lane_id(); i < end; i += kWarpSize) sum += weights.at(i);
  sum = warp_sum(sum);
  if (lane_id() == 0) shared.sums[warp_id()] = sum;
  __syncthreads();
  const float of_lane = shared.sums[lane_id()], up_to_lane = prefix_sum(of_lane);
  const float total = __shfl_sync(kAllLanes, up_to_lane, kWarpSize - 1), target = uniforms[blockIdx.x] * total;
  const unsigned beyond = __ballot_sync(kAllLanes, up_to_lane > target ? 1 : 0);
  const unsigned weighty = __ballot_sync(kAllLanes, of_lane > 0.0f ? 1 : 0);
  const int chosen =
      beyond != 0 ? __ffs(static_cast<int>(beyond)) - 1 : kWarpSize - 1 - __clz(static_cast<int>(weighty));
  const float before_chosen = __shfl_sync(kAllLanes, up_to_lane - of_lane, chosen);
  if (warp_id() != chosen) return;
  const int id = crossing(weights, begin, end, target - before_chosen);
  if (lane_id() == 0) next_ids[blockIdx.x] = id;
}

}  // namespace

void sample(const SampleShape& shape, std::span<const float> logits, std::span<std::int32_t> next_ids, Stream stream) {
  if (shape.n_rows == 0) return;
  launch("sample", {dim3(static_cast<unsigned>(shape.n_rows)), kThreads, sizeof(ArgmaxShared)}, stream, argmax_kernel,
         shape.vocab_size, logits.data(), next_ids.data());
}

void sample_softmax(const SampleShape& shape, float temperature, std::span<const float> logits,
                    std::span<const float> uniforms, std::span<std::int32_t> next_ids, Stream stream) {
  if (shape.n_rows == 0) return;
  launch("sample_softmax", {dim3(static_cast<unsigned>(shape.n_rows)), kThreads, sizeof(SoftmaxShared)}, stream,
         softmax_sample_kernel, shape.vocab_size, 1.0f / temperature, logits.data(), uniforms.data(), next_ids.data());
}

}  // namespace dachlast::kernels::cuda
