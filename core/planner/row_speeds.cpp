// Rows of measured speeds as scenarios: which model, types, device, layout and engine they mean.
#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

#include "core/model/gguf_mix.h"
#include "core/planner/row_scenario.h"

namespace dachlast {
namespace {

/// gpustack's tables name the type of a case in its heading; their model stays the one that is quantized while loading. Further
/// down the notes repeat the last heading of that kind, whatever the section: it speaks in sections on quantization alone.
bool is_fp8_section(const ThroughputRow& row) {
  return has(row.source.notes, "Quantization") && has(row.source.notes, "/ \"FP8\"");
}

/// Layers are spread over GPUs by llama.cpp, matrices by the servers.
Layout layout_of(const ThroughputRow& row, const EngineProfile& engine) {
  Layout layout;
  const int n_gpus = std::max(1, row.n_gpus.value_or(1));
  if (engine.id == "llama.cpp") {
    layout.pipeline_parallel = n_gpus;
    return layout;
  }
  layout.tensor_parallel = row.tp.value_or(row.pp ? 1 : n_gpus);
  layout.pipeline_parallel = row.pp.value_or(1);
  return layout;
}

/// Whether a table multiplies the cuts of experts into the other ranks.
enum class RanksStated : std::uint8_t { kPlain, kMultiplied };

/// Ranks as a serving row states them. Where experts are cut both ways, tables of the source multiply the two into the tensor
/// parallelism, or into the groups: the larger cut is the one that was run. Where whole experts are cut alone, others count the
/// same ranks twice, as tensor ranks and as groups: tp 4 with 4 groups and 16 expert ranks was run as tp 4, ep 4 without groups.
/// The source's own runs state plain ranks: TensorRT-LLM asks that the two multiply to the tensor parallelism.
/// Source   the data's own notes: rows of tp 16 and 64 on servers of 8 devices repeat rows of tp 4 and 8;
///          SemiAnalysisAI/InferenceX:.github/configs/nvidia-master.yaml of 2026-04-06 and 2026-04-18 (kimik2.5-fp4-b200-vllm,
///          minimaxm2.5-fp8-h100-vllm, minimaxm2.5-fp4-b300-vllm: tp 4, ep 4, no dp-attn)
Layout layout_of(const ServingRanks& ranks, RanksStated stated) {
  Layout layout;
  const int moe_tp = std::max(1, ranks.moe_tp.value_or(1));
  const int moe_ep = std::max(1, ranks.moe_ep.value_or(1));
  layout.tensor_parallel = std::max(1, ranks.tp.value_or(1));
  layout.pipeline_parallel = std::max(1, ranks.pp.value_or(1));
  layout.attention_data_parallel = std::max(1, ranks.attention_dp.value_or(1));
  if (moe_ep > 1) layout.experts = ExpertPlacement::kWhole;
  if (stated == RanksStated::kPlain) return layout;
  if (moe_tp > 1 && moe_ep > 1 && layout.tensor_parallel == moe_tp * moe_ep)
    layout.tensor_parallel = std::max(moe_tp, moe_ep);
  if (moe_tp > 1 && moe_ep > 1 && layout.attention_data_parallel == moe_tp * moe_ep)
    layout.attention_data_parallel = std::max(moe_tp, moe_ep);
  if (layout.tensor_parallel == layout.attention_data_parallel && moe_tp == 1 && moe_ep == layout.n_devices())
    layout.attention_data_parallel = 1;
  return layout;
}

/// Scales are fixed beforehand in NVIDIA's own FP8 checkpoints, which such benchmarks run.
/// Source  SemiAnalysisAI/InferenceX:.github/configs (nvidia/Llama-3.3-70B-Instruct-FP8)
void fix_scales(RowScenario& scenario) {
  StorageFormat& quantized = scenario.weights.format.quantized;
  if (quantized.name == "fp8") quantized = *storage_format("fp8-tensor");
}

/// TensorRT-LLM runs ModelOpt's checkpoints: 8-bit and 4-bit weights come with fixed scales and an 8-bit cache. Mixtures of experts
/// are measured with groups of one rank each where the notes say so.
/// Source   NVIDIA/TensorRT-LLM:docs/source/performance/perf-overview.md (kv_cache_quant_algo, enable_attention_dp)
void settle_modelopt(const ThroughputRow& row, RowScenario& scenario) {
  if (scenario.engine.id != "tensorrt-llm" || !scenario.weights.format.is_quantized()) return;
  fix_scales(scenario);
  if (row.kv_dtype.empty()) scenario.cache = *row_cache("fp8");
  const bool experts = std::ranges::any_of(scenario.model.layers, [](const LayerSpec& layer) {
    return std::holds_alternative<MoeSpec>(layer.feed_forward);
  });
  if (!experts || !has(row.source.notes, "enable_attention_dp") || scenario.layout.tensor_parallel == 1) return;
  scenario.layout.attention_data_parallel = scenario.layout.tensor_parallel;
  scenario.layout.tensor_parallel = 1;
  scenario.layout.experts = ExpertPlacement::kWhole;
}

/// NVIDIA's FP4 checkpoints of models with latent attention keep the attention in 16 bits.
/// Source   nvidia/DeepSeek-R1-FP4:hf_quant_config.json (exclude_modules)
void spare_latent_attention(RowScenario& scenario) {
  const bool latent = std::ranges::any_of(
      scenario.model.layers, [](const LayerSpec& layer) { return std::holds_alternative<MlaSpec>(layer.mixer); });
  if (latent && scenario.weights.format.quantized.name == "nvfp4")
    scenario.weights.format.covered = scenario.weights.format.covered.without(MatrixKind::kAttention);
}

/// The source's short names of backends.
std::string backend_name(const std::string& backend) {
  return backend == "trtllm" ? "TensorRT-LLM" : backend;
}

/// "b200_sxm" is "b200-sxm".
std::string device_words(std::string system) {
  std::ranges::replace(system, '_', '-');
  return system;
}

}  // namespace

bool is_inference_x(const ServingRow& row) {
  const std::string& table = row.source.ref;
  return table.starts_with("20") || table.starts_with("db-dump") || has(table, "gap-analysis");
}

RowReading read_scenario(const ServingRow& row, const ServingRanks& ranks, RowCatalog& catalog) {
  const KnownModel* known = catalog.model(row.model);
  if (known == nullptr) return {{}, fmt::format("no known config is of \"{}\"", row.model)};
  const auto device = catalog.device(read_device_words(device_words(row.system)));
  if (!device) return {{}, fmt::format("the device \"{}\" is not in the catalog", row.system)};
  ReferenceSource source = row.source;
  source.notes = row.measured_date;  // tells the release where no version is stated
  const RowEngine engine = row_engine(backend_name(row.backend), row.backend_version, source, std::nullopt);
  RowScenario scenario;
  scenario.model = known->spec;
  const std::string type = row.gemm_quant.starts_with("int4") ? "int4 (native)" : row.precision;
  const auto weights = row_weights(row.model, type, known->own_weights);
  if (!weights) return {{}, fmt::format("the weight type \"{}\" is not known", type)};
  scenario.weights = *weights;
  fix_scales(scenario);
  spare_latent_attention(scenario);
  // Recipes with 8-bit and 4-bit weights set an 8-bit cache.
  // Source  SemiAnalysisAI/InferenceX:benchmarks (--kv-cache-dtype fp8), modelopt checkpoints (kv_cache_quant_algo FP8)
  const bool recipe = is_inference_x(row) || engine.id == "tensorrt-llm";
  scenario.cache =
      *row_cache(recipe && scenario.weights.format.is_quantized() && row.precision.starts_with("fp") ? "fp8" : "");
  scenario.engine = catalog.engine(engine);
  scenario.engine_name = row.backend;
  scenario.layout = layout_of(ranks, is_inference_x(row) ? RanksStated::kMultiplied : RanksStated::kPlain);
  scenario.device = *device->spec;
  scenario.capacity = capacity_for_frameworks(*device->spec);
  if (!engine.assumption.empty()) scenario.assumptions.push_back(engine.assumption);
  require_shardable(scenario.model, scenario.layout);
  return {std::move(scenario), {}};
}

RowReading read_scenario(const ThroughputRow& row, RowCatalog& catalog) {
  const std::string engine_name = lower_case(row.engine);
  if (engine_name.find("ollama") != std::string::npos)
    return {{}, "Ollama keeps in host memory what does not fit: that it ran says nothing"};
  if (row.n_gpus == 0) return {{}, "ran on a processor whose memory is not stated"};
  const KnownModel* known = catalog.model(row.model);
  if (known == nullptr) return {{}, fmt::format("no known config is of \"{}\"", row.model)};
  const auto device = catalog.device(read_device_words(row.gpu));
  if (!device) return {{}, fmt::format("the device \"{}\" is not in the catalog", row.gpu)};
  if (!device->spec->main_memory().capacity) return {{}, fmt::format("no capacity of {} is known", device->spec->name)};
  RowScenario scenario;
  scenario.model = known->spec;
  const RowEngine engine = row_engine(row.engine, row.engine_version, row.source, std::nullopt);
  if (engine.id == "llama.cpp") scenario.gguf_types = gguf_mix(row.weight_dtype);
  // A GGUF file has types of its own; the config of the model says nothing of them.
  const std::string dtype = scenario.gguf_types ? "" : is_fp8_section(row) ? "fp8" : row.weight_dtype;
  const auto weights = row_weights(row.model, dtype, known->own_weights);
  const auto cache = row_cache(row.kv_dtype);
  if (!weights) return {{}, fmt::format("the weight type \"{}\" is not known", row.weight_dtype)};
  if (!cache) return {{}, fmt::format("the cache type \"{}\" is not known", row.kv_dtype)};
  scenario.weights = *weights;
  scenario.cache = *cache;
  scenario.engine = catalog.engine(engine);
  scenario.layout = layout_of(row, scenario.engine);
  scenario.device = *device->spec;
  scenario.capacity = capacity_for_frameworks(*device->spec);
  scenario.limits.memory_fraction = read_notes(row.source.notes).memory_fraction.value_or(1.0);
  settle_modelopt(row, scenario);
  if (!device->assumption.empty()) scenario.assumptions.push_back(device->assumption);
  if (!engine.assumption.empty()) scenario.assumptions.push_back(engine.assumption);
  return {std::move(scenario), {}};
}

}  // namespace dachlast
