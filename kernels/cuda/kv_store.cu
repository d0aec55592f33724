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
  KvValues values;
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
  const float scale = largest / (format == KvFormat::kFp8 ? kFp8Largest : kInt8Largest), by = inverse(scale);
  if (lane_id() == 0) *scale_word = std::bit_cast<ScaleWord>(scale);
  for (int i = lane_id(); i < side.width; i += kWarpSize)
    row[i] = format == KvFormat::kFp8
                 ? __nv_cvt_float_to_fp8(in[i] * by, __NV_SATFINITE, __NV_E4M3)
                 : static_cast<std::uint8_t>(nearest_code(in[i] * by, -kInt8Largest, kInt8Largest));
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

/// A warp a row: token, KV head, keys or values.
__global__ void __launch_bounds__(kThreads, kBlocksAtOnce)
    store_kernel(const StoreArguments a, const StoreSide keys, const StoreSide values) {
  const int n_sides = a.values == KvValues::kOwnRows ? 2 : 1;
  const std::int64_t unit = global_thread() / kWarpSize;
  if (unit >= static_cast<std::int64_t>(a.n_tokens) * a.n_kv_heads * n_sides) return;
  const std::int64_t token = unit / (a.n_kv_heads * n_sides);
  const int head = static_cast<int>(unit / n_sides % a.n_kv_heads);
  const StoreSide& side = unit % n_sides == 0 ? keys : values;
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

StoreSide side_of(KvFormat format, std::span<const float> in, std::span<std::byte> rows, std::span<ScaleWord> scales,
                  int width) {
  return {in.data(), reinterpret_cast<std::uint8_t*>(rows.data()), scales.data(),
          width,     static_cast<int>(row_bytes(format, width)),   static_cast<int>(row_scales(format, width))};
}

}  // namespace

void store_kv(const CudaKvTarget& target, std::span<const float> k, std::span<const float> v, int stride,
              Stream stream) {
  const KvLayout& l = target.pool.layout;
  if (has_channel_scales(l))
    throw Error(ErrorKind::kDevice, "KV cache on the GPU", "keys with scales per channel have no CUDA kernel.",
                "Use scales per token, or the CPU.");
  const int n_tokens = static_cast<int>(target.slots.size());
  if (n_tokens == 0) return;
  const int n_rows = n_tokens * l.n_kv_heads * (l.values == KvValues::kOwnRows ? 2 : 1);
  const StoreArguments arguments{l.format, l.values, n_tokens, l.n_kv_heads, l.block_size, stride, target.slots.data()};
  launch("store_kv", {dim3(static_cast<unsigned>(ceil_div(n_rows, kThreads / kWarpSize))), kThreads}, stream,
         store_kernel, arguments, side_of(l.format, k, target.pool.k, target.pool.k_scales, l.head_dim),
         side_of(l.format, v, target.pool.v, target.pool.v_scales, l.value_dim));
}

}  // namespace dachlast::kernels::cuda
