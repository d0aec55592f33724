// Decode: few queries against a long cache. What counts is that each row of the cache is read once for all query heads
// that share it, and that enough blocks read at the same time; the arithmetic is float on the ordinary cores.
#include "kernels/cuda/cache_rows.cuh"

namespace dachlast::kernels::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / kWarpSize;
constexpr int kKeys = kWarpSize;    // of a tile: a lane a key while scores are taken
constexpr int kRows = kStreamRows;  // queries times heads of a block: 8 sums a thread and column stay in registers
constexpr int kRowsPerWarp = kRows / kWarps;
constexpr int kMostWidth = 256;

template <int kWidth>
struct StreamShared {
  // One float more than a row: lanes that read the same column of 32 keys meet 32 banks.
  static constexpr int kStride = kWidth + 1;
  float tile[kKeys * kStride];  // keys, then values
  float q[kRows][kWidth];       // scaled
  float p[kRows][kKeys];
  float correction[kRows];
  float d[kRows];
  float m[kRows];
};

/// The block's part of the work.
struct StreamUnit {
  int kv_head;
  int first_row;
  int n_rows;  // 0: nothing to do
  int split;
  SlotRange slots;
};

__device__ StreamUnit unit_of(const AttentionArguments& a, const CudaSequence& s) {
  const auto head = static_cast<int>(blockIdx.y) % a.n_kv_heads;
  const int first_row = static_cast<int>(blockIdx.y) / a.n_kv_heads * kRows;
  const auto split = static_cast<int>(blockIdx.x);
  return {head, first_row, min(kRows, s.q_len * a.group - first_row), split, split_of(a, s, split)};
}

template <int kWidth>
__device__ void load_queries(const AttentionArguments& a, const CudaSequence& s, const StreamUnit& unit,
                             StreamShared<kWidth>& shared) {
  const int head_dim = a.keys.width;
  for (int i = static_cast<int>(threadIdx.x); i < kRows * kWidth; i += kThreads) {
    const int row = i / kWidth, column = i % kWidth;
    float x = 0.0f;
    if (row < unit.n_rows && column < head_dim)
      x = q_of(a, s, query_row(a, s, unit.kv_head, unit.first_row + row), head_dim)[column] * a.rule.scale;
    shared.q[row][column] = x;
  }
}

/// Online softmax of the rows of one warp over a tile, a lane a key.
template <int kWidth>
__device__ void score_tile(const AttentionArguments& a, const CudaSequence& s, const StreamUnit& unit, int first,
                           float (&m)[kRowsPerWarp], float (&d)[kRowsPerWarp], StreamShared<kWidth>& shared) {
  const int slot = first + lane_id();
  const float* const key = &shared.tile[lane_id() * StreamShared<kWidth>::kStride];
  for (int i = 0; i < kRowsPerWarp; ++i) {
    const int row = warp_id() * kRowsPerWarp + i;
    const int position = row < unit.n_rows ? query_row(a, s, unit.kv_head, unit.first_row + row).position : -1;
    float score = 0.0f;
    for (int column = 0; column < a.keys.width; ++column) score += shared.q[row][column] * key[column];
    score = slot < unit.slots.end && sees(a, position, slot) ? capped(a, score) : -INFINITY;
    const float most = fmaxf(m[i], warp_max(score));
    const float p = most == -INFINITY ? 0.0f : exp2f((score - most) * kLog2E);
    const float correction = most == -INFINITY ? 1.0f : exp2f((m[i] - most) * kLog2E);
    d[i] = d[i] * correction + warp_sum(p);
    m[i] = most;
    shared.p[row][lane_id()] = p;
    if (lane_id() == 0) shared.correction[row] = correction;
  }
}

/// Adds a tile of values to the sums, a thread a column.
template <int kWidth, int kColumns>
__device__ void add_values(const StreamShared<kWidth>& shared, float (&o)[kRows][kColumns]) {
  for (int j = 0; j < kColumns; ++j) {
    const int column = static_cast<int>(threadIdx.x) + j * kThreads;
    if (column >= kWidth) continue;
    for (int row = 0; row < kRows; ++row) o[row][j] *= shared.correction[row];
    for (int key = 0; key < kKeys; ++key) {
      const float value = shared.tile[key * StreamShared<kWidth>::kStride + column];
      for (int row = 0; row < kRows; ++row) o[row][j] += shared.p[row][key] * value;
    }
  }
}

template <int kWidth, int kColumns>
__device__ void write_rows(const AttentionArguments& a, const CudaSequence& s, const StreamUnit& unit,
                           const StreamShared<kWidth>& shared, const float (&o)[kRows][kColumns]) {
  for (int row = 0; row < unit.n_rows; ++row) {
    const std::int64_t at = out_row(a, s, query_row(a, s, unit.kv_head, unit.first_row + row));
    float* const state = a.states == nullptr ? nullptr : state_of(a, unit.split, at);
    for (int j = 0; j < kColumns; ++j) {
      const int column = static_cast<int>(threadIdx.x) + j * kThreads;
      if (column >= a.values.width) continue;
      if (state == nullptr)
        a.out[at * a.values.width + column] = o[row][j] / shared.d[row];
      else
        state[column] = o[row][j];
    }
    if (state != nullptr && threadIdx.x == 0) {
      state[a.values.width] = shared.m[row];
      state[a.values.width + 1] = shared.d[row];
    }
  }
}

/// Four blocks a multiprocessor: up to 128 registers a thread, or the compiler aims for seven and spills.
template <int kWidth>
__global__ void __launch_bounds__(kThreads, 4) stream_kernel(const AttentionArguments a) {
  using Shared = StreamShared<kWidth>;
  DACHLAST_SHARED(Shared, shared);
  constexpr int kColumns = (kWidth + kThreads - 1) / kThreads;
  const CudaSequence s = a.sequences[blockIdx.z];
  const StreamUnit unit = unit_of(a, s);
  if (unit.n_rows <= 0 || unit.slots.begin >= unit.slots.end) return;
  const int last_row = unit.first_row + unit.n_rows - 1;
  const int last_position = query_row(a, s, unit.kv_head, last_row).position;
  const TileSource source{a,
                          s,
                          unit.kv_head,
                          {unit.slots.begin, min(unit.slots.end, last_position + 1)},
                          window_begin(a, query_row(a, s, unit.kv_head, unit.first_row).position)};
  load_queries(a, s, unit, shared);
  float o[kRows][kColumns] = {}, m[kRowsPerWarp], d[kRowsPerWarp];
  for (int i = 0; i < kRowsPerWarp; ++i) m[i] = -INFINITY, d[i] = 0.0f;
  for (int first = unit.slots.begin; first < unit.slots.end; first += kKeys) {
    if (source.skips(first, kKeys)) continue;
    load_tile<kThreads, kKeys, kWidth, Shared::kStride>(source, a.keys, first, shared.tile);
    __syncthreads();
    score_tile(a, s, unit, first, m, d, shared);
    __syncthreads();
    load_tile<kThreads, kKeys, kWidth, Shared::kStride>(source, a.values, first, shared.tile);
    __syncthreads();
    add_values(shared, o);
    __syncthreads();
  }
  for (int i = 0; i < kRowsPerWarp; ++i)
    if (lane_id() == 0) shared.m[warp_id() * kRowsPerWarp + i] = m[i], shared.d[warp_id() * kRowsPerWarp + i] = d[i];
  __syncthreads();
  write_rows(a, s, unit, shared, o);
}

// ---- combine

/// One row of `out` a block.
/// Source   as kernels::combine_attention.
__global__ void __launch_bounds__(kThreads) combine_kernel(const AttentionArguments a) {
  const CudaSequence s = a.sequences[blockIdx.z];
  const auto row = static_cast<int>(blockIdx.x);
  if (row >= s.q_len * a.n_heads) return;
  const std::int64_t at = static_cast<std::int64_t>(s.first_row) * a.n_heads + row;
  const int width = a.values.width, n_splits = n_splits_of(a, s);
  float m = -INFINITY, d = 0.0f;
  for (int split = 0; split < n_splits; ++split) m = fmaxf(m, state_of(a, split, at)[width]);
  for (int split = 0; split < n_splits; ++split) {
    const float* const state = state_of(a, split, at);
    d += exp2f((state[width] - m) * kLog2E) * state[width + 1];
  }
  for (int column = static_cast<int>(threadIdx.x); column < width; column += kThreads) {
    float o = 0.0f;
    for (int split = 0; split < n_splits; ++split) {
      const float* const state = state_of(a, split, at);
      o += exp2f((state[width] - m) * kLog2E) * state[column];
    }
    a.out[at * width + column] = o / d;
  }
}

int row_groups(const CudaAttentionCall& call) {
  return ceil_div(call.longest_q_len * (call.n_heads / call.pool.layout.n_kv_heads), kRows);
}

template <int kWidth>
void launch_stream(const CudaAttentionCall& call, const CacheCut& cut, const AttentionArguments& a, Stream stream) {
  const dim3 grid(static_cast<unsigned>(cut.n_splits), static_cast<unsigned>(a.n_kv_heads * row_groups(call)),
                  static_cast<unsigned>(call.sequences.size()));
  launch("attention (stream)", {grid, kThreads, sizeof(StreamShared<kWidth>)}, stream, stream_kernel<kWidth>, a);
}

}  // namespace

bool stream_takes(const CudaAttentionCall& call) {
  const KvLayout& l = call.pool.layout;
  return l.head_dim <= kMostWidth && l.value_dim <= kMostWidth;
}

CacheCut stream_cut(const CudaAttentionCall& call) {
  return cut_of(call, call.pool.layout.n_kv_heads * row_groups(call) * static_cast<int>(call.sequences.size()));
}

void combine(const CudaAttentionCall& call, const CacheCut& cut, std::span<const float> states, Stream stream) {
  if (cut.n_splits == 1) return;
  AttentionArguments a = arguments_of(call, cut, {});
  a.states = const_cast<float*>(states.data());  // read only: the kernel shares the struct of those that write them
  const dim3 grid(static_cast<unsigned>(call.longest_q_len * call.n_heads), 1,
                  static_cast<unsigned>(call.sequences.size()));
  launch("attention (combine)", {grid, kThreads}, stream, combine_kernel, a);
}

void attention_stream(const CudaAttentionCall& call, std::span<float> workspace, Stream stream) {
  if (call.sequences.empty() || call.longest_q_len == 0) return;
  const CacheCut cut = stream_cut(call);
  const AttentionArguments a = arguments_of(call, cut, workspace);
  if (max(a.keys.width, a.values.width) <= kMostWidth / 2)
    launch_stream<kMostWidth / 2>(call, cut, a, stream);
  else
    launch_stream<kMostWidth>(call, cut, a, stream);
  combine(call, cut, workspace, stream);
}

}  // namespace dachlast::kernels::cuda
