// The lines of a plan with their formulas: numbers filled in, so that each can be checked by hand.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "core/memory/amount_text.h"
#include "core/model/weights.h"
#include "core/planner/kept_pictures.h"
#include "core/planner/memory_planner.h"

namespace dachlast {
namespace {

std::string amount(double bytes) {
  return binary_amount(Bytes{bytes});
}

std::string weight_formula(const PlanScenario& scenario) {
  const double parameters = parameter_count(scenario.model);
  std::string text = fmt::format("{} parameters, {}", grouped(parameters), weights_title(scenario));
  if (scenario.counted_weights)
    text = scenario.gguf_types ? fmt::format("{} in the tensors of a {} file", amount(scenario.counted_weights->value),
                                             weights_title(scenario))
                               : fmt::format("{} in the model's files", amount(scenario.counted_weights->value));
  if (scenario.gguf_types && scenario.engine.id == "llama.cpp") text += ", the token table in host memory";
  if (scenario.layout.n_devices() > 1) text += fmt::format("; the largest share under {}", title_of(scenario.layout));
  return text;
}

std::string layers_of(const KvPart& part) {
  if (part.n_padding == 0) return part.n_layers == 1 ? "1 layer" : fmt::format("{} layers", part.n_layers);
  return fmt::format("{} layers ({} of padding)", part.n_layers, part.n_padding);
}

/// "8 × (32 layers × 4 KiB × 32,768 tokens)", "1 × (10 layers × 8 KiB × 32,768 tokens + …)": what one device holds of each
/// sequence.
std::string cache_formula(const KvDemand& kv, int context_tokens, int batch_size) {
  std::vector<std::string> terms;
  for (const KvPart& part : kv.parts(context_tokens))
    terms.push_back(fmt::format("{} × {} × {} tokens{}", layers_of(part), amount(part.bytes_per_token),
                                grouped(part.held_tokens),
                                part.window > 0 ? fmt::format(" for a window of {}", grouped(part.window)) : ""));
  if (kv.state_bytes_per_sequence() > 0)
    terms.push_back(fmt::format("{} of states", amount(kv.state_bytes_per_sequence())));
  if (kv.waiting_bytes_per_sequence() > 0)
    terms.push_back(fmt::format("{} of the last block's keys in BF16", amount(kv.waiting_bytes_per_sequence())));
  return fmt::format("{} × ({})", grouped(batch_size), fmt::join(terms, " + "));
}

/// Stages before the last do not sample and have none.
std::string workspace_formula(const PlanScenario& s, const StepLimits& limits, const LivePeak& forward,
                              double workspace) {
  if (workspace == 0.0) return "sampling stays within the activations";
  const auto gemm = gemm_workspace(s.engine, s.device);
  const std::string scratch = gemm ? fmt::format("GEMM scratch of {}", amount(gemm->value)) : "";
  if (gemm && workspace <= gemm->value) return scratch + "; sampling stays within the activations";
  const bool beside = s.engine.buffers->value.release == BufferRelease::kNever;
  const std::string rows = limits.max_num_seqs == 1 ? "1 row" : fmt::format("{} rows", grouped(limits.max_num_seqs));
  const std::string kept =
      forward.kept_bytes > 0 ? fmt::format(" beside {} that experts keep", amount(forward.kept_bytes)) : "";
  return fmt::format("sampling {} × {} tokens × {} B and {}{}, beyond the activations{}{}", rows,
                     grouped(s.model.vocab_size), s.engine.sampler->value.logit_bytes,
                     beside ? "the chosen tokens" : "hidden states", kept, gemm ? "; " : "", scratch);
}

}  // namespace

std::string weights_title(const PlanScenario& scenario) {
  return scenario.gguf_types ? scenario.gguf_types->name : title_of(scenario.weights);
}

std::string weights_name(const PlanScenario& scenario) {
  if (scenario.gguf_types) return scenario.gguf_types->name;
  return std::string(scenario.weights.is_quantized() ? scenario.weights.quantized.name : scenario.weights.rest.name);
}

std::vector<MemorySegment> MemoryPlanner::segments(int context_tokens, int batch_size) const {
  const DeviceMemory memory = at(context_tokens, batch_size);
  const Stage& stage = fullest(context_tokens, batch_size);
  const PlanScenario& s = scenario_;
  std::vector<MemorySegment> lines;
  lines.push_back({"weights", Bytes{memory.weights}, Origin::kExact, weight_formula(s)});
  // llama.cpp gives whole layers to its devices, where the stage has shares of all of them.
  const std::string cache = llamacpp_ && s.layout.n_devices() > 1
                                ? fmt::format("{} × {} tokens in whole 256, of the layers on the fullest device",
                                              grouped(batch_size), grouped(context_tokens))
                                : cache_formula(stage.kv, context_tokens, sequences_per_group(batch_size));
  lines.push_back({"KV cache", Bytes{memory.kv_cache}, Origin::kExact, fmt::format("{}, {}", cache, s.cache.title)});
  if (llamacpp_) {
    lines.push_back({"activations", Bytes{memory.activations}, Origin::kEstimated,
                     fmt::format("compute buffer for {} tokens at the whole context, placed by ggml's allocator",
                                 grouped(limits_.max_num_batched_tokens))});
    return lines;
  }
  const double pictures = kept_pictures(s.model, s.engine, limits_.max_num_batched_tokens);
  lines.push_back({"activations", Bytes{memory.activations}, Origin::kEstimated,
                   formula_of(forward_) + (pictures > 0.0 ? ", and pictures of " + amount(pictures) : "")});
  lines.push_back({"workspace", Bytes{memory.workspace}, Origin::kEstimated,
                   workspace_formula(s, limits_, forward_, memory.workspace)});
  lines.push_back(
      {"runtime", Bytes{memory.runtime}, Origin::kEstimated,
       memory.runtime > 0
           ? "context, libraries, communicators, graphs: measured on published starts; allocator and position tables"
           : "not known for this engine"});
  return lines;
}

}  // namespace dachlast
