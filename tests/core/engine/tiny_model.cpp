#include "tests/core/engine/tiny_model.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <utility>

namespace dachlast {
namespace {

ModelSpec model_of(int n_layers, int n_heads, int n_kv_heads, int head_dim, int d_ff, int vocab_size) {
  AttentionSpec attention;
  attention.n_heads = n_heads;
  attention.n_kv_heads = n_kv_heads;
  attention.head_dim = head_dim;
  attention.scale = 1.0 / std::sqrt(head_dim);
  attention.rope = RopeSpec{.theta = 10000.0, .rotary_dim = head_dim, .scaling = {}};
  ModelSpec model;
  model.name = "tiny";
  model.d_model = n_heads * head_dim;
  model.vocab_size = vocab_size;
  model.max_context = 256;
  model.tied_embeddings = true;
  model.layers.assign(static_cast<std::size_t>(n_layers), LayerSpec{attention, MlpSpec{.d_ff = d_ff}});
  return model;
}

}  // namespace

ModelSpec tiny_model() {
  return model_of(2, 3, 1, 10, 37, 61);
}

ModelSpec wide_model() {
  return model_of(1, 6, 3, 34, 611, 3001);
}

ModelSpec deep_model() {
  ModelSpec model = wide_model();
  model.layers.assign(4, model.layers.front());
  return model;
}

TinyEngine::TinyEngine(ModelSpec model, EngineOptions engine_options)
    : spec(std::move(model)),
      options(std::move(engine_options)),
      weights(random_weights(spec, 7, options.weight_storage())),
      engine(spec, *weights, options) {}

EngineOptions options_for(int capacity) {
  EngineOptions options;
  options.capacity_tokens = capacity;
  return options;
}

EngineOptions options_for(int capacity, const std::string& kv) {
  EngineOptions options = options_for(capacity);
  options.kv = parse_kv_spec("--kv", kv);
  options.precision.kv.format = options.kv.format.value_or(KvFormat::kF32);
  options.kv_tier.scratch = std::filesystem::temp_directory_path();
  return options;
}

std::string test_name_of(std::string kv) {
  for (char& c : kv)
    if (c == ':' || c == '+' || c == ',' || c == '-') c = '_';
  return kv;
}

std::vector<std::int32_t> some_ids(int n, int vocab_size, int seed) {
  std::vector<std::int32_t> ids;
  std::uint32_t state = static_cast<std::uint32_t>(seed);
  for (int i = 0; i < n; ++i) {
    state = state * 1664525u + 1013904223u;  // Numerical Recipes' generator
    ids.push_back(static_cast<std::int32_t>((state >> 8) % static_cast<std::uint32_t>(vocab_size)));
  }
  return ids;
}

std::vector<float> logits_of_text(const ModelSpec& model, const EngineOptions& options) {
  TinyEngine tiny(model, options);
  const std::vector<std::int32_t> ids = some_ids(80, 61);
  std::vector<float> logits = copy_of(tiny.engine.prefill(std::span(ids).first(50)));
  for (std::size_t i = 50; i < ids.size(); ++i) {
    const auto step = tiny.engine.decode({&ids[i], 1});
    logits.insert(logits.end(), step.begin(), step.end());
  }
  return logits;
}

std::vector<float> copy_of(std::span<const float> values) {
  return {values.begin(), values.end()};
}

double distance(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return largest;
}

}  // namespace dachlast
