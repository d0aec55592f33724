#include <algorithm>

#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/kv_store.h"

namespace dachlast::kernels::cuda {

OpCost add_norm_cost(const NormShape& shape) {
  const ResidualShape added{.n_tokens = shape.n_rows, .d_model = shape.dim};
  OpCost cost = residual_cost(added);
  cost += norm_cost(shape);
  cost.activation_bytes = cost.activation_bytes - Bytes{1.0 * shape.n_rows * shape.dim * sizeof(float)};
  return cost;
}

OpCost sample_softmax_cost(const SampleShape& shape) {
  const double n_rows = shape.n_rows, elements = n_rows * shape.vocab_size;
  return {.flops = Flops{4.0 * elements},
          .activation_bytes = Bytes{elements * sizeof(float) + n_rows * (sizeof(float) + sizeof(std::int32_t))}};
}

OpCost store_kv_cost(const CudaKvTarget& target) {
  OpCost cost = kernels::store_kv_cost(target.pool.layout, static_cast<int>(target.slots.size()));
  cost.activation_bytes += Bytes{static_cast<double>(target.slots.size_bytes())};
  return cost;
}

namespace {

/// Of one KV head of one sequence, in rows.
struct ChannelRows {
  double sealed = 0.0;  // blocks
  double read = 0.0;    // keys that waited
  double kept = 0.0;    // keys that will
};

ChannelRows channel_rows(const CudaSequence& s, int block_size) {
  if (s.q_len == 0) return {};
  const int end = s.first_position + s.q_len, first_block = s.first_position / block_size;
  const int last_block = (end - 1) / block_size, n_sealed = end / block_size - first_block;
  return {1.0 * n_sealed, n_sealed > 0 ? 1.0 * (s.first_position % block_size) : 0.0,
          1.0 * (end - std::max(s.first_position, last_block * block_size))};
}

}  // namespace

OpCost store_channels_cost(const CudaKvTarget& target, std::span<const CudaSequence> sequences_on_host) {
  const KvLayout& l = target.pool.layout;
  const double waiting = 1.0 * l.head_dim * sizeof(BF16);
  const double sealed = static_cast<double>(head_key_bytes(l) + head_key_scales(l) * sizeof(ScaleWord));
  const bool has_values = l.values == KvValues::kOwnRows;
  const double value = has_values ? static_cast<double>(row_bytes(l.format, l.value_dim) +
                                                        row_scales(l.format, l.value_dim) * sizeof(ScaleWord))
                                  : 0.0;
  OpCost cost{.activation_bytes =
                  Bytes{static_cast<double>(target.slots.size_bytes() + target.sequences.size_bytes())}};
  for (const CudaSequence& s : sequences_on_host) {
    const ChannelRows rows = channel_rows(s, l.block_size);
    const double width = l.head_dim + (has_values ? l.value_dim : 0);
    cost.activation_bytes += Bytes{1.0 * s.q_len * l.n_kv_heads * width * sizeof(float)};
    cost.kv_read_bytes += Bytes{rows.read * waiting * l.n_kv_heads + rows.sealed * sizeof(std::int32_t)};
    cost.kv_write_bytes += Bytes{(rows.sealed * sealed + rows.kept * waiting + s.q_len * value) * l.n_kv_heads};
  }
  return cost;
}

}  // namespace dachlast::kernels::cuda
