#include "tests/architecture/reference_math.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace dachlast::reference {
namespace {

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

double activate(const std::string& name, double x) {
  if (name == "silu") return x / (1.0 + std::exp(-x));
  if (name == "relu") return std::max(x, 0.0);
  if (name == "gelu") return 0.5 * x * (1.0 + std::erf(x / std::numbers::sqrt2));
  if (name == "gelu_new" || name == "gelu_pytorch_tanh")
    return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * std::pow(x, 3.0))));
  throw std::invalid_argument("activation " + name);
}

double dot(const double* a, const double* b, int n) {
  double sum = 0.0;
  for (int i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

void softmax(std::vector<double>& scores) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0.0;
  for (double& score : scores) sum += score = std::exp(score - largest);
  for (double& score : scores) score /= sum;
}

}  // namespace

Rows zero_rows(int count, int width) {
  return {width, std::vector<double>(at(count) * at(width))};
}

Rows operator+(Rows a, const Rows& b) {
  for (std::size_t i = 0; i < a.values.size(); ++i) a.values[i] += b.values.at(i);
  return a;
}

Rows operator*(double factor, Rows a) {
  for (double& x : a.values) x *= factor;
  return a;
}

Rows columns(const Rows& x, int first, int width) {
  Rows result = zero_rows(x.count(), width);
  for (int t = 0; t < x.count(); ++t) std::copy_n(x.row(t) + first, width, result.row(t));
  return result;
}

Rows linear(const Rows& x, const std::vector<float>& w, const std::vector<float>& bias) {
  const int outputs = static_cast<int>(w.size()) / x.width;
  Rows y = zero_rows(x.count(), outputs);
  for (int t = 0; t < x.count(); ++t)
    for (int o = 0; o < outputs; ++o) {
      double sum = bias.empty() ? 0.0 : bias.at(at(o));
      for (int i = 0; i < x.width; ++i) sum += x.row(t)[i] * w[at(o) * at(x.width) + at(i)];
      y.row(t)[o] = sum;
    }
  return y;
}

Rows conv1d(const Rows& x, const std::vector<float>& w, const std::vector<float>& bias) {
  const int outputs = static_cast<int>(w.size()) / x.width;
  Rows y = zero_rows(x.count(), outputs);
  for (int t = 0; t < x.count(); ++t)
    for (int o = 0; o < outputs; ++o) {
      double sum = bias.at(at(o));
      for (int i = 0; i < x.width; ++i) sum += x.row(t)[i] * w[at(i) * at(outputs) + at(o)];
      y.row(t)[o] = sum;
    }
  return y;
}

Rows rms_norm(const Rows& x, const std::vector<float>& w, double eps, double offset) {
  Rows y = x;
  const int n = static_cast<int>(w.size());
  for (std::size_t start = 0; start < x.values.size(); start += w.size()) {
    const double mean_of_squares = dot(&x.values[start], &x.values[start], n) / n;
    for (std::size_t i = 0; i < w.size(); ++i)
      y.values[start + i] = x.values[start + i] / std::sqrt(mean_of_squares + eps) * (offset + w[i]);
  }
  return y;
}

Rows layer_norm(const Rows& x, const std::vector<float>& w, const std::vector<float>& b, double eps) {
  Rows y = x;
  for (int t = 0; t < x.count(); ++t) {
    double mean = 0.0, variance = 0.0;
    for (int i = 0; i < x.width; ++i) mean += x.row(t)[i] / x.width;
    for (int i = 0; i < x.width; ++i) variance += std::pow(x.row(t)[i] - mean, 2.0) / x.width;
    for (int i = 0; i < x.width; ++i)
      y.row(t)[i] = (x.row(t)[i] - mean) / std::sqrt(variance + eps) * w.at(at(i)) + b.at(at(i));
  }
  return y;
}

Rows activated(const std::string& name, Rows x) {
  for (double& value : x.values) value = activate(name, value);
  return x;
}

Rows times(Rows a, const Rows& b) {
  for (std::size_t i = 0; i < a.values.size(); ++i) a.values[i] *= b.values.at(i);
  return a;
}

Rows softcapped(Rows x, double cap) {
  for (double& value : x.values) value = cap * std::tanh(value / cap);
  return x;
}

Rows rotated(Rows x, int head_dim, const Rotation& rotation) {
  const int n_pairs = static_cast<int>(rotation.frequencies.size());
  for (int position = 0; position < x.count(); ++position)
    for (double* head = x.row(position); head != x.row(position) + x.width; head += head_dim)
      for (int i = 0; i < n_pairs; ++i) {
        const double angle = position * rotation.frequencies[at(i)];
        const double c = rotation.factor * std::cos(angle), s = rotation.factor * std::sin(angle);
        double& a = head[rotation.neighbours ? 2 * i : i];
        double& b = head[rotation.neighbours ? 2 * i + 1 : i + n_pairs];
        const double first = a, second = b;
        a = first * c - second * s;
        b = second * c + first * s;
      }
  return x;
}

Rows attention(const AttentionRule& rule, const Rows& q, const Rows& k, const Rows& v) {
  const int value_dim = rule.value_dim > 0 ? rule.value_dim : rule.head_dim;
  Rows out = zero_rows(q.count(), rule.n_heads * value_dim);
  const int group = rule.n_heads / rule.n_kv_heads;
  for (int t = 0; t < q.count(); ++t)
    for (int h = 0; h < rule.n_heads; ++h) {
      const int kv_column = h / group * rule.head_dim, v_column = h / group * value_dim;
      const int oldest = rule.window > 0 ? std::max(0, t - rule.window + 1) : 0;
      std::vector<double> scores;
      for (int s = oldest; s <= t; ++s) {
        const double score = rule.scale * dot(q.row(t) + h * rule.head_dim, k.row(s) + kv_column, rule.head_dim);
        scores.push_back(rule.softcap > 0.0 ? rule.softcap * std::tanh(score / rule.softcap) : score);
      }
      softmax(scores);
      for (int s = oldest; s <= t; ++s)
        for (int i = 0; i < value_dim; ++i)
          out.row(t)[h * value_dim + i] += scores[at(s - oldest)] * v.row(s)[v_column + i];
    }
  return out;
}

}  // namespace dachlast::reference
