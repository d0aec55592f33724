#include "core/engine/rope_tables.h"

#include <algorithm>
#include <cmath>

#include "core/model/rope.h"

namespace dachlast {
namespace {

/// What a table depends on.
struct Angles {
  std::vector<double> inverse_frequencies;  // radians per token
  double factor;                            // multiplies cos and sin
  friend bool operator==(const Angles&, const Angles&) = default;
};

struct DistinctAngles {
  std::vector<Angles> angles;
  std::vector<int> of_layer;  // -1 where a layer has no RoPE
};

DistinctAngles distinct_angles(const ModelSpec& model, int capacity_tokens) {
  DistinctAngles result;
  for (const LayerSpec& layer : model.layers) {
    const RopeSpec* rope = rope_of(layer);
    if (rope == nullptr) {
      result.of_layer.push_back(-1);
      continue;
    }
    const Angles angles{rope_inverse_frequencies(*rope, capacity_tokens), rope_attention_factor(*rope)};
    const auto known = std::find(result.angles.begin(), result.angles.end(), angles);
    result.of_layer.push_back(static_cast<int>(known - result.angles.begin()));
    if (known == result.angles.end()) result.angles.push_back(angles);
  }
  return result;
}

double half_table_bytes(const Angles& angles, int capacity_tokens) {
  return AlignedBuffer::padded_bytes(static_cast<double>(angles.inverse_frequencies.size()) * capacity_tokens *
                                     sizeof(float));
}

double total_bytes(const DistinctAngles& distinct, int capacity_tokens) {
  double bytes = 0.0;
  for (const Angles& angles : distinct.angles) bytes += 2.0 * half_table_bytes(angles, capacity_tokens);
  return bytes;
}

void fill(const Angles& angles, int capacity_tokens, std::span<float> cos, std::span<float> sin) {
  std::size_t i = 0;
  for (int position = 0; position < capacity_tokens; ++position)
    for (const double frequency : angles.inverse_frequencies) {
      cos[i] = static_cast<float>(angles.factor * std::cos(position * frequency));
      sin[i] = static_cast<float>(angles.factor * std::sin(position * frequency));
      ++i;
    }
}

}  // namespace

RopeTables::Table RopeTables::Table::from(int first_position) const {
  const std::size_t skipped = static_cast<std::size_t>(first_position) * static_cast<std::size_t>(n_pairs);
  return {cos.subspan(skipped), sin.subspan(skipped), n_pairs};
}

double RopeTables::bytes_for(const ModelSpec& model, int capacity_tokens) {
  return total_bytes(distinct_angles(model, capacity_tokens), capacity_tokens);
}

RopeTables::RopeTables(const ModelSpec& model, int capacity_tokens) {
  DistinctAngles distinct = distinct_angles(model, capacity_tokens);
  memory_ = AlignedBuffer(total_bytes(distinct, capacity_tokens), "RoPE tables");
  std::span<float> rest = memory_.as<float>();
  for (const Angles& angles : distinct.angles) {
    const auto half = static_cast<std::size_t>(half_table_bytes(angles, capacity_tokens)) / sizeof(float);
    const std::size_t used = angles.inverse_frequencies.size() * static_cast<std::size_t>(capacity_tokens);
    fill(angles, capacity_tokens, rest.first(used), rest.subspan(half, used));
    tables_.push_back(
        {rest.first(used), rest.subspan(half, used), static_cast<int>(angles.inverse_frequencies.size())});
    rest = rest.subspan(2 * half);
  }
  table_of_layer_ = std::move(distinct.of_layer);
}

}  // namespace dachlast
