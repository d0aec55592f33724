// Decode of MLA in its latent form: all query heads read the same row of latents, whose first part is the value too. So
// many heads a row make it a matrix product, which tensor cores do.
#include "kernels/cuda/cache_rows.cuh"

namespace dachlast::kernels::cuda {
namespace {

namespace wmma = nvcuda::wmma;

// Stated so that the compiler takes the registers that this leaves, and spills none on any target.
constexpr int kBlocksAtOnce = 2;
constexpr int kThreads = 128;
constexpr int kSide = 16;
constexpr int kRows = kLatentRows;  // query heads of a block
static_assert(kRows == kSide);
constexpr int kKeys = 32;           // 36 KiB of latents: two blocks a multiprocessor, one where it has 100 KiB
constexpr int kMostKeyWidth = 576;  // DeepSeek-V2 and V3: 512 latent and 64 RoPE elements
constexpr int kMostValueWidth = 512;
constexpr int kStride = kMostKeyWidth + 8;
constexpr int kScoreStride = kKeys + 4;
constexpr int kWeightStride = kKeys + 8;
constexpr int kWarpColumns = kMostValueWidth / (kThreads / kWarpSize);  // of the values: 8 fragments of sums
constexpr int kRowLanes = kThreads / kRows;                             // threads that share a row in softmax

using Element = __nv_bfloat16;
using Sum = wmma::fragment<wmma::accumulator, kSide, kSide, kSide, float>;

struct alignas(32) LatentShared {
  Element q[kRows * kStride];
  Element rows[kKeys * kStride];  // keys, and values in them
  // Two warps share the 16 keys of a fragment, each takes half of the columns; their sums are added in softmax.
  float scores[2][kRows * kScoreStride];
  Element weights[kRows * kWeightStride];
  float correction[kRows];
};

struct LatentUnit {
  int kv_head;
  int first_row;
  int n_rows;
  int split;
  SlotRange slots;
};

__device__ void load_queries(const AttentionArguments& a, const CudaSequence& s, const LatentUnit& unit,
                             LatentShared& shared) {
  for (int i = static_cast<int>(threadIdx.x); i < kRows * kMostKeyWidth; i += kThreads) {
    const int row = i / kMostKeyWidth, column = i % kMostKeyWidth;
    float x = 0.0f;
    if (row < unit.n_rows && column < a.keys.width)
      x = q_of(a, s, query_row(a, s, unit.kv_head, unit.first_row + row), a.keys.width)[column];
    shared.q[row * kStride + column] = Element(x);
  }
}

__device__ void multiply_keys(LatentShared& shared) {
  constexpr int kHalf = kMostKeyWidth / 2;
  const int key = warp_id() % 2 * kSide, half = warp_id() / 2;
  Sum sum;
  wmma::fill_fragment(sum, 0.0f);
#pragma unroll 2
  for (int column = half * kHalf; column < (half + 1) * kHalf; column += kSide) {
    wmma::fragment<wmma::matrix_a, kSide, kSide, kSide, Element, wmma::row_major> q;
    wmma::fragment<wmma::matrix_b, kSide, kSide, kSide, Element, wmma::col_major> k;
    wmma::load_matrix_sync(q, &shared.q[column], kStride);
    wmma::load_matrix_sync(k, &shared.rows[key * kStride + column], kStride);
    wmma::mma_sync(sum, q, k, sum);
  }
  wmma::store_matrix_sync(&shared.scores[half][key], sum, kScoreStride, wmma::mem_row_major);
}

/// Alike in the eight lanes that share a row.
struct RowState {
  int row;
  int position;
  float m = -INFINITY;
  float d = 0.0f;
};

__device__ float row_max(float x) {
  for (int with = kRowLanes / 2; with > 0; with /= 2) x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, with));
  return x;
}
__device__ float row_sum(float x) {
  for (int with = kRowLanes / 2; with > 0; with /= 2) x += __shfl_xor_sync(kAllLanes, x, with);
  return x;
}

__device__ void weigh_scores(const AttentionArguments& a, int first_slot, int end_slot, RowState& state,
                             LatentShared& shared) {
  constexpr int kLaneKeys = kKeys / kRowLanes;
  const int first_key = static_cast<int>(threadIdx.x) % kRowLanes;
  float scores[kLaneKeys];
  float most = state.m;
  for (int j = 0; j < kLaneKeys; ++j) {
    const int key = first_key + j * kRowLanes, slot = first_slot + key, at = state.row * kScoreStride + key;
    const float score = capped(a, (shared.scores[0][at] + shared.scores[1][at]) * a.rule.scale);
    scores[j] = slot < end_slot && sees(a, state.position, slot) ? score : -INFINITY;
    most = fmaxf(most, scores[j]);
  }
  most = row_max(most);
  float sum = 0.0f;
  for (int j = 0; j < kLaneKeys; ++j) {
    const float weight = most == -INFINITY ? 0.0f : exp2f((scores[j] - most) * kLog2E);
    sum += weight;
    shared.weights[state.row * kWeightStride + first_key + j * kRowLanes] = Element(weight);
  }
  const float correction = most == -INFINITY ? 1.0f : exp2f((state.m - most) * kLog2E);
  if (first_key == 0) shared.correction[state.row] = correction;
  state.d = state.d * correction + row_sum(sum);
  state.m = most;
}

/// Row of the fragment that each of the lane's elements lies in, read off a matrix of row numbers. The scores
/// that lie there next come after a barrier.
struct RowNumbers {
  int of[Sum::num_elements];
};

__device__ RowNumbers row_numbers(LatentShared& shared) {
  for (int i = static_cast<int>(threadIdx.x); i < kSide * kSide; i += kThreads)
    shared.scores[0][i / kSide * kScoreStride + i % kSide] = static_cast<float>(i / kSide);
  __syncthreads();
  Sum numbers;
  wmma::load_matrix_sync(numbers, shared.scores[0], kScoreStride, wmma::mem_row_major);
  RowNumbers rows;
  for (int i = 0; i < Sum::num_elements; ++i) rows.of[i] = static_cast<int>(numbers.x[i]);
  return rows;
}

__device__ void multiply_values(const LatentShared& shared, const RowNumbers& rows, Sum (&o)[kWarpColumns / kSide]) {
  float corrections[Sum::num_elements];
  for (int e = 0; e < Sum::num_elements; ++e) corrections[e] = shared.correction[rows.of[e]];
#pragma unroll
  for (int i = 0; i < kWarpColumns / kSide; ++i)
    for (int e = 0; e < Sum::num_elements; ++e) o[i].x[e] *= corrections[e];
#pragma unroll
  for (int key = 0; key < kKeys; key += kSide) {
    wmma::fragment<wmma::matrix_a, kSide, kSide, kSide, Element, wmma::row_major> p;
    wmma::load_matrix_sync(p, &shared.weights[key], kWeightStride);
#pragma unroll
    for (int i = 0; i < kWarpColumns / kSide; ++i) {
      wmma::fragment<wmma::matrix_b, kSide, kSide, kSide, Element, wmma::row_major> v;
      wmma::load_matrix_sync(v, &shared.rows[key * kStride + warp_id() * kWarpColumns + i * kSide], kStride);
      wmma::mma_sync(o[i], p, v, o[i]);
    }
  }
}

/// Sums go through the memory of the rows, which nobody needs any more, a fragment a warp at a time.
__device__ void write_rows(const AttentionArguments& a, const CudaSequence& s, const LatentUnit& unit,
                           Sum (&o)[kWarpColumns / kSide], const float* sums_of_rows, float* scratch) {
#pragma unroll
  for (int i = 0; i < kWarpColumns / kSide; ++i) {
    wmma::store_matrix_sync(scratch, o[i], kSide, wmma::mem_row_major);
    __syncwarp();
    for (int j = lane_id(); j < kSide * kSide; j += kWarpSize) {
      const int row = j / kSide, column = warp_id() * kWarpColumns + i * kSide + j % kSide;
      if (row >= unit.n_rows || column >= a.values.width) continue;
      const std::int64_t at = out_row(a, s, query_row(a, s, unit.kv_head, unit.first_row + row));
      if (a.states == nullptr)
        a.out[at * a.values.width + column] = scratch[j] / sums_of_rows[row];
      else
        state_of(a, unit.split, at)[column] = scratch[j];
    }
    __syncwarp();
  }
}

__global__ void __launch_bounds__(kThreads, kBlocksAtOnce) latent_kernel(const AttentionArguments a) {
  DACHLAST_SHARED(LatentShared, shared);
  const CudaSequence s = a.sequences[blockIdx.z];
  const auto split = static_cast<int>(blockIdx.x), kv_head = static_cast<int>(blockIdx.y) % a.n_kv_heads;
  const int first_row = static_cast<int>(blockIdx.y) / a.n_kv_heads * kRows;
  const LatentUnit unit{kv_head, first_row, min(kRows, s.q_len * a.group - first_row), split, split_of(a, s, split)};
  if (unit.n_rows <= 0 || unit.slots.begin >= unit.slots.end) return;
  const int first = query_row(a, s, kv_head, first_row).position;
  const int last = query_row(a, s, kv_head, first_row + unit.n_rows - 1).position;
  const TileSource source{a, s, kv_head, {unit.slots.begin, min(unit.slots.end, last + 1)}, window_begin(a, first)};
  const int row = static_cast<int>(threadIdx.x) / kRowLanes;
  RowState state{row, row < unit.n_rows ? query_row(a, s, kv_head, first_row + row).position : -1};
  load_queries(a, s, unit, shared);
  const RowNumbers rows = row_numbers(shared);
  Sum o[kWarpColumns / kSide];
#pragma unroll
  for (int i = 0; i < kWarpColumns / kSide; ++i) wmma::fill_fragment(o[i], 0.0f);
  for (int t = unit.slots.begin; t < unit.slots.end; t += kKeys) {
    if (source.skips(t, kKeys)) continue;
    load_tile<kThreads, kKeys, kMostKeyWidth, kStride>(source, a.keys, t, shared.rows);
    __syncthreads();
    multiply_keys(shared);
    __syncthreads();
    weigh_scores(a, t, unit.slots.end, state, shared);
    __syncthreads();
    multiply_values(shared, rows, o);
    __syncthreads();
  }
  float* const sums_of_rows = shared.scores[0];
  if (threadIdx.x % kRowLanes == 0) {
    sums_of_rows[row] = state.d;
    if (a.states != nullptr && row < unit.n_rows) {
      float* const to = state_of(a, split, out_row(a, s, query_row(a, s, kv_head, first_row + row))) + a.values.width;
      to[0] = state.m, to[1] = state.d;
    }
  }
  __syncthreads();
  write_rows(a, s, unit, o, sums_of_rows, reinterpret_cast<float*>(shared.rows) + warp_id() * kSide * kSide);
}

int row_groups(const CudaAttentionCall& call) {
  return ceil_div(call.longest_q_len * (call.n_heads / call.pool.layout.n_kv_heads), kRows);
}

}  // namespace

bool latent_takes(const CudaAttentionCall& call) {
  const KvLayout& l = call.pool.layout;
  return l.values == KvValues::kInKeys && l.head_dim <= kMostKeyWidth && l.value_dim <= kMostValueWidth;
}

CacheCut latent_cut(const CudaAttentionCall& call) {
  return cut_of(call, call.pool.layout.n_kv_heads * row_groups(call) * static_cast<int>(call.sequences.size()));
}

void attention_latent(const CudaAttentionCall& call, std::span<float> workspace, Stream stream) {
  if (call.sequences.empty() || call.longest_q_len == 0) return;
  const CacheCut cut = latent_cut(call);
  const dim3 grid(static_cast<unsigned>(cut.n_splits),
                  static_cast<unsigned>(call.pool.layout.n_kv_heads * row_groups(call)),
                  static_cast<unsigned>(call.sequences.size()));
  launch("attention (latent)", {grid, kThreads, sizeof(LatentShared)}, stream, latent_kernel,
         arguments_of(call, cut, workspace));
  combine(call, cut, workspace, stream);
}

}  // namespace dachlast::kernels::cuda
