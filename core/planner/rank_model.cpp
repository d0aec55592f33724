#include "core/planner/rank_model.h"

#include <algorithm>
#include <variant>

namespace dachlast {
namespace {

/// The larger share of `whole` where it does not divide.
int share(int whole, int ranks) {
  return (whole + ranks - 1) / ranks;
}

struct CutMixer {
  int ranks;

  void operator()(AttentionSpec& a) const {
    a.n_heads = share(a.n_heads, ranks);
    a.n_kv_heads = std::max(a.n_kv_heads / ranks, 1);
  }
  void operator()(MlaSpec& a) const { a.n_heads = share(a.n_heads, ranks); }
  void operator()(GatedDeltaNetSpec& d) const {
    d.n_k_heads = share(d.n_k_heads, ranks);
    d.n_v_heads = share(d.n_v_heads, ranks);
  }
  void operator()(Mamba1Spec& m) const { m.d_inner = share(m.d_inner, ranks); }
  void operator()(Mamba2Spec& m) const {
    m.n_heads = share(m.n_heads, ranks);
    m.n_groups = share(m.n_groups, ranks);
  }
  void operator()(LinearMixer&) const {}
  void operator()(NoMixer&) const {}
};

struct CutFeedForward {
  const Layout& layout;

  void operator()(MlpSpec& m) const { m.d_ff = share(m.d_ff, layout.tensor_parallel); }
  void operator()(MoeSpec& m) const {
    if (layout.experts == ExpertPlacement::kSliced) m.d_ff = share(m.d_ff, layout.n_expert_ranks());
    m.shared_d_ff = share(m.shared_d_ff, layout.tensor_parallel);
  }
  void operator()(NoFeedForward&) const {}
};

}  // namespace

ModelSpec rank_model(const ModelSpec& model, const Layout& layout) {
  ModelSpec cut = model;
  for (LayerSpec& layer : cut.layers) {
    std::visit(CutMixer{layout.tensor_parallel}, layer.mixer);
    std::visit(CutFeedForward{layout}, layer.feed_forward);
  }
  return cut;
}

}  // namespace dachlast
