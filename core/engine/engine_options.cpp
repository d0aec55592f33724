#include "core/engine/engine_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/engine/engine_device.h"
#include "core/engine/latent_form.h"
#include "kernels/attention.h"
#include "kernels/linear.h"
#include "kernels/packed_linear.h"

namespace dachlast {
namespace {

void require_at_least(const char* subject, int value, int least) {
  if (value >= least) return;
  throw Error(ErrorKind::kUsage, subject, fmt::format("It must be at least {}, not {}.", least, value));
}

void require_f32_or_bf16(const char* subject, DType dtype) {
  if (dtype == DType::kF32 || dtype == DType::kBF16) return;
  throw Error(ErrorKind::kUsage, subject, fmt::format("The CPU engine does not run {}.", display_name_of(dtype)),
              "Use f32 or bf16.");
}

/// A forced variant must exist and run here; the kernels' own choice falls back to the reference. `takes` says whether
/// a variant handles the precision asked for: a name may stand in the list once per weight type.
template <class Variants, class Takes>
void require_variant(const char* subject, const Variants& variants, const std::string& name, Takes takes) {
  if (name.empty()) return;
  std::vector<std::string_view> known;
  bool runs_here = false;
  for (const auto& variant : variants) {
    if (variant.name == name && variant.supported() && takes(variant)) return;
    if (std::find(known.begin(), known.end(), variant.name) == known.end()) known.push_back(variant.name);
    runs_here = runs_here || (variant.name == name && variant.supported());
  }
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw Error(ErrorKind::kUsage, subject, fmt::format("There is no variant '{}'.", name),
                fmt::format("Known ones: {}.", fmt::join(known, ", ")));
  if (runs_here)
    throw Error(ErrorKind::kUsage, subject, fmt::format("Variant '{}' does not take weights of this type.", name),
                "Leave the choice to the program.");
  throw Error(ErrorKind::kDevice, subject, fmt::format("This CPU lacks the instructions of variant '{}'.", name),
              "Leave the choice to the program.");
}

/// Panels are cut at whole ones only.
void require_what_if(const ModelSpec& model, const EngineOptions& options) {
  const int from = options.what_if.swiftkv_from;
  if (from == 0 || options.weight_storage().layout == WeightLayout::kRows) return;
  for (const LayerSpec& layer : model.layers)
    if (const auto* a = std::get_if<AttentionSpec>(&layer.mixer);
        a != nullptr && a->n_heads * a->head_dim % kPanelRows != 0)
      throw Error(ErrorKind::kUsage, "what-if",
                  fmt::format("{} rows of queries do not fill panels of {}.", a->n_heads * a->head_dim, kPanelRows),
                  "Run it with --dtype f32.");
}

void require_cache(const EngineOptions& options) {
  if (options.what_if.any() && options.kv.staged())
    throw Error(
        ErrorKind::kUsage, "what-if",
        fmt::format("{} runs with caches at hand only, not with {}.", text_of(options.what_if), text_of(options.kv)),
        "Use another --kv.");
  require_at_least("blocks", options.kv_blocks, 0);
  if (options.kv.layout == KvPolicy::kNone)
    throw Error(ErrorKind::kUsage, "KV cache", "The engine needs one.", "Name a kind, as in paged:16.");
  if (options.kv.format && *options.kv.format != options.precision.kv.format)
    throw Error(ErrorKind::kUsage, "KV cache",
                fmt::format("It is to be {} and to hold {} elements.", text_of(options.kv),
                            display_name_of(options.precision.kv.format)),
                "Name one format.");
}

void require_known(const char* subject, std::span<const std::string_view> known, const std::string& name) {
  if (name.empty() || std::ranges::find(known, name) != known.end()) return;
  throw Error(ErrorKind::kUsage, subject, fmt::format("There is no variant '{}' for GPUs.", name),
              fmt::format("Known ones: {}.", fmt::join(known, ", ")));
}

/// Rows behind each other begin on whole vectors of the products that write them, and fit the tiles of the kernel.
void require_latents_for_device(const ModelSpec& model) {
  for (const LayerSpec& layer : model.layers) {
    const auto* a = std::get_if<MlaSpec>(&layer.mixer);
    if (a != nullptr && a->q_lora_rank % 4 != 0)
      throw Error(ErrorKind::kUsage, model.name,
                  fmt::format("Latents of queries {} wide are no whole vectors of four on a GPU.", a->q_lora_rank),
                  "Leave the GPU out; planning for it works.");
  }
}

void require_device(const ModelSpec& model, const EngineOptions& options) {
  require_latents_for_device(model);
  require_known("attention variant", options.device->attention_variants(), options.attention_variant);
  require_known("linear variant", options.device->linear_variants(), options.linear_variant);
}

}  // namespace

void validate(const ModelSpec& model, const EngineOptions& options) {
  if (const auto missing = missing_kernels(model))
    throw Error(ErrorKind::kUsage, model.name, *missing + ".", "`plan` and `models show` work.");
  require_at_least("threads", options.n_threads, 1);
  require_at_least("batch size", options.batch_size, 1);
  require_at_least("context", options.capacity_tokens, 1);
  require_at_least("tokens per step", options.max_step_tokens, 0);
  if (options.capacity_tokens > model.max_context)
    throw Error(ErrorKind::kUsage, "context",
                fmt::format("{} tokens are asked for and {} was trained for {}.", options.capacity_tokens, model.name,
                            model.max_context),
                fmt::format("Use {} or fewer.", model.max_context));
  if (!options.precision.weights.quantized()) require_f32_or_bf16("weights", options.precision.weights.plain().value());
  if (options.weight_layout == WeightLayout::kPanels && options.precision.weights == DType::kF32)
    throw Error(ErrorKind::kUsage, "weights", "f32 is not kept in panels.", "Leave them in rows.");
  require_cache(options);
  require_what_if(model, options);
  if (options.device) return require_device(model, options);
  require_variant("attention variant", kernels::attention_variants(), options.attention_variant,
                  [](const kernels::AttentionVariant&) { return true; });
  const auto takes = [&](const auto& variant) { return variant.takes(options.precision.weights); };
  if (options.weight_storage().layout == WeightLayout::kPanels)
    require_variant("linear variant", kernels::packed_linear_variants(), options.linear_variant, takes);
  else
    require_variant("linear variant", kernels::linear_variants(), options.linear_variant, takes);
}

}  // namespace dachlast
