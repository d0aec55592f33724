// Prefill: many queries against the cache, on tensor cores through wmma, whose fragments leave open which lane holds
// which element. What needs rows (softmax, masks) goes through shared memory; sums stay in registers, and a fragment of
// row numbers tells each lane what it holds.
#include <type_traits>

#include "kernels/cuda/cache_rows.cuh"

namespace dachlast::kernels::cuda {
namespace {

namespace wmma = nvcuda::wmma;

constexpr int kThreads = 128;
constexpr int kSide = 16;                            // of a fragment
constexpr int kRows = kThreads / kWarpSize * kSide;  // 64: a fragment of query rows a warp
constexpr int kKeys = 64;                            // scores of a warp: 4 fragments, 32 registers
constexpr int kMostWidth = 128;
constexpr int kScoreStride = kKeys + 4;   // floats: 16 bytes off, so that rows begin at other banks
constexpr int kWeightStride = kKeys + 8;  // 16-bit elements: likewise

using Sum = wmma::fragment<wmma::accumulator, kSide, kSide, kSide, float>;
template <class Element>
using Left = wmma::fragment<wmma::matrix_a, kSide, kSide, kSide, Element, wmma::row_major>;
template <class Element, class Layout>
using Right = wmma::fragment<wmma::matrix_b, kSide, kSide, kSide, Element, Layout>;

/// 79 KiB for rows of 128: two blocks on an A100, whose multiprocessors have 164 KiB, one on devices with 100 KiB.
template <int kWidth, class Element>
struct alignas(32) TensorShared {
  static constexpr int kStride = kWidth + 8;
  Element q[kRows * kStride];
  Element k[kKeys * kStride];
  Element v[kKeys * kStride];
  float scores[kRows * kScoreStride];
  Element weights[kRows * kWeightStride];
  float correction[kRows];
};

/// The block's part of the work: a tile of rows of one KV head.
struct TensorUnit {
  int kv_head;
  int first_row;
  int n_rows;
};

template <int kWidth, class Element>
__device__ void load_queries(const AttentionArguments& a, const CudaSequence& s, const TensorUnit& unit,
                             TensorShared<kWidth, Element>& shared) {
  const int head_dim = a.keys.width;
  for (int i = static_cast<int>(threadIdx.x); i < kRows * kWidth; i += kThreads) {
    const int row = i / kWidth, column = i % kWidth;
    float x = 0.0f;
    if (row < unit.n_rows && column < head_dim)
      x = q_of(a, s, query_row(a, s, unit.kv_head, unit.first_row + row), head_dim)[column];
    shared.q[row * TensorShared<kWidth, Element>::kStride + column] = Element(x);
  }
}

/// scores = Q · Kᵀ for the rows of one warp.
template <int kWidth, class Element>
__device__ void multiply_keys(TensorShared<kWidth, Element>& shared) {
  constexpr int kStride = TensorShared<kWidth, Element>::kStride;
  const int row = warp_id() * kSide;
  Sum sums[kKeys / kSide];
  for (auto& sum : sums) wmma::fill_fragment(sum, 0.0f);
  for (int column = 0; column < kWidth; column += kSide) {
    Left<Element> q;
    wmma::load_matrix_sync(q, &shared.q[row * kStride + column], kStride);
    for (int i = 0; i < kKeys / kSide; ++i) {
      Right<Element, wmma::col_major> k;
      wmma::load_matrix_sync(k, &shared.k[i * kSide * kStride + column], kStride);
      wmma::mma_sync(sums[i], q, k, sums[i]);
    }
  }
  for (int i = 0; i < kKeys / kSide; ++i)
    wmma::store_matrix_sync(&shared.scores[row * kScoreStride + i * kSide], sums[i], kScoreStride, wmma::mem_row_major);
  __syncwarp();
}

/// One row's running maximum and sum, alike in the two lanes that share the row.
struct RowState {
  int row;  // in the tile
  int position;
  float m = -INFINITY;
  float d = 0.0f;
};

__device__ float pair_max(float x) {
  return fmaxf(x, __shfl_xor_sync(kAllLanes, x, 1));
}
__device__ float pair_sum(float x) {
  return x + __shfl_xor_sync(kAllLanes, x, 1);
}

/// Key that a lane visits j-th: half of the row, begun where the four lanes whose rows meet in a bank differ.
__device__ int key_at(int j) {
  constexpr int kHalf = kKeys / 2;
  const int half = lane_id() % 2, upper = lane_id() / 2 >= kSide / 2 ? 2 : 0;
  return half * kHalf + (j + half + upper) % kHalf;
}

/// Online softmax of the warp's rows, two lanes a row.
template <int kWidth, class Element>
__device__ void weigh_scores(const AttentionArguments& a, int first_slot, int end_slot, RowState& state,
                             TensorShared<kWidth, Element>& shared) {
  float* const scores = &shared.scores[state.row * kScoreStride];
  float most = state.m;
  for (int j = 0; j < kKeys / 2; ++j) {
    const int key = key_at(j), slot = first_slot + key;
    const bool seen = slot < end_slot && sees(a, state.position, slot);
    scores[key] = seen ? capped(a, scores[key] * a.rule.scale) : -INFINITY;
    most = fmaxf(most, scores[key]);
  }
  most = pair_max(most);
  float sum = 0.0f;
  for (int j = 0; j < kKeys / 2; ++j) {
    const int key = key_at(j);
    const float weight = most == -INFINITY ? 0.0f : exp2f((scores[key] - most) * kLog2E);
    sum += weight;
    shared.weights[state.row * kWeightStride + key] = Element(weight);
  }
  const float correction = most == -INFINITY ? 1.0f : exp2f((state.m - most) * kLog2E);
  if (lane_id() % 2 == 0) shared.correction[state.row] = correction;
  state.d = state.d * correction + pair_sum(sum);
  state.m = most;
  __syncwarp();
}

/// Row of the warp's fragment that each of the lane's elements lies in. The scores that lie there next come after a
/// barrier of the block.
struct RowNumbers {
  int of[Sum::num_elements];
};

template <int kWidth, class Element>
__device__ RowNumbers row_numbers(TensorShared<kWidth, Element>& shared) {
  float* const scratch = &shared.scores[warp_id() * kSide * kScoreStride];
  for (int i = lane_id(); i < kSide * kSide; i += kWarpSize)
    scratch[i / kSide * kScoreStride + i % kSide] = static_cast<float>(i / kSide);
  __syncwarp();
  Sum numbers;
  wmma::load_matrix_sync(numbers, scratch, kScoreStride, wmma::mem_row_major);
  RowNumbers rows;
  for (int i = 0; i < Sum::num_elements; ++i) rows.of[i] = warp_id() * kSide + static_cast<int>(numbers.x[i]);
  return rows;
}

/// o = correction · o + weights · V for the rows of one warp.
template <int kWidth, class Element>
__device__ void multiply_values(const TensorShared<kWidth, Element>& shared, const RowNumbers& rows,
                                Sum (&o)[kWidth / kSide]) {
  constexpr int kStride = TensorShared<kWidth, Element>::kStride;
  const Element* const weights = &shared.weights[warp_id() * kSide * kWeightStride];
  float corrections[Sum::num_elements];
  for (int e = 0; e < Sum::num_elements; ++e) corrections[e] = shared.correction[rows.of[e]];
#pragma unroll
  for (int i = 0; i < kWidth / kSide; ++i)
    for (int e = 0; e < Sum::num_elements; ++e) o[i].x[e] *= corrections[e];
#pragma unroll 1
  for (int key = 0; key < kKeys; key += kSide) {
    Left<Element> p;
    wmma::load_matrix_sync(p, weights + key, kWeightStride);
#pragma unroll
    for (int i = 0; i < kWidth / kSide; ++i) {
      Right<Element, wmma::row_major> v;
      wmma::load_matrix_sync(v, &shared.v[key * kStride + i * kSide], kStride);
      wmma::mma_sync(o[i], p, v, o[i]);
    }
  }
}

template <int kWidth, class Element>
__device__ void write_rows(const AttentionArguments& a, const CudaSequence& s, const TensorUnit& unit,
                           const RowState& state, Sum (&o)[kWidth / kSide], TensorShared<kWidth, Element>& shared) {
  float* const scratch = &shared.scores[warp_id() * kSide * kScoreStride];
  const float inverse = 1.0f / state.d;
  const QueryRow row = query_row(a, s, unit.kv_head, unit.first_row + state.row);
  const int half = lane_id() % 2 * (kSide / 2);
#pragma unroll
  for (int i = 0; i < kWidth / kSide; ++i) {
    wmma::store_matrix_sync(scratch, o[i], kScoreStride, wmma::mem_row_major);
    __syncwarp();
    for (int j = half; j < half + kSide / 2; ++j)
      if (state.row < unit.n_rows && i * kSide + j < a.values.width)
        a.out[out_row(a, s, row) * a.values.width + i * kSide + j] =
            scratch[lane_id() / 2 * kScoreStride + j] * inverse;
    __syncwarp();
  }
}

template <int kWidth, class Element>
__global__ void __launch_bounds__(kThreads) tensor_kernel(const AttentionArguments a) {
  using Shared = TensorShared<kWidth, Element>;
  DACHLAST_SHARED(Shared, shared);
  const CudaSequence s = a.sequences[blockIdx.z];
  const int first_row = static_cast<int>(blockIdx.x) * kRows;
  const TensorUnit unit{static_cast<int>(blockIdx.y), first_row, min(kRows, s.q_len * a.group - first_row)};
  if (unit.n_rows <= 0) return;
  const int first = query_row(a, s, unit.kv_head, first_row).position;
  const int last = query_row(a, s, unit.kv_head, first_row + unit.n_rows - 1).position;
  const SlotRange slots = visible_slots(a, s, first, last);
  const TileSource source{a, s, unit.kv_head, slots, window_begin(a, first)};
  const int row = warp_id() * kSide + lane_id() / 2;
  RowState state{row, row < unit.n_rows ? query_row(a, s, unit.kv_head, first_row + row).position : -1};
  load_queries(a, s, unit, shared);
  const RowNumbers rows = row_numbers(shared);
  Sum o[kWidth / kSide];
#pragma unroll
  for (int i = 0; i < kWidth / kSide; ++i) wmma::fill_fragment(o[i], 0.0f);
  for (int t = slots.begin; t < slots.end; t += kKeys) {
    if (source.skips(t, kKeys)) continue;
#pragma unroll 1
    for (int side = 0; side < 2; ++side)  // one copy of the code, which reads every format
      load_tile<kThreads, kKeys, kWidth, Shared::kStride>(source, side == 0 ? a.keys : a.values, t,
                                                          side == 0 ? shared.k : shared.v);
    __syncthreads();
    multiply_keys(shared);
    weigh_scores(a, t, slots.end, state, shared);
    multiply_values(shared, rows, o);
    __syncthreads();
  }
  write_rows(a, s, unit, state, o, shared);
}

template <int kWidth, class Element>
void launch_tensor(const CudaAttentionCall& call, const AttentionArguments& a, Stream stream) {
  const dim3 grid(static_cast<unsigned>(ceil_div(call.longest_q_len * a.group, kRows)),
                  static_cast<unsigned>(a.n_kv_heads), static_cast<unsigned>(call.sequences.size()));
  launch("attention (tensor)", {grid, kThreads, sizeof(TensorShared<kWidth, Element>)}, stream,
         tensor_kernel<kWidth, Element>, a);
}

}  // namespace

bool tensor_takes(const CudaAttentionCall& call) {
  const KvLayout& l = call.pool.layout;
  return l.head_dim <= kMostWidth && l.value_dim <= kMostWidth;
}

void attention_tensor(const CudaAttentionCall& call, std::span<float>, Stream stream) {
  if (call.sequences.empty() || call.longest_q_len == 0) return;
  const AttentionArguments a = arguments_of(call, {1, call.longest_kv_len}, {});
  if (a.format == KvFormat::kF16)
    launch_tensor<kMostWidth, __half>(call, a, stream);
  else if (max(a.keys.width, a.values.width) <= kMostWidth / 2)
    launch_tensor<kMostWidth / 2, __nv_bfloat16>(call, a, stream);
  else
    launch_tensor<kMostWidth, __nv_bfloat16>(call, a, stream);
}

}  // namespace dachlast::kernels::cuda
