#include "core/engine/curve_probes.h"

#include <algorithm>
#include <cmath>

#include "core/model/weights.h"
#include "kernels/packed_linear.h"

namespace dachlast {
namespace {

constexpr double kProbeOverCache = 4.0;
constexpr double kProbeCacheFill = 0.7;  // of the last cache
constexpr double kUnknownCache = 32.0 * 1024 * 1024;
constexpr int kMostLayers = 128;
constexpr int kVocabulary = 8192;
constexpr int kMaxContext = 8192;

struct Width {
  int d_model;
  int n_heads;
  int n_kv_heads;
  int head_dim;
  int d_ff;
  NormKind norm;
  Gate gate;
  Activation activation = Activation::kSilu;
};
// A narrow one with layer norms and GELU as GPT-2 has, one for the smallest models, two with gates; heads of 32, 64 and 128,
// groups of 1, 2 and 7.
constexpr Width kNarrow = {320, 5, 5, 64, 1216, NormKind::kLayer, Gate::kNone, Activation::kGeluTanh};
constexpr Width kTiny = {96, 3, 3, 32, 264, NormKind::kRms, Gate::kGated};
constexpr Width kMiddle = {896, 14, 7, 64, 2496, NormKind::kRms, Gate::kGated};
constexpr Width kWide = {1792, 14, 2, 128, 4928, NormKind::kRms, Gate::kGated};

ModelSpec model_of(const Width& width, int n_layers) {
  AttentionSpec attention;
  attention.n_heads = width.n_heads;
  attention.n_kv_heads = width.n_kv_heads;
  attention.head_dim = width.head_dim;
  attention.scale = 1.0 / std::sqrt(width.head_dim);
  attention.rope = RopeSpec{.theta = 10000.0, .rotary_dim = width.head_dim, .scaling = {}};
  MlpSpec mlp{.d_ff = width.d_ff};
  mlp.gate = width.gate;
  mlp.activation = width.activation;
  ModelSpec model;
  model.name = "probe";
  model.d_model = width.d_model;
  model.vocab_size = kVocabulary;
  model.max_context = kMaxContext;
  model.tied_embeddings = true;
  model.norm.kind = width.norm;
  model.layers.assign(static_cast<std::size_t>(n_layers), LayerSpec{attention, mlp});
  return model;
}

double bytes_of(const Width& width, int n_layers, WeightType type) {
  return weight_bytes(model_of(width, n_layers), kernels::weight_storage(type));
}

/// Layers that fill `bytes`, at least one.
int layers_for(const Width& width, WeightType type, double bytes) {
  const double one = bytes_of(width, 2, type) - bytes_of(width, 1, type);
  const double head = bytes_of(width, 1, type) - one;
  return std::clamp(static_cast<int>(std::ceil((bytes - head) / one)), 1, kMostLayers);
}

KvFormat cache_of(WeightType type) {
  return type == DType::kF32 ? KvFormat::kF32 : KvFormat::kBF16;
}

void add_weights(const Width& width, WeightType type, double cache, std::vector<CurveProbe>& probes) {
  probes.push_back({.model = model_of(width, layers_for(width, type, kProbeOverCache * cache)),
                    .weights = type,
                    .kv = cache_of(type),
                    .batches = {1, 4, 8, 16},
                    .prompts = {16, 64, 256, 1024},
                    .contexts = {}});
}

void add_resident(const Width& width, WeightType type, double cache, std::vector<CurveProbe>& probes) {
  int layers = 6;
  while (layers > 1 && bytes_of(width, layers, type) > kProbeCacheFill * cache) --layers;
  if (bytes_of(width, layers, type) > kProbeCacheFill * cache) return;
  probes.push_back({.model = model_of(width, layers),
                    .weights = type,
                    .kv = cache_of(type),
                    .level = MemoryLevel::kL3,
                    .batches = {1, 4, 16},
                    .prompts = {16, 64, 256, 1024},
                    .contexts = {}});
}

/// Heads among projections whose weights push K and V out of the caches from step to step, as those of models do: a
/// short cache that stays there is read several times as fast.
void add_attention(const Width& heads, KvFormat format, double cache, std::vector<CurveProbe>& probes) {
  constexpr int kLayers = 10;
  constexpr double kEvicting = 2.0;  // weights, in last caches
  Width width = heads;
  while (bytes_of(width, kLayers, DType::kBF16) < kEvicting * cache) width.d_ff += 64;
  probes.push_back({.model = model_of(width, kLayers),
                    .weights = DType::kBF16,
                    .kv = format,
                    .batches = {},
                    .prompts = {96, 1536},
                    .contexts = {96, 640, 2048},
                    .context_batch = 4});
}

}  // namespace

double last_cache_bytes(const HostTopology& host) {
  double bytes = 0.0;
  for (const CacheLevel& cache : host.caches)
    if (cache.level >= 3) bytes = cache.size_bytes * cache.n_instances;
  return bytes;
}

std::vector<CurveProbe> curve_probes(const HostTopology& host) {
  const double known = last_cache_bytes(host);
  const double cache = known > 0.0 ? known : kUnknownCache;
  std::vector<CurveProbe> probes;
  for (const WeightType type : {WeightType(DType::kF32), WeightType(DType::kBF16), kInt8Rows, kInt4Groups32}) {
    for (const Width& width : {kNarrow, kMiddle, kWide}) add_weights(width, type, cache, probes);
    for (const Width& width : {kTiny, kNarrow})
      if (known > 0.0) add_resident(width, type, cache, probes);
  }
  for (const KvFormat format : {KvFormat::kF32, KvFormat::kBF16, KvFormat::kInt8, KvFormat::kInt4, KvFormat::kFp8})
    for (const Width& heads : {kNarrow, kMiddle, kWide}) add_attention(heads, format, cache, probes);
  return probes;
}

}  // namespace dachlast
