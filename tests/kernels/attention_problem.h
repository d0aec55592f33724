#pragma once

#include <fmt/format.h>

#include <algorithm>

#include "kernels/attention.h"
#include "kernels/cpu/kv_rows.h"
#include "tests/kernels/kv_data.h"

// Attention calls with their inputs, and what should come out of them.
namespace dachlast::kernels::testing {

/// A sequence's part of a call. With `holes` its slots hold positions in a scrambled order with that many empty ones
/// between them, as a ring does.
struct SequencePlan {
  int q_len;
  int kv_len;
  int holes = 0;
};

struct AttentionPlan {
  KvLayout layout;
  int n_heads;
  std::vector<SequencePlan> sequences;
  MaskRule mask{};
  float softcap = 0.0f;
  float scale = 0.0f;    // 0: 1 / sqrt(head_dim)
  float q_grid = 16.0f;  // elements of q are multiples of its inverse
};

/// One block per sequence, values as wide as keys.
inline AttentionPlan contiguous(KvFormat format, int n_heads, int n_kv_heads, int head_dim,
                                const SequencePlan& sequence, int window = 0) {
  return {{format, KeyScales::kPerToken, KvValues::kOwnRows, n_kv_heads, sequence.kv_len + 3, head_dim, head_dim},
          n_heads,
          {sequence},
          {window, 0}};
}

/// What one head should produce for one query, and how far a variant may be from it.
struct ExpectedRow {
  std::vector<double> out;
  std::vector<double> tolerance;
};

/// A call and its inputs. Elements are multiples of 1/16, which bfloat16 holds exactly, unless the plan says otherwise. What no query may see is NaN:
/// blocks of no sequence, slots beyond kv_len, slots before a window.
class AttentionProblem {
 public:
  static constexpr int kGap = 7;  // rows of q are further apart than heads need; NaN between them

  explicit AttentionProblem(const AttentionPlan& plan)
      : plan_(plan), pool_(plan.layout, n_blocks(plan) + 1), q_(make_q(plan)), sequences_(plan.sequences.size()) {
    std::vector<int> blocks;
    for (const SequencePlan& s : plan.sequences) blocks.push_back(blocks_of(s));
    tables_ = scattered_tables(blocks);
    positions_.resize(sequences_.size());
    tails_.resize(sequences_.size());
    int row = 0;
    for (std::size_t i = 0; i < sequences_.size(); ++i) {
      fill(i);
      const SequencePlan& s = plan.sequences[i];
      sequences_[i] = {tables_[i], slots_of(s), positions_[i], tails_[i], s.q_len, s.kv_len - s.q_len, row};
      row += s.q_len;
    }
  }

  std::string name(std::string_view variant) const {
    const KvLayout& l = plan_.layout;
    const SequencePlan& s = plan_.sequences[0];
    return fmt::format(
        "{}, {} {}, block {}, {} sequences, q_len {}, kv_len {}, holes {}, heads {}/{}, dims {}/{}, window {}, sinks "
        "{}, "
        "softcap {}",
        variant, name_of(l.format), l.key_scales == KeyScales::kPerToken ? "" : "per channel", l.block_size,
        sequences_.size(), s.q_len, s.kv_len, s.holes, plan_.n_heads, l.n_kv_heads, l.head_dim, l.value_dim,
        plan_.mask.window, plan_.mask.n_sinks, plan_.softcap);
  }

  AttentionSizes sizes() const {
    AttentionSizes sizes{static_cast<int>(sequences_.size()),
                         0,
                         0,
                         plan_.n_heads,
                         plan_.layout.n_kv_heads,
                         plan_.layout.head_dim,
                         plan_.layout.value_dim};
    for (const KvSequence& s : sequences_) {
      sizes.q_len = std::max(sizes.q_len, s.q_len);
      sizes.kv_len = std::max(sizes.kv_len, s.kv_len);
    }
    return sizes;
  }

  AttentionCall call(std::span<float> out, std::span<float> states) const {
    return {plan_.n_heads, rule(), plan_.mask, q_.span(), q_stride(plan_), {pool_.view(), sequences_}, out, states};
  }
  int n_units() const { return attention_units(call({}, {})); }

  /// Every unit, cut into slices, then every merge, cut likewise.
  Guarded<float> run(const AttentionVariant& variant, int n_pieces = 1) const {
    Guarded<float> out(static_cast<std::size_t>(n_rows(plan_) * plan_.n_heads * plan_.layout.value_dim));
    Guarded<float> states(attention_state_floats(sizes())), scratch(variant.scratch_floats(sizes()));
    const AttentionCall work = call(out.span(), states.span());
    for (const Slice slice : cut(attention_units(work), n_pieces)) variant.run(work, scratch.span(), slice);
    for (const Slice slice : cut(combine_units(work), n_pieces)) combine_attention(work, slice);
    EXPECT_TRUE(scratch.guards_intact() && states.guards_intact() && out.guards_intact()) << name(variant.name);
    return out;
  }

  /// In the order of `out`; `arithmetic` is the variant's.
  std::vector<ExpectedRow> expected(DType arithmetic) const {
    std::vector<ExpectedRow> rows;
    for (const KvSequence& s : sequences_)
      for (int i = 0; i < s.q_len; ++i)
        for (int h = 0; h < plan_.n_heads; ++h) rows.push_back(expected_row(s, i, h, arithmetic));
    return rows;
  }

 private:
  static int slots_of(const SequencePlan& s) { return s.kv_len + s.holes; }
  int blocks_of(const SequencePlan& s) const {
    return (slots_of(s) + plan_.layout.block_size - 1) / plan_.layout.block_size;
  }
  int n_blocks(const AttentionPlan& plan) const {
    int n = 0;
    for (const SequencePlan& s : plan.sequences) n += blocks_of(s);
    return n;
  }
  static int n_rows(const AttentionPlan& plan) {
    int n = 0;
    for (const SequencePlan& s : plan.sequences) n += s.q_len;
    return n;
  }
  static int q_stride(const AttentionPlan& plan) { return plan.n_heads * plan.layout.head_dim + kGap; }

  static Guarded<float> gridded(std::size_t n, std::uint32_t seed, float grid = 16.0f) {
    Guarded<float> values = skewed<float>(n, seed);
    for (float& x : values.span()) x = std::nearbyint(x * grid) / grid;
    return values;
  }

  static Guarded<float> make_q(const AttentionPlan& plan) {
    Guarded<float> q = gridded(static_cast<std::size_t>(n_rows(plan) * q_stride(plan)), 1, plan.q_grid);
    for (std::size_t i = 0; i < q.size(); ++i)
      if (static_cast<int>(i) % q_stride(plan) >= plan.n_heads * plan.layout.head_dim) q[i] = kNan;
    return q;
  }

  ScoreRule rule() const {
    return {plan_.scale > 0.0f ? plan_.scale : 1.0f / std::sqrt(static_cast<float>(plan_.layout.head_dim)),
            plan_.softcap};
  }

  /// Position of each slot; every third slot is empty while there are holes left.
  std::vector<std::int32_t> scrambled(const SequencePlan& s) const {
    std::vector<std::int32_t> positions;
    int holes = s.holes;
    for (int i = 0; i < s.kv_len; ++i) {
      if (holes > 0 && i % 2 == 1) positions.push_back(-1), --holes;
      positions.push_back(i);
    }
    positions.insert(positions.end(), static_cast<std::size_t>(holes), -1);
    std::rotate(positions.begin(), positions.begin() + s.kv_len / 3, positions.end());
    return positions;
  }

  void fill(std::size_t i) {
    const KvLayout& l = plan_.layout;
    const SequencePlan& s = plan_.sequences[i];
    if (s.holes > 0) positions_[i] = scrambled(s);
    tails_[i].resize(tail_elements(l));
    const int first = s.holes > 0 || plan_.mask.window == 0 || plan_.mask.n_sinks > 0 || has_channel_scales(l)
                          ? 0
                          : std::max(0, s.kv_len - s.q_len + 1 - plan_.mask.window);
    const int width = l.n_kv_heads * std::max(l.head_dim, l.value_dim), n = slots_of(s) - first;
    const auto seed = static_cast<std::uint32_t>(2 + 2 * i);
    const Guarded<float> k = gridded(static_cast<std::size_t>(n * width), seed);
    const Guarded<float> v = gridded(static_cast<std::size_t>(n * width), seed + 1);
    store_kv({pool_.target(), tables_[i], tails_[i], first, {}}, k.span(), v.span(), width, n, {0, l.n_kv_heads});
  }

  ExpectedRow expected_row(const KvSequence& s, int query, int head, DType arithmetic) const;

  AttentionPlan plan_;
  PoolMemory pool_;
  Guarded<float> q_;
  std::vector<std::vector<std::int32_t>> tables_, positions_;
  std::vector<std::vector<BF16>> tails_;
  std::vector<KvSequence> sequences_;
};

/// One row of attention in double precision.
struct DoubleAttention {
  std::vector<double> out;
  double score_terms = 0.0;  // most that the magnitudes of one score's terms add up to
  double largest_value = 0.0;
  double spread = 0.0;  // sqrt(Σ p²) of the normalised weights
  int n_keys = 0;
};

enum class Rounding { kNone, kBF16 };

/// Rounding::kBF16: of q, keys and values, before they are multiplied.
inline DoubleAttention attend_in_double(const AttentionCall& call, const KvSequence& s, int query, int head,
                                        Rounding rounding) {
  const KvLayout& l = call.kv.pool.layout;
  const int kv_head = head / (call.n_heads / l.n_kv_heads), position = s.first_position + query;
  const float* q = &call.q[static_cast<std::size_t>((s.first_row + query) * call.q_stride + head * l.head_dim)];
  const auto rounded = [&](float x) -> double { return rounding == Rounding::kNone ? x : to_float(to_bf16(x)); };
  DoubleAttention result;
  std::vector<double> scores;
  std::vector<int> slots;
  for (int slot = 0; slot < s.kv_len; ++slot) {
    const int key = s.positions.empty() ? slot : s.positions[static_cast<std::size_t>(slot)];
    const bool in_window = call.mask.window == 0 || key > position - call.mask.window || key < call.mask.n_sinks;
    if (key < 0 || key > position || !in_window) continue;
    const cpu::KvRows row = cpu::key_rows(call.kv.pool, s, kv_head, slot, slot + 1);
    double score = 0.0, terms = 0.0;
    for (int c = 0; c < l.head_dim; ++c) {
      const double term = rounded(q[c]) * rounded(cpu::element_of(row, 0, c)) * call.rule.scale;
      score += term;
      terms += std::abs(term);
    }
    result.score_terms = std::max(result.score_terms, terms);
    scores.push_back(call.rule.softcap > 0.0f ? call.rule.softcap * std::tanh(score / call.rule.softcap) : score);
    slots.push_back(slot);
  }
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0.0, squares = 0.0;
  result.out.resize(static_cast<std::size_t>(l.value_dim));
  for (std::size_t j = 0; j < slots.size(); ++j) {
    const double weight = std::exp(scores[j] - largest);
    sum += weight;
    squares += weight * weight;
    const cpu::KvRows row = cpu::value_rows(call.kv.pool, s, kv_head, slots[j], slots[j] + 1);
    for (int c = 0; c < l.value_dim; ++c) {
      const double value = rounded(cpu::element_of(row, 0, c));
      result.out[static_cast<std::size_t>(c)] += weight * value;
      result.largest_value = std::max(result.largest_value, std::abs(value));
    }
  }
  for (double& value : result.out) value /= sum;
  result.spread = std::sqrt(squares) / sum;
  result.n_keys = static_cast<int>(slots.size());
  return result;
}

inline ExpectedRow AttentionProblem::expected_row(const KvSequence& s, int query, int head, DType arithmetic) const {
  const AttentionCall work = call({}, {});
  const DoubleAttention exact = attend_in_double(work, s, query, head, Rounding::kNone);
  // A score is off by about sqrt(head_dim) roundings of its terms; twice that, relative, is what a weight is off by. The
  // weights' own exponential and the two sums add a few epsilon, which grow with the root of their length.
  const double score_error = (4.0 + std::sqrt(plan_.layout.head_dim)) * kEpsilon * exact.score_terms;
  double tolerance = (2.0 * score_error + (8.0 + std::sqrt(exact.n_keys)) * kEpsilon) * exact.largest_value;
  ExpectedRow expected{exact.out, std::vector<double>(exact.out.size(), tolerance)};
  if (arithmetic != DType::kBF16) return expected;
  // Rounding q, K and V moves the result to another exact one; a kernel may multiply codes as they are and so lie
  // between. Weights are rounded each for itself, by up to 2^-9: four times their root-mean-square sum. The exponential
  // adds 1.1e-4 of the difference between values, half of which a common sign takes out.
  const DoubleAttention moved = attend_in_double(work, s, query, head, Rounding::kBF16);
  tolerance += (4.0 * 0x1p-9 / std::sqrt(3.0) * exact.spread + 1.2e-4) * exact.largest_value;
  for (std::size_t i = 0; i < exact.out.size(); ++i)
    expected.tolerance[i] = tolerance + 1.5 * std::abs(moved.out[i] - exact.out[i]);
  return expected;
}

inline void expect_right(const AttentionProblem& problem, const AttentionVariant& variant,
                         const std::vector<ExpectedRow>& rows) {
  const Guarded<float> out = problem.run(variant);
  const std::size_t width = rows[0].out.size();
  for (std::size_t i = 0; i < out.size(); ++i)
    ASSERT_NEAR(out[i], rows[i / width].out[i % width], rows[i / width].tolerance[i % width])
        << problem.name(variant.name) << "; row " << i / width << ", element " << i % width;
}

/// Every variant on every instruction set.
inline void expect_all_right(const AttentionPlan& plan) {
  const AttentionProblem problem(plan);
  const std::vector<ExpectedRow> exact = problem.expected(DType::kF32), rounded = problem.expected(DType::kBF16);
  for_each_build(attention_variants(), [&](const AttentionVariant& variant) {
    expect_right(problem, variant, variant.arithmetic == DType::kBF16 ? rounded : exact);
  });
}

}  // namespace dachlast::kernels::testing
