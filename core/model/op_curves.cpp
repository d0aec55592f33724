#include "core/model/op_curves.h"

#include <algorithm>
#include <variant>

#include "core/base/overloaded.h"

namespace dachlast {
namespace {

void take(const EmbedShape& s, OpFeatures& f) {
  f.n = 1.0 * s.n_tokens * s.d_model;
}

void take(const NormShape& s, OpFeatures& f) {
  f.type = s.kind == NormKind::kRms ? "rms" : "layer";
  f.n = 1.0 * s.n_rows * s.dim;
}

void take(const LinearShape& s, OpFeatures& f) {
  f.type = name_of(s.weight_dtype);
  f.rows = s.m;
  f.n = s.n;
  f.k = s.k;
}

void take(const RopeShape& s, OpFeatures& f) {
  f.n = 1.0 * s.n_tokens * s.n_heads * s.rotary_dim;
}

void take(const KvWriteShape& s, OpFeatures& f) {
  f.type = name_of(s.kv.format);
  f.n = 2.0 * s.n_tokens * s.n_kv_heads * s.head_dim;
}

void take(const AttentionShape& s, OpFeatures& f) {
  f.type = name_of(s.kv.format);
  f.rows = s.q_len;
  f.n = s.window > 0 ? std::min(s.kv_len, s.window + s.n_sink_tokens) : s.kv_len;
  f.k = s.head_dim;
  f.heads = 1.0 * s.batch_size * s.n_heads;
  f.kv_heads = 1.0 * s.batch_size * s.n_kv_heads;
}

void take(const ActivationShape& s, OpFeatures& f) {
  f.type = s.gate == Gate::kGated ? "gated" : "plain";
  f.n = 1.0 * s.n_tokens * s.d_ff;
}

void take(const ResidualShape& s, OpFeatures& f) {
  f.n = 1.0 * s.n_tokens * s.d_model;
}

void take(const SampleShape& s, OpFeatures& f) {
  f.n = 1.0 * s.n_rows * s.vocab_size;
}

}  // namespace

OpFeatures features_of(const Op& op, const OpCost& cost) {
  OpFeatures features;
  features.op = op.kind;
  features.flops = cost.flops.value;
  features.bytes = cost.weight_bytes.value + cost.kv_read_bytes.value;
  std::visit(Overloaded{[&](const auto& shape) {
               if constexpr (requires { take(shape, features); }) take(shape, features);
             }},
             op.shape);
  return features;
}

}  // namespace dachlast
