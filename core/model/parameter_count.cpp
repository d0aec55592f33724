#include "core/base/dtype.h"
#include "core/model/weights.h"

namespace dachlast {
namespace {

/// Parameters by how they are kept: matrices in the precision asked for, vectors (norms, biases) always as floats.
struct Count {
  double matrix = 0;
  double vector = 0;

  Count& operator+=(const Count& other) {
    matrix += other.matrix;
    vector += other.vector;
    return *this;
  }
};

Count linear(double n, double k, bool bias) {
  return {n * k, bias ? n : 0.0};
}

/// RMSNorm keeps a weight, LayerNorm a weight and a bias.
Count norm(const ModelSpec& model) {
  return {0, model.d_model * (model.norm.kind == NormKind::kLayer ? 2.0 : 1.0)};
}

Count attention(const ModelSpec& model, const AttentionSpec& a) {
  const double qkv_rows = (a.n_heads + 2.0 * a.n_kv_heads) * a.head_dim;
  Count sum = linear(qkv_rows, model.d_model, a.qkv_bias);
  sum += linear(model.d_model, 1.0 * a.n_heads * a.head_dim, a.o_bias);
  if (a.qk_norm) sum.vector += 2.0 * a.head_dim;
  return sum;
}

Count mlp(const ModelSpec& model, const MlpSpec& m) {
  const double up_rows = (m.gate == Gate::kGated ? 2.0 : 1.0) * m.d_ff;
  Count sum = linear(up_rows, model.d_model, m.bias);
  sum += linear(model.d_model, m.d_ff, m.bias);
  return sum;
}

int norms_per_layer(BlockWiring wiring) {
  switch (wiring) {
    case BlockWiring::kParallel: return 1;
    case BlockWiring::kSequential:
    case BlockWiring::kPostNorm: return 2;
    case BlockWiring::kSandwich: return 4;
  }
  return 0;
}

Count count(const ModelSpec& model) {
  Count sum = linear(model.vocab_size, model.d_model, false);
  sum += linear(model.n_learned_positions, model.d_model, false);
  for (const LayerSpec& layer : model.layers) {
    sum += attention(model, layer.attention);
    sum += mlp(model, layer.mlp);
    for (int i = 0; i < norms_per_layer(model.wiring); ++i) sum += norm(model);
  }
  if (model.final_norm) sum += norm(model);
  if (!model.tied_embeddings) sum += linear(model.vocab_size, model.d_model, false);
  if (model.lm_head_bias) sum.vector += model.vocab_size;
  return sum;
}

}  // namespace

double parameter_count(const ModelSpec& model) {
  const Count sum = count(model);
  return sum.matrix + sum.vector;
}

double weight_bytes(const ModelSpec& model, DType precision) {
  const Count sum = count(model);
  return sum.matrix * size_of(precision) + sum.vector * size_of(DType::kF32);
}

}  // namespace dachlast
