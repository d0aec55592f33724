#include "kernels/cuda/kv_store.h"

#include <bit>

#include "kernels/cuda/launch.cuh"

namespace dachlast::kernels::cuda {
namespace {

// Stated so that the compiler takes the registers that this leaves, and spills none on any target.
constexpr int kBlocksAtOnce = 2;
constexpr int kThreads = 128;  // 4 warps, a row each
constexpr float kInt8Largest = 127.0f, kFp8Largest = 448.0f, kInt4Largest = 15.0f;
static_assert(kInt4Group == kWarpSize);

struct StoreArguments {
  KvFormat format;
  int n_sides;
  int n_tokens;
  int n_kv_heads;
  int block_size;
  int stride;
  const std::int32_t* slots;
};

/// Rows of K, or of V.
struct StoreSide {
  const float* in;
  std::uint8_t* rows;
  ScaleWord* scales;
  int width;
  int row_bytes;
  int row_scales;
};

__device__ float inverse(float scale) {
  return scale > 0.0f ? 1.0f / scale : 0.0f;
}

__device__ int nearest_code(float x, float lowest, float largest) {
  return __float2int_rn(fmaxf(lowest, fminf(largest, x)));
}

/// 0 where all elements are finite, else NaN: added to a scale it makes all that the scale stands for read as NaN.
__device__ float poison_of(float x) {
  return x * 0.0f;
}

__device__ float scale_of(KvFormat format, float largest) {
  return largest / (format == KvFormat::kFp8 ? kFp8Largest : kInt8Largest);
}

/// Of fp8 or int8.
__device__ std::uint8_t byte_code(KvFormat format, float x) {
  if (format == KvFormat::kFp8) return __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E4M3);
  return static_cast<std::uint8_t>(nearest_code(x, -kInt8Largest, kInt8Largest));
}

__device__ void store_plain(KvFormat format, const StoreSide& side, const float* in, std::uint8_t* row) {
  for (int i = lane_id(); i < side.width; i += kWarpSize) {
    if (format == KvFormat::kF32) reinterpret_cast<float*>(row)[i] = in[i];
    if (format == KvFormat::kBF16) reinterpret_cast<std::uint16_t*>(row)[i] = to_bf16(in[i]).bits;
    if (format == KvFormat::kF16) reinterpret_cast<__half*>(row)[i] = __float2half_rn(in[i]);
  }
}

/// One scale for the row.
__device__ void store_bytes(KvFormat format, const StoreSide& side, const float* in, std::uint8_t* row,
                            ScaleWord* scale_word) {
  float largest = 0.0f, poison = 0.0f;
  for (int i = lane_id(); i < side.width; i += kWarpSize) {
    largest = fmaxf(largest, fabsf(in[i]));
    poison += poison_of(in[i]);
  }
  largest = warp_max(largest) + warp_sum(poison);
  const float scale = scale_of(format, largest), by = inverse(scale);
  if (lane_id() == 0) *scale_word = std::bit_cast<ScaleWord>(scale);
  for (int i = lane_id(); i < side.width; i += kWarpSize) row[i] = byte_code(format, in[i] * by);
}

/// A lane an element, a step and a low end for every 32 of them.
__device__ void store_int4(const StoreSide& side, const float* in, std::uint8_t* row, ScaleWord* words) {
  for (int first = 0; first < side.width; first += kInt4Group) {
    const int i = first + lane_id();
    const bool exists = i < side.width;
    const float x = exists ? in[i] : 0.0f;
    const float lowest = warp_min(exists ? x : INFINITY), largest = warp_max(exists ? x : -INFINITY);
    const BF16 low = to_bf16(lowest + warp_sum(poison_of(x)));
    const BF16 step = to_bf16((largest - to_float(low)) / kInt4Largest);
    const int code = exists ? nearest_code((x - to_float(low)) * inverse(to_float(step)), 0.0f, kInt4Largest) : 0;
    const int upper = __shfl_xor_sync(kAllLanes, code, kInt4Group / 2);
    if (lane_id() < kInt4Group / 2) row[first / 2 + lane_id()] = static_cast<std::uint8_t>(code | upper << 4);
    if (lane_id() == 0) words[first / kInt4Group] = step.bits | static_cast<ScaleWord>(low.bits) << 16;
  }
}

/// A warp a row: token, KV head, first or second side.
__global__ void __launch_bounds__(kThreads, kBlocksAtOnce)
    store_kernel(const StoreArguments a, const StoreSide first, const StoreSide second) {
  const std::int64_t unit = global_thread() / kWarpSize;
  if (unit >= static_cast<std::int64_t>(a.n_tokens) * a.n_kv_heads * a.n_sides) return;
  const std::int64_t token = unit / (a.n_kv_heads * a.n_sides);
  const int head = static_cast<int>(unit / a.n_sides % a.n_kv_heads);
  const StoreSide& side = unit % a.n_sides == 0 ? first : second;
  const std::int32_t slot = a.slots[token];
  const std::int64_t at =
      (static_cast<std::int64_t>(slot / a.block_size) * a.n_kv_heads + head) * a.block_size + slot % a.block_size;
  const float* const in = side.in + token * a.stride + static_cast<std::int64_t>(head) * side.width;
  std::uint8_t* const row = side.rows + at * side.row_bytes;
  ScaleWord* const scales = side.scales + at * side.row_scales;
  if (!has_scales(a.format)) return store_plain(a.format, side, in, row);
  if (a.format == KvFormat::kInt4) return store_int4(side, in, row, scales);
  store_bytes(a.format, side, in, row, scales);
}

// ---- keys with scales along channels

struct ChannelArguments {
  StoreSide keys;
  KvFormat format;
  int n_kv_heads;
  int block_size;
  int stride;
  BF16* tails;
  const CudaSequence* sequences;
  const std::int32_t* blocks;
};

/// Where a new key of the step comes from, and where the key of a slot waits.
__device__ const float* new_key(const ChannelArguments& a, const CudaSequence& s, int head, int slot) {
  return a.keys.in + static_cast<std::int64_t>(s.first_row + slot - s.first_position) * a.stride +
         static_cast<std::int64_t>(head) * a.keys.width;
}
__device__ BF16* waiting_key(const ChannelArguments& a, const CudaSequence& s, int head, int slot) {
  const std::int64_t at = (static_cast<std::int64_t>(s.place) * a.n_kv_heads + head) * a.block_size;
  return a.tails + (at + slot % a.block_size) * a.keys.width;
}

/// All keys are rounded as those that waited: codes do not depend on how tokens came.
__device__ float rounded_key(const ChannelArguments& a, const CudaSequence& s, int head, int slot, int column) {
  if (slot < s.first_position) return to_float(waiting_key(a, s, head, slot)[column]);
  return to_float(to_bf16(new_key(a, s, head, slot)[column]));
}

/// A full block: the keys of one KV head in slots `first_slot` … and where they go.
struct FullBlock {
  const CudaSequence& s;
  int head;
  int first_slot;
  std::uint8_t* rows;
  ScaleWord* scales;
};

struct ChannelRange {
  float lowest;
  float largest;
  float poison;
};

__device__ ChannelRange range_of(const ChannelArguments& a, const FullBlock& block, int column) {
  ChannelRange range{INFINITY, -INFINITY, 0.0f};
  for (int row = 0; row < a.block_size; ++row) {
    const float x = rounded_key(a, block.s, block.head, block.first_slot + row, column);
    range = {fminf(range.lowest, x), fmaxf(range.largest, x), range.poison + poison_of(x)};
  }
  return range;
}

/// A lane a channel; lanes whose codes share a byte are half a group apart.
__device__ void seal_int4(const ChannelArguments& a, const FullBlock& block, int first) {
  const int column = first + lane_id();
  const bool exists = column < a.keys.width;
  const ChannelRange range = exists ? range_of(a, block, column) : ChannelRange{};
  const BF16 low = to_bf16(range.lowest + range.poison);
  const BF16 step = to_bf16((range.largest - to_float(low)) / kInt4Largest);
  if (exists) block.scales[column] = step.bits | static_cast<ScaleWord>(low.bits) << 16;
  for (int row = 0; row < a.block_size; ++row) {
    const float x = exists ? rounded_key(a, block.s, block.head, block.first_slot + row, column) : 0.0f;
    const int code = exists ? nearest_code((x - to_float(low)) * inverse(to_float(step)), 0.0f, kInt4Largest) : 0;
    const int upper = __shfl_xor_sync(kAllLanes, code, kInt4Group / 2);
    if (lane_id() < kInt4Group / 2)
      block.rows[row * a.keys.row_bytes + first / 2 + lane_id()] = static_cast<std::uint8_t>(code | upper << 4);
  }
}

__device__ void seal_bytes(const ChannelArguments& a, const FullBlock& block, int first) {
  const int column = first + lane_id();
  if (column >= a.keys.width) return;
  const ChannelRange range = range_of(a, block, column);
  const float largest = fmaxf(fabsf(range.lowest), fabsf(range.largest)) + range.poison;
  const float scale = scale_of(a.format, largest), by = inverse(scale);
  block.scales[column] = std::bit_cast<ScaleWord>(scale);
  for (int row = 0; row < a.block_size; ++row)
    block.rows[row * a.keys.row_bytes + column] =
        byte_code(a.format, rounded_key(a, block.s, block.head, block.first_slot + row, column) * by);
}

/// Blocks that the step fills: a block of threads each KV head of one.
__global__ void __launch_bounds__(kThreads, kBlocksAtOnce) seal_kernel(const ChannelArguments a) {
  const CudaSequence s = a.sequences[blockIdx.z];
  const int head = static_cast<int>(blockIdx.y);
  const int number = s.first_position / a.block_size + static_cast<int>(blockIdx.x);
  if ((number + 1) * a.block_size > s.first_position + s.q_len) return;
  const std::int64_t at = static_cast<std::int64_t>(a.blocks[s.first_block + number]) * a.n_kv_heads + head;
  const FullBlock block{s, head, number * a.block_size, a.keys.rows + at * a.block_size * a.keys.row_bytes,
                        a.keys.scales + at * a.keys.width};
  for (int first = warp_id() * kWarpSize; first < a.keys.width; first += kThreads)
    if (a.format == KvFormat::kInt4)
      seal_int4(a, block, first);
    else
      seal_bytes(a, block, first);
}

/// The step's keys in the last block of each sequence wait, even where it is full: a sequence may be cut there again.
__global__ void __launch_bounds__(kThreads, kBlocksAtOnce) keep_kernel(const ChannelArguments a) {
  const CudaSequence s = a.sequences[blockIdx.z];
  const int head = static_cast<int>(blockIdx.y), end = s.first_position + s.q_len;
  const int slot = max(s.first_position, (end - 1) / a.block_size * a.block_size) + static_cast<int>(blockIdx.x);
  if (slot >= end) return;
  const float* const in = new_key(a, s, head, slot);
  BF16* const to = waiting_key(a, s, head, slot);
  for (int column = static_cast<int>(threadIdx.x); column < a.keys.width; column += kThreads)
    to[column] = to_bf16(in[column]);
}

StoreSide side_of(KvFormat format, std::span<const float> in, std::span<std::byte> rows, std::span<ScaleWord> scales,
                  int width) {
  return {in.data(), reinterpret_cast<std::uint8_t*>(rows.data()), scales.data(),
          width,     static_cast<int>(row_bytes(format, width)),   static_cast<int>(row_scales(format, width))};
}

/// Keys that waited are read before others take their place: two launches, one behind the other.
void store_channels(const CudaKvTarget& target, const StoreSide& keys, int stride, Stream stream) {
  const KvLayout& l = target.pool.layout;
  const ChannelArguments a{keys,
                           l.format,
                           l.n_kv_heads,
                           l.block_size,
                           stride,
                           target.tails.data(),
                           target.sequences.data(),
                           target.blocks.data()};
  const auto blocks = [&](int n) {
    return dim3(static_cast<unsigned>(n), static_cast<unsigned>(l.n_kv_heads),
                static_cast<unsigned>(target.sequences.size()));
  };
  launch("store_kv (full blocks)", {blocks(ceil_div(target.longest_q_len, l.block_size)), kThreads}, stream,
         seal_kernel, a);
  launch("store_kv (waiting keys)", {blocks(min(target.longest_q_len, l.block_size)), kThreads}, stream, keep_kernel,
         a);
}

}  // namespace

void store_kv(const CudaKvTarget& target, std::span<const float> k, std::span<const float> v, int stride,
              Stream stream) {
  const KvLayout& l = target.pool.layout;
  const int n_tokens = static_cast<int>(target.slots.size());
  if (n_tokens == 0) return;
  const StoreSide keys = side_of(l.format, k, target.pool.k, target.pool.k_scales, l.head_dim);
  const StoreSide values = side_of(l.format, v, target.pool.v, target.pool.v_scales, l.value_dim);
  const bool by_channel = has_channel_scales(l), has_values = l.values == KvValues::kOwnRows;
  if (by_channel) store_channels(target, keys, stride, stream);
  const int n_sides = (by_channel ? 0 : 1) + (has_values ? 1 : 0);
  if (n_sides == 0) return;
  const int n_rows = n_tokens * l.n_kv_heads * n_sides;
  const StoreArguments arguments{l.format, n_sides, n_tokens, l.n_kv_heads, l.block_size, stride, target.slots.data()};
  launch("store_kv", {dim3(static_cast<unsigned>(ceil_div(n_rows, kThreads / kWarpSize))), kThreads}, stream,
         store_kernel, arguments, by_channel ? values : keys, values);
}

}  // namespace dachlast::kernels::cuda
