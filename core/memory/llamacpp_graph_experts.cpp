#include "core/memory/llamacpp_graph_builder.h"

namespace dachlast::llamacpp {

T GraphBuilder::gated(T gate, T up) {
  return ik() ? operation(extents(gate), {gate, up}) : graph_.in_place(graph_.in_place(gate), {up});
}

T GraphBuilder::mlp(T x, std::string_view gate, std::string_view up, std::string_view down, std::int64_t d_ff,
                    const GgufLayer& layer) {
  T y = T::kNone;
  if (layer.fused_gate) {
    const T both = matmul(up, x, 2 * d_ff);
    y = operation({d_ff, extents(x)[1], 1, 1}, {both});
  } else if (layer.gate == Gate::kGated) {
    const T u = matmul(up, x, d_ff);
    y = gated(matmul(gate, x, d_ff), u);
  } else {
    const T u = matmul(up, x, d_ff);
    y = graph_.in_place(layer.mlp_bias ? bias(u) : u);
  }
  y = matmul(down, y, shape_.d_model);
  return layer.mlp_bias ? bias(y) : y;
}

T GraphBuilder::route(T x, const GgufExperts& e, T& chosen) {
  const std::int64_t n = extents(x)[1];
  const T probabilities = graph_.in_place(matmul("ffn_gate_inp", x, e.n_experts));
  const T ranked = e.selection_bias ? bias(probabilities) : probabilities;
  chosen = strided(graph_.operation(GgmlKind::kOperation, named("I32"), {e.n_experts, n, 1, 1}, {ranked}),
                   {e.n_active, n, 1, 1});
  T w = graph_.operation(GgmlKind::kGather, {1, e.n_active, n, 1},
                         {reshape(probabilities, {1, e.n_experts, n, 1}), chosen});
  if (e.normalized) {
    w = reshape(w, {e.n_active, n, 1, 1});
    w = graph_.in_place(w, {operation({1, n, 1, 1}, {w})});
    w = reshape(w, {1, e.n_active, n, 1});
  }
  return e.scaled ? graph_.in_place(w) : w;
}

T GraphBuilder::sum_of_experts(T y, const GgufExperts& e) {
  const GgmlExtents one = {extents(y)[0], extents(y)[2], 1, 1};
  const auto part = [&] { return strided(y, one); };
  if (e.n_active == 1 || (ik() && e.n_active > 2)) return operation(one, {part()});
  T sum = graph_.in_place(part(), {part()});
  for (int i = 2; i < e.n_active; ++i) sum = graph_.in_place(sum, {part()});
  return sum;
}

T GraphBuilder::fused_up_gate(T x, T chosen, const GgufExperts& e) {
  const T up = weight("ffn_up_exps", {shape_.d_model, e.d_ff, e.n_experts, 1});
  const T gate = weight("ffn_gate_exps", {shape_.d_model, e.d_ff, e.n_experts, 1});
  const T y = graph_.operation(GgmlKind::kExpertsMatmul, {e.d_ff, e.n_active, extents(x)[2], 1}, {up, gate, x, chosen});
  graph_.node(y).n_active_experts = e.n_active;
  return y;
}

T GraphBuilder::experts(T x, const GgufLayer& layer) {
  const GgufExperts& e = *layer.experts;
  T chosen = kNone;
  const T weights = route(x, e, chosen);
  const T one = reshape(x, {shape_.d_model, 1, extents(x)[1], 1});
  T y = T::kNone;
  if (ik() && run_.fused_experts && layer.gate == Gate::kGated) {
    y = fused_up_gate(one, chosen, e);
  } else {
    const T up = experts_matmul("ffn_up_exps", one, chosen, e.d_ff, e);
    y = layer.gate == Gate::kGated ? gated(experts_matmul("ffn_gate_exps", one, chosen, e.d_ff, e), up)
                                   : graph_.in_place(up);
  }
  y = experts_matmul("ffn_down_exps", y, chosen, shape_.d_model, e);
  y = sum_of_experts(graph_.in_place(y, {weights}), e);
  if (e.shared_d_ff == 0) return y;
  return graph_.in_place(y, {mlp(x, "ffn_gate_shexp", "ffn_up_shexp", "ffn_down_shexp", e.shared_d_ff, layer)});
}

}  // namespace dachlast::llamacpp
