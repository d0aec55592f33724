#pragma once

#include <functional>
#include <string>
#include <vector>

namespace dachlast::reference {

// The mathematics of transformer blocks as the papers write it: double precision, one loop per sum, no cleverness.

/// One row of `width` numbers per token.
struct Rows {
  int width = 0;
  std::vector<double> values;

  int count() const { return static_cast<int>(values.size()) / width; }
  double* row(int i) { return &values[static_cast<std::size_t>(i) * static_cast<std::size_t>(width)]; }
  const double* row(int i) const { return &values[static_cast<std::size_t>(i) * static_cast<std::size_t>(width)]; }
};
Rows zero_rows(int count, int width);

Rows operator+(Rows a, const Rows& b);
Rows operator*(double factor, Rows a);

/// Columns [first, first + width) of every row.
Rows columns(const Rows& x, int first, int width);

/// y = x · Wᵀ + b, W [outputs, inputs]; b empty or [outputs].
Rows linear(const Rows& x, const std::vector<float>& w, const std::vector<float>& bias);
/// y = x · W + b, W [inputs, outputs]: the "Conv1D" of GPT-2.
Rows conv1d(const Rows& x, const std::vector<float>& w, const std::vector<float>& bias);

/// x / sqrt(mean(x²) + eps) · (offset + w), over each run of w.size() elements.
Rows rms_norm(const Rows& x, const std::vector<float>& w, double eps, double offset);
/// (x − mean) / sqrt(variance + eps) · w + b
Rows layer_norm(const Rows& x, const std::vector<float>& w, const std::vector<float>& b, double eps);

/// Element by element; names as in Hugging Face configs: "silu", "gelu", "gelu_new", "gelu_pytorch_tanh", "relu".
Rows activated(const std::string& name, Rows x);
/// Element-wise product.
Rows times(Rows a, const Rows& b);
/// cap · tanh(x / cap)
Rows softcapped(Rows x, double cap);

/// Turns of RoPE: pair i of a head turns by position · frequencies[i]; cos and sin are multiplied by `factor`.
struct Rotation {
  std::vector<double> frequencies;  // radians per token; twice as many leading dimensions of a head are rotated
  double factor = 1.0;
  bool neighbours = false;
};
/// Rotates every head of `head_dim` of every row: dimension i pairs with i + frequencies.size(), of `neighbours` 2i with
/// 2i + 1.
Rows rotated(Rows x, int head_dim, const Rotation& rotation);

/// Sizes and rules of causal attention over one sequence.
struct AttentionRule {
  int n_heads = 0;
  int n_kv_heads = 0;
  int head_dim = 0;
  double scale = 0.0;
  int window = 0;        // 0: all earlier tokens
  double softcap = 0.0;  // 0: none
  int value_dim = 0;     // 0: as head_dim
};
/// softmax(q · Kᵀ · scale) · V; query head h reads KV head h / (n_heads / n_kv_heads).
Rows attention(const AttentionRule& rule, const Rows& q, const Rows& k, const Rows& v);

}  // namespace dachlast::reference
