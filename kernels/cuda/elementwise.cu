#include "kernels/cuda/elementwise.h"

#include <type_traits>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/panels.cuh"
#include "kernels/cuda/step_ops.h"

namespace dachlast::kernels::cuda {
namespace {

constexpr int kThreads = 256;

// ---- embed

template <class T>
struct PlainTable {
  const T* rows;
  int width;

  __device__ float at(std::int64_t row, int column) const {
    const T element = rows[row * width + column];
    if constexpr (std::is_same_v<T, float>)
      return element;
    else
      return to_float(element);
  }
};

struct PanelTable {
  Panels panels;

  __device__ float at(std::int64_t row, int column) const {
    const std::uint8_t* panel = panels.bytes + row / kPanelRows * panels.panel_bytes;
    const int r = static_cast<int>(row % kPanelRows), step = column / panels.step_columns;
    const int within = column % panels.step_columns;
    const std::uint32_t word = step_word(panels, panel, step, r);
    if (panels.bits == 16) return element_of<16>(word, r, within);
    const float scale = scale_of(panels, panel, step / panels.group_steps, r);
    return scale * (panels.bits == 8 ? element_of<8>(word, r, within) : element_of<4>(word, r, within));
  }
};

struct NoTable {
  __device__ float at(std::int64_t, int) const { return 0.0f; }
};

template <class Tokens, class Positions>
__global__ void __launch_bounds__(kThreads)
    embed_kernel(int d_model, float scale, const Tokens tokens, const Positions positions, const std::int32_t* ids,
                 const std::int32_t* position_rows, float* out) {
  const std::int64_t t = blockIdx.x;
  const std::int64_t id = ids[t], position = position_rows == nullptr ? 0 : position_rows[t];
  for (int i = static_cast<int>(threadIdx.x); i < d_model; i += kThreads)
    out[t * d_model + i] = scale * tokens.at(id, i) + positions.at(position, i);
}

template <class Tokens, class Positions>
void launch_embed(const EmbedShape& shape, float scale, const Tokens& tokens, const Positions& positions,
                  std::span<const std::int32_t> ids, std::span<const std::int32_t> rows, std::span<float> out,
                  Stream stream) {
  launch("embed", {dim3(static_cast<unsigned>(shape.n_tokens)), kThreads}, stream, embed_kernel<Tokens, Positions>,
         shape.d_model, scale, tokens, positions, ids.data(), rows.empty() ? nullptr : rows.data(), out.data());
}

/// Calls `use` with the table as the device reads it.
template <class Use>
void with_table(const WeightSpan& table, int width, const Use& use) {
  if (const auto* floats = std::get_if<std::span<const float>>(&table))
    return use(PlainTable<float>{floats->data(), width});
  if (const auto* halves = std::get_if<std::span<const BF16>>(&table))
    return use(PlainTable<BF16>{halves->data(), width});
  use(PanelTable{panels_of(std::get<PackedMatrix>(table))});
}

bool is_empty(const WeightSpan& table) {
  return std::visit([](const auto& values) { return values.empty(); }, table);
}

// ---- rope

__global__ void __launch_bounds__(kThreads) rope_kernel(const RopeShape shape, float* qkv, int stride, const float* cos,
                                                        const float* sin, const std::int32_t* positions) {
  const int half = shape.rotary_dim / 2;
  const std::int64_t n_pairs = static_cast<std::int64_t>(shape.n_tokens) * shape.n_heads * half;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t pair = global_thread(); pair < n_pairs; pair += step) {
    const std::int64_t head = pair / half, token = head / shape.n_heads;
    const auto i = static_cast<int>(pair % half);
    float* const x = qkv + token * stride + head % shape.n_heads * shape.head_dim;
    const std::int64_t row = positions == nullptr ? token : positions[token];  // of the tables
    const float c = cos[row * half + i], s = sin[row * half + i];
    const float first = x[i], second = x[i + half];
    x[i] = first * c - second * s;
    x[i + half] = second * c + first * s;
  }
}

// ---- activation

__device__ float activated(Activation activation, float x) {
  constexpr float kRootOfTwoOverPi = 0.797884561f, kInverseRootOfTwo = 0.707106781f;
  switch (activation) {
    case Activation::kSilu: return x / (1.0f + expf(-x));
    case Activation::kGeluTanh: return 0.5f * x * (1.0f + tanhf(kRootOfTwoOverPi * (x + 0.044715f * x * x * x)));
    case Activation::kGeluErf: return 0.5f * x * erfcf(-x * kInverseRootOfTwo);
    case Activation::kRelu: return fmaxf(x, 0.0f);
    case Activation::kReluSquared: return fmaxf(x, 0.0f) * fmaxf(x, 0.0f);
  }
  return x;
}

__global__ void __launch_bounds__(kThreads)
    activate_kernel(const ActivationShape shape, Activation activation, const float* in, float* out) {
  const std::int64_t n = static_cast<std::int64_t>(shape.n_tokens) * shape.d_ff;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = global_thread(); i < n; i += step) {
    if (shape.gate == Gate::kNone) {
      out[i] = activated(activation, in[i]);
      continue;
    }
    const float* const gate = in + i / shape.d_ff * 2 * shape.d_ff + i % shape.d_ff;
    out[i] = activated(activation, gate[0]) * gate[shape.d_ff];
  }
}

// ---- residual

__global__ void __launch_bounds__(kThreads) residual_kernel(std::int64_t n, float* residual, const float* branch) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = global_thread(); i < n; i += step) residual[i] += branch[i];
}

}  // namespace

void embed(const EmbedShape& shape, const EmbedTables& tables, std::span<const std::int32_t> ids,
           std::span<const std::int32_t> position_rows, std::span<float> out, Stream stream) {
  if (shape.n_tokens == 0) return;
  with_table(tables.tokens, shape.d_model, [&](const auto& tokens) {
    if (is_empty(tables.positions)) return launch_embed(shape, tables.scale, tokens, NoTable{}, ids, {}, out, stream);
    with_table(tables.positions, shape.d_model, [&](const auto& positions) {
      launch_embed(shape, tables.scale, tokens, positions, ids, position_rows, out, stream);
    });
  });
}

void rope(const RopeShape& shape, std::span<float> qkv, int stride, std::span<const float> cos,
          std::span<const float> sin, Stream stream) {
  rope_at(shape, qkv, stride, cos, sin, {}, stream);
}

void rope_at(const RopeShape& shape, std::span<float> qkv, int stride, std::span<const float> cos,
             std::span<const float> sin, std::span<const std::int32_t> positions, Stream stream) {
  const std::int64_t n_pairs = static_cast<std::int64_t>(shape.n_tokens) * shape.n_heads * (shape.rotary_dim / 2);
  if (n_pairs == 0) return;
  launch("rope", {blocks_for(n_pairs, kThreads), kThreads}, stream, rope_kernel, shape, qkv.data(), stride, cos.data(),
         sin.data(), positions.empty() ? nullptr : positions.data());
}

void activate(const ActivationShape& shape, Activation activation, std::span<const float> in, std::span<float> out,
              Stream stream) {
  const std::int64_t n = static_cast<std::int64_t>(shape.n_tokens) * shape.d_ff;
  if (n == 0) return;
  launch("activate", {blocks_for(n, kThreads), kThreads}, stream, activate_kernel, shape, activation, in.data(),
         out.data());
}

void residual(const ResidualShape& shape, std::span<float> residual, std::span<const float> branch, Stream stream) {
  const std::int64_t n = static_cast<std::int64_t>(shape.n_tokens) * shape.d_model;
  if (n == 0) return;
  launch("residual", {blocks_for(n, kThreads), kThreads}, stream, residual_kernel, n, residual.data(), branch.data());
}

}  // namespace dachlast::kernels::cuda
