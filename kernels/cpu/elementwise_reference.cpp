#include <cassert>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "kernels/cpu/element.h"
#include "kernels/cpu/elementwise_cpu.h"

namespace dachlast::kernels::cpu {
namespace {

std::vector<float> row_of(const WeightSpan& table, std::int32_t row, std::size_t width) {
  std::vector<float> values(width);
  if (const auto* packed = std::get_if<PackedMatrix>(&table)) unpack_row(*packed, row, values);
  const auto widen_all = [&](auto stored) {
    for (std::size_t i = 0; i < width; ++i) values[i] = widen(stored[static_cast<std::size_t>(row) * width + i]);
  };
  if (const auto* floats = std::get_if<std::span<const float>>(&table)) widen_all(*floats);
  if (const auto* halves = std::get_if<std::span<const BF16>>(&table)) widen_all(*halves);
  return values;
}

bool is_empty(const WeightSpan& table) {
  return std::visit([](const auto& values) { return values.empty(); }, table);
}

struct Moments {
  double mean;
  double mean_of_squares;
};

Moments moments_of(const float* x, int n) {
  double sum = 0.0, squares = 0.0;
  for (int i = 0; i < n; ++i) {
    sum += x[i];
    squares += static_cast<double>(x[i]) * x[i];
  }
  return {.mean = sum / n, .mean_of_squares = squares / n};
}

double activated(Activation activation, double x) {
  switch (activation) {
    case Activation::kSilu: return x / (1.0 + std::exp(-x));
    case Activation::kGeluTanh:
      return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::kGeluErf: return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
    case Activation::kRelu: return x > 0.0 ? x : 0.0;
    case Activation::kReluSquared: return x > 0.0 ? x * x : 0.0;
  }
  return x;
}

}  // namespace

void embed_reference(const EmbedShape& shape, const EmbedTables& tables, std::span<const std::int32_t> ids,
                     std::span<const std::int32_t> position_rows, std::span<float> out, Slice tokens) {
  const std::size_t d_model = shape.d_model;
  for (int t = tokens.begin; t < tokens.end; ++t) {
    const std::vector<float> token = row_of(tables.tokens, ids[t], d_model);
    std::vector<float> position(d_model, 0.0f);
    if (!is_empty(tables.positions)) position = row_of(tables.positions, position_rows[t], d_model);
    for (std::size_t i = 0; i < d_model; ++i) out[t * d_model + i] = tables.scale * token[i] + position[i];
  }
}

void norm_reference(const NormShape& shape, const NormRule& rule, std::span<const float> x, int x_stride,
                    std::span<const float> w, std::span<const float> bias, std::span<float> out, int out_stride,
                    Slice rows) {
  for (int r = rows.begin; r < rows.end; ++r) {
    const float* row = &x[std::size_t(r) * x_stride];
    float* target = &out[std::size_t(r) * out_stride];
    const Moments moments = moments_of(row, shape.dim);
    const double mean = shape.kind == NormKind::kLayer ? moments.mean : 0.0;
    const double scale = 1.0 / std::sqrt(moments.mean_of_squares - mean * mean + rule.eps);
    for (int i = 0; i < shape.dim; ++i) {
      const double weight = static_cast<double>(rule.weight_offset) + w[i];
      target[i] = static_cast<float>((row[i] - mean) * scale * weight + (bias.empty() ? 0.0f : bias[i]));
    }
  }
}

void rope_reference(const RopeShape& shape, std::span<float> qkv, int stride, std::span<const float> cos,
                    std::span<const float> sin, Slice tokens) {
  const int half = shape.rotary_dim / 2;
  const int step = shape.pairs == RopePairs::kHalves ? 1 : 2, apart = shape.pairs == RopePairs::kHalves ? half : 1;
  for (int t = tokens.begin; t < tokens.end; ++t)
    for (int h = 0; h < shape.n_heads; ++h) {
      float* head = &qkv[std::size_t(t) * stride + std::size_t(h) * shape.head_dim];
      for (int i = 0; i < half; ++i) {
        const float c = cos[std::size_t(t) * half + i], s = sin[std::size_t(t) * half + i];
        const float first = head[step * i], second = head[step * i + apart];
        head[step * i] = first * c - second * s;
        head[step * i + apart] = second * c + first * s;
      }
    }
}

void activate_reference(const ActivationShape& shape, Activation activation, std::span<const float> in,
                        std::span<float> out, Slice tokens) {
  const std::size_t d_ff = shape.d_ff;
  const bool gated = shape.gate == Gate::kGated;
  for (int t = tokens.begin; t < tokens.end; ++t) {
    const float* row = &in[t * d_ff * (gated ? 2 : 1)];
    for (std::size_t i = 0; i < d_ff; ++i) {
      const double value = activated(activation, row[i]);
      out[t * d_ff + i] = static_cast<float>(gated ? value * row[d_ff + i] : value);
    }
  }
}

void residual_reference(const ResidualShape& shape, std::span<float> residual, std::span<const float> branch,
                        Slice tokens) {
  const std::size_t d_model = shape.d_model;
  for (std::size_t i = tokens.begin * d_model; i < tokens.end * d_model; ++i) residual[i] += branch[i];
}

void sample_reference(const SampleShape& shape, std::span<const float> logits, std::span<std::int32_t> next_ids,
                      Slice rows) {
  for (int r = rows.begin; r < rows.end; ++r) {
    const float* row = &logits[std::size_t(r) * shape.vocab_size];
    float best = -std::numeric_limits<float>::infinity();
    next_ids[r] = 0;
    for (int i = 0; i < shape.vocab_size; ++i)
      if (row[i] > best) {
        best = row[i];
        next_ids[r] = i;
      }
  }
}

}  // namespace dachlast::kernels::cpu
