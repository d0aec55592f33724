// Rows of measured speeds as questions for the time model: loads, limits, deployments.
#include "core/planner/speed_question.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "core/base/error.h"
#include "core/model/gguf_mix.h"
#include "core/model/gguf_shape.h"

namespace dachlast {
namespace {

constexpr int kOfflineRequests = 1500;  // benchmarks at infinite rate send 1,000 to 30,000

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() && value > 0 ? std::optional(value)
                                                                                      : std::nullopt;
}

TimeScenario time_scenario(const RowScenario& row) {
  TimeScenario scenario{.model = row.model,
                        .weights = row.weights.format,
                        .cache = row.cache,
                        .device = *row.device,
                        .layout = row.layout,
                        .engine = row.engine};
  if (row.gguf_types) scenario.weight_bytes = gguf_weights(gguf_shape(row.model), *row.gguf_types).element_bytes();
  return scenario;
}

/// Limits by the engine's profile; room for the cache as the memory planner finds it. What ran fits, so that a plan without room
/// is one with too little memory known: requests are then held back by clients alone.
ServingLimits limits_of(const RowScenario& row, double tokens) {
  ServingLimits limits;
  try {
    const auto planner = row.planner();
    if (!planner) return limits;
    limits.max_num_seqs = planner->step_limits().max_num_seqs;
    limits.max_num_batched_tokens = planner->step_limits().max_num_batched_tokens;
    const double room = planner->kv_tokens(std::max(1, static_cast<int>(tokens)));
    if (room > tokens) limits.kv_tokens = room;
  } catch (const Error&) {
    limits.kv_tokens = 1e18;
  }
  return limits;
}

SpeedQuestion question_of(const RowScenario& row, const ServingLoad& load) {
  SpeedQuestion question;
  question.scenario = time_scenario(row);
  question.load = load;
  question.limits = limits_of(row, load.input_tokens + load.output_tokens);
  question.assumptions = row.assumptions;
  return question;
}

/// "QPS=2", "32 prompts at 10 req/s", "984 prompts, peak 984, max-concurrency inf", "max (inf rate)", "64".
bool read_arrival(const ThroughputRow& row, ServingLoad& load) {
  const std::string text = lower_case(row.batch_or_concurrency);
  const std::string notes = lower_case(row.source.notes);
  const bool is_static = has(notes, "static") || row.metric == "pp_tok_s" || row.metric == "tg_tok_s" ||
                         has(notes, "derived: batch") || has(notes, "first token latency");
  if (const auto clients = whole_number(text)) {
    load.n_clients = *clients;
    load.arrival = is_static || *clients == 1 ? Arrival::kStatic : Arrival::kClosed;
    if (const auto prompts = count_before(notes, "prompts")) load.n_requests = *prompts;
    if (const auto requests = count_before(notes, "requests")) load.n_requests = *requests;
    return true;
  }
  if (has(text, "inf rate") || has(text, "qps=inf")) {
    load.arrival = Arrival::kAtOnce;
    load.n_requests = has(text, "qps") ? 500 : kOfflineRequests;
    return true;
  }
  if (const auto rate = count_behind(text, "qps")) {
    load.arrival = Arrival::kRate;
    load.requests_per_s = *rate;
    load.n_requests = 500;
    return true;
  }
  if (const auto prompts = count_before(text, "prompts")) {
    load.n_requests = *prompts;
    if (const auto clients = count_behind(text, "max-concurrency")) {
      load.n_clients = *clients;
      load.arrival = Arrival::kClosed;
      return true;
    }
    const auto rate = count_before(text, "req/s");
    load.arrival = rate && *rate < 50 ? Arrival::kRate : Arrival::kAtOnce;
    load.requests_per_s = rate.value_or(0);
    return true;
  }
  return false;
}

/// Settings in the commands of gpustack's tables.
void read_settings(const ThroughputRow& row, SpeedQuestion& question) {
  const std::string& notes = row.source.notes;
  if (const auto tokens = count_behind(notes, "--max-num-batched-tokens"))
    question.limits.max_num_batched_tokens = *tokens;
  if (const auto tokens = count_behind(notes, "--chunked-prefill-size"))
    question.limits.max_num_batched_tokens = *tokens;
  if (const auto seqs = count_behind(notes, "--max-num-seqs")) question.limits.max_num_seqs = *seqs;
  if (has(notes, "--ep-size") || has(notes, "--enable-expert-parallel") || has(notes, "--ep_size"))
    question.scenario.layout.experts = ExpertPlacement::kWhole;
}

std::string why_not(const ThroughputRow& row) {
  const std::string notes = lower_case(row.source.notes);
  const bool speculative =
      (has(notes, "speculative") || has(notes, "mtp") || has(notes, "eagle")) && !has(notes, "no mtp");
  if (speculative) return "speculative decoding: how many drafted tokens were accepted is not stated";
  if (lower_case(row.engine).find("ollama") != std::string::npos)
    return "Ollama: which weights it ran and what of them on the processor is not stated";
  if (!row.value) return "no figure";
  return {};
}

/// The source's own runs start engines with the limits its generator writes.
/// Source   ai-dynamo/aiconfigurator:src/aiconfigurator/generator/rule_plugin/vllm.rule, trtllm.rule (agg max_num_tokens)
void generated_limits(SpeedQuestion& question) {
  if (question.scenario.engine.id == "sglang") return;
  constexpr int kSequences = 512;
  constexpr int kBeyondPrompt = 1500;
  question.limits.max_num_seqs = kSequences;
  question.limits.max_num_batched_tokens = kSequences + static_cast<int>(question.load.input_tokens) + kBeyondPrompt;
}

/// Sweeps that ran with multi-token prediction, which their rows do not state. They are told by release and date: the recipes
/// without it went from 1.1.0rc2.post2, last run in December 2025, to 1.2.0rc6.post2 directly. Three tokens are drafted, one with
/// attention data parallelism. Acceptance follows from what its authors state for one sequence, 2.16 times the speed with three
/// drafted ones, which take a layer and the head each, some 3 % of a pass: 2.16 · 1.09 = 2.35 tokens = 1 + a + a² + a³ of a = 0.65.
/// Source   SemiAnalysisAI/InferenceX:perf-changelog.yaml (pull requests 392, 594, 620, 632, 642),
///          benchmarks/single_node/fixed_seq_len/dsr1_fp8_b200_trt_mtp.sh;
///          NVIDIA/TensorRT-LLM:docs/source/blogs/tech_blog/blog2_DeepSeek_R1_MTP_Implementation_and_Optimization.md
std::optional<Speculation> swept_speculation(const ServingRow& row) {
  const bool swept = row.backend == "trtllm" && row.mode == "agg" && is_inference_x(row) &&
                     row.model.find("DeepSeek-") != std::string::npos;
  if (!swept) return std::nullopt;
  const bool first = row.backend_version == "1.1.0rc2.post2" && row.measured_date >= "2026-01-14";
  if (!first && row.backend_version != "1.2.0rc6.post3") return std::nullopt;
  const bool groups = row.ranks.attention_dp.value_or(1) > 1;
  return Speculation{.draft_tokens = groups ? 1 : 3, .acceptance = 0.65, .draft_share = 0.03};
}

}  // namespace

SpeedReading read_question(const ThroughputRow& row, RowCatalog& catalog) {
  if (const std::string reason = why_not(row); !reason.empty()) return {{}, reason};
  ServingLoad load;
  load.input_tokens = row.input_len.value_or(0.0);
  load.output_tokens = row.output_len.value_or(0.0);
  if (!row.input_len && !row.output_len) return {{}, "neither the length of prompts nor that of answers is stated"};
  if (!read_arrival(row, load)) return {{}, fmt::format("the load \"{}\" is not understood", row.batch_or_concurrency)};
  const RowReading reading = read_scenario(row, catalog);
  if (!reading.scenario) return {{}, reading.reason};
  if (reading.scenario->engine.id.empty()) return {{}, fmt::format("no profile of the engine \"{}\"", row.engine)};
  SpeedQuestion question = question_of(*reading.scenario, load);
  read_settings(row, question);
  if (load.arrival == Arrival::kStatic && question.scenario.engine.id != "llama.cpp")
    question.limits.max_num_batched_tokens = 1 << 30;
  return {std::move(question), {}};
}

namespace {

/// Devices of both kinds, and drafted tokens where a recipe tells.
struct Deployment {
  ServingRanks readers;
  ServingRanks writers;
  std::optional<Speculation> speculation;
  std::string reason;  // why none is known
};

/// DeepSeek's one layer for multi-token prediction, called once a drafted token; acceptance as in `swept_speculation`.
constexpr Speculation kSweptDrafts{.draft_tokens = 0, .acceptance = 0.65, .draft_share = 0.03};

Deployment deployment_of(const ServingRow& row, RowCatalog& catalog) {
  if (row.mode != "disagg")
    return {.readers = {}, .writers = row.ranks, .speculation = swept_speculation(row), .reason = {}};
  if (row.prefill.n_workers && row.decode.n_workers) return {row.prefill, row.decode, {}, {}};
  const RecipeReading reading = catalog.recipes().find(row);
  if (!reading.recipe) return {{}, {}, {}, reading.reason};
  Deployment made{reading.recipe->readers, reading.recipe->writers, {}, {}};
  if (reading.recipe->draft_tokens > 0) {
    made.speculation = kSweptDrafts;
    made.speculation->draft_tokens = reading.recipe->draft_tokens;
  }
  return made;
}

/// Why a row asks nothing; empty where it does.
std::string why_not(const ServingRow& row) {
  if (!row.isl || !row.osl) return "the lengths of prompts and answers are not stated";
  if (!row.concurrency || *row.concurrency < 1) return "the number of clients is not stated";
  constexpr int kMostRanksOfOne = 16;  // in an NVLink domain with measurements
  const ServingRanks& ranks = row.ranks;
  const bool folded = row.mode != "disagg" && ranks.tp.value_or(1) > kMostRanksOfOne &&
                      ranks.tp != ranks.moe_tp.value_or(1) * ranks.moe_ep.value_or(1);
  return folded ? "the source folds several instances into one" : "";
}

ServingLoad load_of(const ServingRow& row) {
  // InferenceX draws lengths between 0.8 and 1 of those stated, and sends ten requests a client.
  // Source  SemiAnalysisAI/InferenceX:benchmarks/benchmark_lib.sh (--random-range-ratio, --num-prompts)
  return {.input_tokens = *row.isl,
          .output_tokens = *row.osl,
          .arrival = Arrival::kClosed,
          .n_clients = *row.concurrency,
          .n_requests = 10 * *row.concurrency,
          .length_spread = is_inference_x(row) ? 0.2 : 0.0};
}

/// Limits in the recipes of InferenceX for SGLang and TensorRT-LLM, else those of the source's generator for its own
/// runs.
/// Source   SemiAnalysisAI/InferenceX:benchmarks/single_node (--chunked-prefill-size, --scheduler-recv-interval,
///          MAX_NUM_TOKENS)
void settle_limits(const ServingRow& row, RowCatalog& catalog, SpeedQuestion& question) {
  constexpr int kSweptPrompt = 16384;
  if (!is_inference_x(row)) return generated_limits(question);
  if (question.scenario.engine.id == "sglang") question.limits.max_num_batched_tokens = kSweptPrompt;
  if (row.mode == "disagg") return;
  const auto settings = catalog.settings().find(row);
  if (!settings) return;
  question.limits.poll_passes = settings->poll_passes;
  // Scripts with drafted tokens count the sequences of one group, those without count all clients.
  const bool drafts = question.scenario.speculation && question.scenario.speculation->draft_tokens > 0;
  const int groups = drafts ? question.scenario.layout.attention_data_parallel : 1;
  const int tokens = settings->pass_tokens(static_cast<int>(*row.isl), std::max(1, question.load.n_clients / groups),
                                           drafts ? 1 + question.scenario.speculation->draft_tokens : 1);
  if (tokens > 0) question.limits.max_num_batched_tokens = tokens;
}

}  // namespace

SpeedReading read_question(const ServingRow& row, RowCatalog& catalog) {
  if (const std::string reason = why_not(row); !reason.empty()) return {{}, reason};
  const Deployment deployment = deployment_of(row, catalog);
  if (!deployment.reason.empty()) return {{}, deployment.reason};
  const RowReading reading = read_scenario(row, deployment.writers, catalog);
  if (!reading.scenario) return {{}, reading.reason};
  SpeedQuestion question = question_of(*reading.scenario, load_of(row));
  question.scenario.speculation = deployment.speculation;
  settle_limits(row, catalog, question);
  if (row.mode != "disagg") return {std::move(question), {}};
  const RowReading readers = read_scenario(row, deployment.readers, catalog);
  if (!readers.scenario) return {{}, readers.reason};
  question.readers = time_scenario(*readers.scenario);
  question.n_readers = std::max(1, deployment.readers.n_workers.value_or(1));
  question.n_writers = std::max(1, deployment.writers.n_workers.value_or(1));
  return {std::move(question), {}};
}

}  // namespace dachlast
