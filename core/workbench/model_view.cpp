#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "core/memory/memory_model.h"
#include "core/model/layer_cache.h"
#include "core/model/weights.h"
#include "core/viewmodel/format.h"
#include "core/workbench/plan_view.h"

namespace dachlast {
namespace {

using viewmodel::format_count;
using viewmodel::Table;

void add_row(Table& table, std::string field, std::string value) {
  table.rows.push_back({viewmodel::text_cell(std::move(field)), viewmodel::text_cell(std::move(value))});
}

// -------- one line per kind of mixer and feed-forward

struct MixerText {
  std::string operator()(const AttentionSpec& a) const {
    const std::string width = a.value_dim() == a.head_dim ? std::to_string(a.head_dim)
                                                          : fmt::format("{} (values {})", a.head_dim, a.value_dim());
    return fmt::format("{} heads, {} KV heads, head_dim {}{}", a.n_heads, a.n_kv_heads, width,
                       a.shares_kv_with ? ", cache of an earlier layer" : "");
  }
  std::string operator()(const MlaSpec& a) const {
    return fmt::format("{} heads, latent of {} + {}{}", a.n_heads, a.kv_lora_rank, a.qk_rope_head_dim,
                       a.indexer ? fmt::format(", index keys of {}", a.indexer->head_dim) : "");
  }
  std::string operator()(const GatedDeltaNetSpec& d) const {
    return fmt::format("linear attention, {} heads, state {} × {}", d.n_v_heads, d.k_head_dim, d.v_head_dim);
  }
  std::string operator()(const Mamba1Spec& m) const {
    return fmt::format("Mamba, {} channels, state {}", m.d_inner, m.d_state);
  }
  std::string operator()(const Mamba2Spec& m) const {
    return fmt::format("Mamba 2, {} heads, state {} × {}", m.n_heads, m.head_dim, m.d_state);
  }
  std::string operator()(const LinearMixer&) const { return "one projection"; }
  std::string operator()(const NoMixer&) const { return "none"; }
};

struct FeedForwardText {
  std::string operator()(const MlpSpec& mlp) const { return format_count(mlp.d_ff); }
  std::string operator()(const MoeSpec& moe) const {
    return fmt::format("{} of {} experts of {}{}", moe.n_active, moe.n_experts, format_count(moe.d_ff),
                       moe.shared_d_ff > 0 ? fmt::format(", shared {}", format_count(moe.shared_d_ff)) : "");
  }
  std::string operator()(const NoFeedForward&) const { return "none"; }
};

/// The same text once, with how many layers it holds for where they differ: "36 × …; 12 × …".
template <class Text>
std::string by_layers(const ModelSpec& spec, Text text_of) {
  std::vector<std::pair<std::string, int>> groups;
  for (const LayerSpec& layer : spec.layers) {
    const std::string text = text_of(layer);
    const auto same = std::ranges::find(groups, text, &std::pair<std::string, int>::first);
    if (same == groups.end())
      groups.emplace_back(text, 1);
    else
      ++same->second;
  }
  if (groups.size() == 1) return groups.front().first;
  std::string joined;
  for (const auto& [text, n] : groups) joined += fmt::format("{}{} × {}", joined.empty() ? "" : "; ", n, text);
  return joined;
}

std::string attention_text(const ModelSpec& spec) {
  return by_layers(spec, [](const LayerSpec& layer) { return std::visit(MixerText{}, layer.mixer); });
}

std::string feed_forward_text(const ModelSpec& spec) {
  return by_layers(spec, [](const LayerSpec& layer) { return std::visit(FeedForwardText{}, layer.feed_forward); });
}

std::string window_text(const ModelSpec& spec) {
  int n_windowed = 0;
  int window = 0;
  for (const LayerSpec& layer : spec.layers)
    if (const LayerCache cache = layer_cache(layer); cache.window > 0) {
      ++n_windowed;
      window = cache.window;
    }
  return n_windowed == 0 ? std::string("none")
                         : fmt::format("{} of {} layers, {} tokens", n_windowed, spec.n_layers(), format_count(window));
}

double state_elements(const ModelSpec& spec) {
  double elements = 0.0;
  for (const LayerSpec& layer : spec.layers) elements += layer_cache(layer).state_elements();
  return elements;
}

void add_parameters(Table& table, const ModelSpec& spec) {
  const double all = parameter_count(spec);
  const double active = active_parameter_count(spec);
  const double extra = extra_parameter_count(spec);
  add_row(table, "parameters", viewmodel::format_parameters(all));
  if (active < all) add_row(table, "active parameters", viewmodel::format_parameters(active));
  if (extra > 0.0) add_row(table, "beside the text model", viewmodel::format_parameters(extra));
}

}  // namespace

Table model_table(const ModelSource& source) {
  const ModelSpec& spec = source.spec;
  Table table{.id = "fields", .title = spec.name, .columns = {}, .rows = {}, .notes = {}};
  for (const auto& [key, title] : {std::pair{"field", "Field"}, std::pair{"value", "Value"}})
    table.columns.push_back(
        {.key = key, .title = title, .unit = {}, .description = {}, .align = viewmodel::Align::kLeft});
  add_row(table, "architecture", spec.architecture);
  add_parameters(table, spec);
  add_row(table, "layers", format_count(spec.n_layers()));
  add_row(table, "d_model", format_count(spec.d_model));
  add_row(table, "attention", attention_text(spec));
  add_row(table, "sliding window", window_text(spec));
  add_row(table, "d_ff", feed_forward_text(spec));
  add_row(table, "vocabulary", format_count(spec.vocab_size));
  add_row(table, "context limit", fmt::format("{} tokens", format_count(spec.max_context)));
  add_row(table, "published in", std::string(display_name_of(spec.native_dtype)));
  add_row(table, "KV cache", kv_formula(spec, spec.native_dtype));
  if (const double state = state_elements(spec); state > 0.0)
    add_row(table, "state", fmt::format("{} elements per sequence", format_count(static_cast<std::int64_t>(state))));
  add_row(table, "weights here",
          source.weights_path ? source.weights_path->filename().string()
                              : missing_kernels(spec).value_or("none: runs with random ones"));
  for (const auto& warning : source.warnings) table.notes.push_back(warning.text);
  return table;
}

}  // namespace dachlast
