#include <cassert>
#include <cmath>
#include <limits>

#include "kernels/cpu/attention_cpu.h"
#include "kernels/cpu/attention_unit.h"
#include "kernels/cpu/element.h"

namespace dachlast::kernels::cpu {
namespace {

double apply(const ScoreRule& rule, double product) {
  const double score = product * rule.scale;
  return rule.softcap > 0.0f ? rule.softcap * std::tanh(score / rule.softcap) : score;
}

/// Softmax over the scores of one query, then the weighted sum of the value rows.
template <class T>
void attend_one(const ScoreRule& rule, int head_dim, const float* q, const T* k, const T* v, KeyRange keys,
                float* scores, float* out) {
  double largest = -std::numeric_limits<double>::infinity();
  for (int j = keys.begin; j < keys.end; ++j) {
    double product = 0.0;
    for (int l = 0; l < head_dim; ++l) product += static_cast<double>(q[l]) * widen(k[std::size_t(j) * head_dim + l]);
    scores[j] = static_cast<float>(apply(rule, product));
    largest = std::max<double>(largest, scores[j]);
  }
  double sum = 0.0;
  for (int j = keys.begin; j < keys.end; ++j) sum += std::exp(scores[j] - largest);
  for (int l = 0; l < head_dim; ++l) {
    double weighted = 0.0;
    for (int j = keys.begin; j < keys.end; ++j)
      weighted += std::exp(scores[j] - largest) * widen(v[std::size_t(j) * head_dim + l]);
    out[l] = static_cast<float>(weighted / sum);
  }
}

}  // namespace

std::size_t attention_reference_scratch(const AttentionShape& shape) {
  return shape.kv_len;
}

void attention_reference(const AttentionShape& shape, const ScoreRule& rule, std::span<const float> q, int q_stride,
                         const KvView& kv, std::span<float> out, std::span<float> scratch, Slice units) {
  assert(scratch.size() >= attention_reference_scratch(shape));
  const int head_dim = shape.head_dim;
  std::visit(
      [&](auto keys) {
        const auto values = std::get<decltype(keys)>(kv.v);
        for (int index = units.begin; index < units.end; ++index) {
          const AttentionUnit unit = unit_at(shape, index);
          const auto* k = head_rows(keys, shape, kv.capacity, unit);
          const auto* v = head_rows(values, shape, kv.capacity, unit);
          for (int i = unit.first_query; i < unit.end_query(); ++i)
            for (int member = 0; member < group_size(shape); ++member) {
              const int head = unit.kv_head * group_size(shape) + member;
              const std::size_t row = std::size_t(unit.sequence) * shape.q_len + i;
              attend_one(rule, head_dim, &q[row * q_stride + std::size_t(head) * head_dim], k, v,
                         visible_keys(shape, i), scratch.data(), &out[(row * shape.n_heads + head) * head_dim]);
            }
        }
      },
      kv.k);
}

}  // namespace dachlast::kernels::cpu
