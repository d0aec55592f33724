// Published cache sizes and bytes per token, most of them computed by their authors: what each layer keeps.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/model/layer_cache.h"
#include "core/planner/row_formats.h"
#include "core/planner/row_scenario.h"
#include "core/planner/validation.h"

namespace dachlast {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Which layers and tokens a table counts.
struct Counting {
  bool growing_only = false;     // layers that keep every token
  bool full_length = false;      // windows count as if they kept every token
  bool keys_are_values = false;  // layers that project both at once cache one of them
  bool transposed_latent = false;
  bool one_layer = false;
  int align_bytes = 0;  // of one layer's token
};

Counting counting_of(const KvTableRow& row) {
  const std::string notes = lower_case(row.source.notes);
  const std::string model = lower_case(row.model);
  Counting counting;
  counting.growing_only = has(notes, "growing (full-attention) kv only");
  counting.full_length = has(notes, "all layers charged at full length") || has(notes, "no sliding-window saving");
  counting.keys_are_values = has(notes, "tied k=v");
  counting.transposed_latent = has(notes, "transposed copy") && !has(notes, "no transposed copy");
  counting.one_layer = has(model, "per layer") || has(notes, "per token per layer");
  counting.align_bytes = count_before(model, "-byte aligned").value_or(0);
  return counting;
}

class TokenCache {
 public:
  TokenCache(const ModelSpec& model, const CacheFormat& format, const Counting& counting)
      : model_(model), format_(format), counting_(counting) {}

  /// Of `context_tokens` tokens of one sequence, windows respected.
  double bytes(double context_tokens) const {
    double sum = 0.0;
    for (const LayerSpec& layer : model_.layers) {
      const LayerCache cache = layer_cache(layer);
      const bool windowed = cache.window > 0 && !counting_.full_length;
      if (windowed && counting_.growing_only) continue;
      const double tokens = windowed ? std::min<double>(context_tokens, cache.window) : context_tokens;
      const double layer_bytes = tokens * token_bytes(layer, cache);
      if (counting_.one_layer && layer_bytes > 0.0) return layer_bytes;
      sum += layer_bytes;
    }
    return sum;
  }

 private:
  double token_bytes(const LayerSpec& layer, const LayerCache& cache) const {
    double elements = cache.elements_per_token();
    const auto* attention = std::get_if<AttentionSpec>(&layer.mixer);
    const auto* latent = std::get_if<MlaSpec>(&layer.mixer);
    if (counting_.keys_are_values && attention != nullptr && attention->k_is_v) elements -= cache.v_elements_per_token;
    if (counting_.transposed_latent && latent != nullptr) elements += latent->kv_lora_rank;
    const double bytes = elements * format_.bits / 8;
    const double step = counting_.align_bytes;
    return step > 0.0 ? std::ceil(bytes / step) * step : bytes;
  }

  const ModelSpec& model_;
  const CacheFormat& format_;
  const Counting& counting_;
};

void check(const KvTableRow& row, RowCatalog& catalog, Validation& validation) {
  const auto skip = [&](std::string reason) {
    validation.skipped.push_back({row.source.id, "all", std::move(reason)});
  };
  const KnownModel* known = catalog.model(row.model);
  if (known == nullptr) return skip(fmt::format("no known config is of \"{}\"", row.model));
  const auto format = row_cache(row.dtype);
  if (!format) return skip(fmt::format("the cache type \"{}\" is not known", row.dtype));
  ModelSpec model = known->spec;
  if (const auto heads = count_before(lower_case(row.model), "kv heads")) set_kv_heads(model, *heads);
  const Counting counting = counting_of(row);
  const TokenCache cache(model, *format, counting);
  if (row.kv_bytes_per_token)
    validation.add({row.source.id, "kv_bytes_per_token", "B", cache.bytes(1), *row.kv_bytes_per_token});
  if (row.kv_gib && row.context_tokens)
    validation.add(
        {row.source.id, "kv_bytes", "GiB",
         cache.bytes(static_cast<double>(*row.context_tokens)) * static_cast<double>(row.batch.value_or(1)) / kGiB,
         *row.kv_gib});
  if (!row.kv_bytes_per_token && !row.kv_gib) skip("it states no figure");
}

}  // namespace

Validation validate_kv_tables(std::span<const KvTableRow> rows, RowCatalog& catalog) {
  return validate_each(rows, [&](const KvTableRow& row, Validation& validation) { check(row, catalog, validation); });
}

}  // namespace dachlast
