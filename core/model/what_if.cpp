#include "core/model/what_if.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "core/base/error.h"

namespace dachlast {
namespace {

constexpr std::string_view kShared = "shared-layers:";
constexpr std::string_view kShortcut = "swiftkv:";

int count_behind(std::string_view text, std::string_view name) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + name.size(), end, value);
  return error == std::errc{} && stop == end ? value : 0;
}

Error cannot(const WhatIf& what_if, const ModelSpec& model, std::string reason, std::string way_out) {
  return {ErrorKind::kUsage, fmt::format("--what-if {} of {}", text_of(what_if), model.name), std::move(reason),
          std::move(way_out)};
}

bool same_cache(const AttentionSpec& a, const AttentionSpec& b) {
  return a.n_kv_heads == b.n_kv_heads && a.head_dim == b.head_dim && a.value_dim() == b.value_dim() &&
         a.window == b.window;
}

void share_layers(ModelSpec& model, const WhatIf& what_if) {
  for (int i = 0; i < model.n_layers(); ++i) {
    const int first = i - i % what_if.shared_layers;
    if (i == first) continue;
    AttentionSpec& own = attention_of(model.layers[static_cast<std::size_t>(i)]);
    if (!same_cache(own, attention_of(model.layers[static_cast<std::size_t>(first)])))
      throw cannot(what_if, model, fmt::format("Layers {} and {} differ in KV heads or window.", first, i),
                   "Choose groups of equal layers.");
    own.shares_kv_with = first;
  }
}

/// What is left of a layer of which a prefill needs only K and V.
bool fills_the_cache(const Op& op) {
  switch (op.kind) {
    case OpKind::kNorm: return op.weight == WeightRole::kInputNorm && op.out == Buffer::kNormed;
    case OpKind::kQkvProj:
    case OpKind::kQkNorm:
    case OpKind::kRope:
    case OpKind::kKvWrite: return true;
    default: return false;
  }
}

/// The same operation without query heads.
void drop_queries(const AttentionSpec& a, Op& op) {
  if (auto* linear = std::get_if<LinearShape>(&op.shape)) linear->n = a.n_kv_heads * (a.head_dim + a.value_dim());
  if (auto* rope = std::get_if<RopeShape>(&op.shape)) rope->n_heads = a.n_kv_heads;
  if (auto* norm = std::get_if<NormShape>(&op.shape); norm != nullptr && op.kind == OpKind::kQkNorm)
    norm->n_rows = norm->n_rows / (a.n_heads + a.n_kv_heads) * a.n_kv_heads;
}

}  // namespace

WhatIf parse_what_if(std::string_view option, std::string_view text) {
  WhatIf what_if;
  if (text.starts_with(kShared)) what_if.shared_layers = count_behind(text, kShared);
  if (text.starts_with(kShortcut)) what_if.swiftkv_from = count_behind(text, kShortcut);
  if (what_if.shared_layers >= 2 || what_if.swiftkv_from >= 1) return what_if;
  throw Error(
      ErrorKind::kUsage, fmt::format("{} {}", option, text), "not a what-if of this program.",
      "Use shared-layers:K (K layers, 2 or more, share one cache) or swiftkv:L (layers from L on, 1 or more, take K "
      "and V from its input).");
}

std::string text_of(const WhatIf& what_if) {
  if (what_if.shared_layers > 0) return fmt::format("{}{}", kShared, what_if.shared_layers);
  if (what_if.swiftkv_from > 0) return fmt::format("{}{}", kShortcut, what_if.swiftkv_from);
  return {};
}

ModelSpec with_what_if(ModelSpec model, const WhatIf& what_if) {
  const int n_layers = model.n_layers();
  if (what_if.shared_layers > n_layers || what_if.swiftkv_from >= n_layers)
    throw cannot(what_if, model, fmt::format("It has {} layers.", n_layers), "Name fewer.");
  const auto plain = [](const LayerSpec& layer) { return std::holds_alternative<AttentionSpec>(layer.mixer); };
  if (what_if.any() && !std::ranges::all_of(model.layers, plain))
    throw cannot(what_if, model, "Not all of its layers have a cache of K and V heads.",
                 "Take a model with plain attention.");
  if (what_if.shared_layers > 0) share_layers(model, what_if);
  return model;
}

void shape_shared_attention(const ModelSpec& model, const Step& step, const Precision& precision,
                            std::vector<Op>& ops) {
  for (Op& op : ops) {
    if (op.kind != OpKind::kAttention || !std::holds_alternative<WideAttentionShape>(op.shape)) continue;
    const AttentionSpec& a = attention_of(model.layers[static_cast<std::size_t>(op.layer)]);
    op.shape = AttentionShape{step.batch_size, step.q_len, step.kv_len,  a.n_heads,       a.n_kv_heads,
                              a.head_dim,      a.window,   precision.kv, a.n_sink_tokens, step.sequences};
  }
}

void take_shortcut(const ModelSpec& model, const WhatIf& what_if, std::vector<Op>& ops) {
  std::erase_if(ops, [&](const Op& op) {
    if (op.layer < 0) return op.kind != OpKind::kEmbed && op.weight != WeightRole::kEmbeddingNorm;
    return op.layer >= what_if.swiftkv_from && !fills_the_cache(op);
  });
  for (Op& op : ops)
    if (op.layer >= what_if.swiftkv_from)
      drop_queries(attention_of(model.layers[static_cast<std::size_t>(op.layer)]), op);
}

}  // namespace dachlast
