// Reads engine profiles: data files in which every fact names its source.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/nearest_name.h"
#include "core/hardware/data_object.h"
#include "core/hardware/yaml_file.h"
#include "core/model/model_source.h"
#include "core/planner/engine_profile.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSchema = "dachlast.engine/1";
constexpr int kMostTokens = 1 << 30;
constexpr int kMostRanks = 1 << 20;
constexpr double kLargestMib = 1e9;

/// Numbers of a version, compared one after the other: "0.10.1" → 0, 10, 1. What follows the digits of the last one
/// ("0.21rc1", "1.0.dev17") does not count. Empty where it is no version.
std::vector<int> version_parts(std::string_view version) {
  std::vector<int> parts;
  for (std::size_t begin = 0; begin < version.size();) {
    const char* first = version.data() + begin;
    int value = 0;
    const auto read = std::from_chars(first, version.data() + version.size(), value);
    if (read.ec != std::errc{} || value < 0) break;
    parts.push_back(value);
    begin += static_cast<std::size_t>(read.ptr - first) + 1;
    if (*(read.ptr) != '.' || begin > version.size()) break;
  }
  return parts;
}

/// The value of a fact by `read`, with source and note, which every fact must have.
template <class Value, class Read>
Fact<Value> read_fact(DataObject& facts, const std::string& key, Read read) {
  DataObject fact = facts.object(key);
  Fact<Value> made{read(fact), fact.text("source"), fact.text("note")};
  fact.finish();
  return made;
}

template <class Value, class Read>
std::optional<Fact<Value>> read_fact_or_none(DataObject& facts, const std::string& key, Read read) {
  return facts.has(key) ? std::optional(read_fact<Value>(facts, key, read)) : std::nullopt;
}

double required_number(DataObject& object, const std::string& key, double limit) {
  const auto number = object.number(key, limit);
  if (!number) object.fail(key, "is missing");
  return *number;
}

int required_count(DataObject& object, const std::string& key, int limit) {
  const auto count = object.count(key, limit);
  if (!count) object.fail(key, "is missing");
  return *count;
}

Bytes required_size(DataObject& object) {
  const auto size = object.size("size", Dimension::kCapacity);
  if (!size) object.fail("size_gib", "is missing");
  return {*size};
}

template <class Row, class Read>
std::vector<Row> read_rows(DataObject& fact, Read read) {
  std::vector<Row> rows;
  for (DataObject& row : fact.objects_or_none("rows")) {
    rows.push_back(read(row));
    row.finish();
  }
  if (rows.empty()) fact.fail("rows", "holds no row");
  return rows;
}

ReserveRule read_reserve(DataObject& fact) {
  return {.base_mib = required_number(fact, "base_mib", kLargestMib),
          .per_token_mib = required_number(fact, "per_token_mib", kLargestMib),
          .least_tokens = required_count(fact, "least_tokens", kMostTokens),
          .per_gpu_mib = required_number(fact, "per_gpu_mib", kLargestMib),
          .per_graph_batch_mib = required_number(fact, "per_graph_batch_mib", kLargestMib),
          .per_prefill_graph_mib = required_number(fact, "per_prefill_graph_mib", kLargestMib),
          .mla_prefill_graphs_mib = required_number(fact, "mla_prefill_graphs_mib", kLargestMib),
          .floor_mib = required_number(fact, "floor_mib", kLargestMib),
          .floor_above_gib = required_number(fact, "floor_above_gib", kLargestMib)};
}

BatchDefaults read_batch_row(DataObject& row) {
  return {.below_gib = row.number("below_gib", kLargestMib),
          .min_tp = row.count("min_tp", kMostRanks).value_or(1),
          .name_has = row.text_or("name_has", ""),
          .max_num_seqs = row.count("max_num_seqs", kMostTokens),
          .max_num_batched_tokens = row.count("max_num_batched_tokens", kMostTokens),
          .max_num_batched_tokens_offline = row.count("max_num_batched_tokens_offline", kMostTokens),
          .graph_batch = row.count("graph_batch", kMostTokens)};
}

/// Reads `key` as one of `names`, in the order of the enum.
template <class Choice>
Choice read_choice(DataObject& fact, const std::string& key, std::initializer_list<const char*> names) {
  return static_cast<Choice>(fact.choice(key, names));
}

BufferRules read_buffers(DataObject& fact) {
  constexpr int kWidestElement = 8;
  const std::initializer_list<const char*> places = {"in_place", "new"};
  return {.element_bytes = static_cast<double>(required_count(fact, "element_bytes", kWidestElement)),
          .release = read_choice<BufferRelease>(fact, "release", {"at_last_read", "at_return", "never"}),
          .residual_norm = read_choice<ResidualNorm>(fact, "residual_norm", places),
          .experts = read_choice<ExpertRooms>(fact, "experts", {"separate", "pooled", "kept"}),
          .expert_sum = read_choice<SumPlace>(fact, "expert_sum", places),
          .all_reduce = read_choice<SumPlace>(fact, "all_reduce", places),
          .shared_expert = read_choice<SharedExpert>(fact, "shared_expert", {"first", "last"}),
          .latent_keys = read_choice<LatentKeys>(fact, "latent_keys", {"in_place", "joined"}),
          .expert_chunk_tokens = fact.count("expert_chunk_tokens", kMostTokens).value_or(0),
          .renames_up = fact.texts_or_none("renames_up")};
}

SamplerRule read_sampler(DataObject& fact) {
  constexpr double kMostBytes = 1000.0;
  return {.logit_bytes = required_number(fact, "logit_bytes", kMostBytes),
          .buffer_bytes_per_sm = required_number(fact, "buffer_bytes_per_sm", kMostBytes)};
}

NonTorchMemory read_non_torch(DataObject& row) {
  return {.tp = required_count(row, "tp", kMostRanks),
          .bytes = required_size(row),
          .architecture_has = row.text_or("architecture_has", "")};
}

ExpertPadding read_padding(DataObject& row) {
  return {.architecture_has = row.text_or("architecture_has", ""),
          .up_rows = required_count(row, "up_rows", kMostTokens),
          .up_columns = required_count(row, "up_columns", kMostTokens),
          .down_rows = required_count(row, "down_rows", kMostTokens),
          .down_columns = required_count(row, "down_columns", kMostTokens)};
}

GemmWorkspace read_workspace(DataObject& row) {
  return {.architecture_has = row.text_or("architecture_has", ""), .bytes = required_size(row)};
}

/// Reads "value" as one of `names`, in the order of the enum.
template <class Choice>
auto choice_of(std::initializer_list<const char*> names) {
  return [names](DataObject& fact) { return read_choice<Choice>(fact, "value", names); };
}

auto count_value(int limit) {
  return [limit](DataObject& fact) { return required_count(fact, "value", limit); };
}

auto share_value() {
  return [](DataObject& fact) { return required_number(fact, "value", 1.0); };
}

void read_sizing_facts(DataObject& facts, EngineProfile& engine) {
  engine.budget = read_fact<BudgetRule>(
      facts, "budget",
      choice_of<BudgetRule>({"fraction_of_total", "static_fraction", "fraction_of_free", "whole_device"}));
  engine.memory_fraction = read_fact_or_none<double>(facts, "memory_fraction", share_value());
  engine.reserve = read_fact_or_none<ReserveRule>(facts, "reserve", read_reserve);
  engine.block_size_tokens = read_fact_or_none<int>(facts, "block_size_tokens", count_value(kMostTokens));
  engine.window_policy =
      read_fact<WindowPolicy>(facts, "window_policy", choice_of<WindowPolicy>({"capped", "full_length"}));
  engine.window_pool_ratio = read_fact_or_none<double>(facts, "window_pool_ratio", share_value());
  engine.window_families = read_fact_or_none<std::vector<std::string>>(
      facts, "window_families", [](DataObject& fact) { return fact.texts_or_none("value"); });
  engine.tokens_reported =
      read_fact_or_none<TokenReport>(facts, "tokens_reported", choice_of<TokenReport>({"blocks", "concurrency"}));
  engine.hybrid_block_alignment_tokens =
      read_fact_or_none<int>(facts, "hybrid_block_alignment_tokens", count_value(kMostTokens));
  engine.min_sequences = read_fact_or_none<int>(facts, "min_sequences", count_value(kMostTokens));
}

void read_overhead_facts(DataObject& facts, EngineProfile& engine) {
  engine.batch_defaults = read_fact_or_none<std::vector<BatchDefaults>>(
      facts, "batch_defaults", [](DataObject& fact) { return read_rows<BatchDefaults>(fact, read_batch_row); });
  engine.buffers = read_fact_or_none<BufferRules>(facts, "buffers", read_buffers);
  engine.sampler = read_fact_or_none<SamplerRule>(facts, "sampler", read_sampler);
  engine.gemm_workspace = read_fact_or_none<std::vector<GemmWorkspace>>(
      facts, "gemm_workspace", [](DataObject& fact) { return read_rows<GemmWorkspace>(fact, read_workspace); });
  engine.non_torch = read_fact_or_none<std::vector<NonTorchMemory>>(
      facts, "non_torch", [](DataObject& fact) { return read_rows<NonTorchMemory>(fact, read_non_torch); });
  engine.graph_budget =
      read_fact_or_none<BudgetPart>(facts, "graph_budget", choice_of<BudgetPart>({"inside", "outside"}));
  engine.graphs = read_fact_or_none<Bytes>(facts, "graphs", required_size);
  engine.trial_run_keeps =
      read_fact_or_none<TrialRunKeeps>(facts, "trial_run_keeps", choice_of<TrialRunKeeps>({"nothing", "pictures"}));
  engine.weight_allocator =
      read_fact_or_none<WeightAllocator>(facts, "weight_allocator", choice_of<WeightAllocator>({"torch_caching"}));
  engine.mxfp4_padding = read_fact_or_none<std::vector<ExpertPadding>>(
      facts, "mxfp4_padding", [](DataObject& fact) { return read_rows<ExpertPadding>(fact, read_padding); });
}

RatioInterval read_ratios(DataObject& fact, const std::string& name) {
  constexpr double kMostRatio = 1e3;
  return {fact.number(name + "_low", kMostRatio).value_or(0.0), fact.number(name + "_high", kMostRatio).value_or(0.0)};
}

SpeedFacts read_speed(DataObject& fact) {
  constexpr double kMostMicroseconds = 1e9;
  SpeedFacts speed;
  speed.kernels = fact.texts_or_none("kernels");
  speed.collectives = fact.texts_or_none("collectives");
  speed.step_us = required_number(fact, "step_us", kMostMicroseconds);
  speed.sequence_us = required_number(fact, "sequence_us", kMostMicroseconds);
  speed.request_us = required_number(fact, "request_us", kMostMicroseconds);
  constexpr double kMostPasses = 1e4;
  speed.prompt_factor = required_number(fact, "prompt_factor", kMostPasses);
  speed.wait_passes = required_number(fact, "wait_passes", kMostPasses);
  speed.group_wait_passes = required_number(fact, "group_wait_passes", kMostPasses);
  speed.launch_us = required_number(fact, "launch_us", kMostMicroseconds);
  speed.prompts = static_cast<PromptPolicy>(fact.choice("prompts", {"mixed", "alone"}));
  speed.ttft = read_ratios(fact, "ttft");
  speed.tpot = read_ratios(fact, "tpot");
  speed.rate = read_ratios(fact, "rate");
  return speed;
}

/// Facts of the versions before that of a row replace newer ones whole, the newest row first.
json facts_of(DataObject& engine, const json& document, const std::vector<int>& version) {
  json facts = document.at("facts");
  std::size_t index = 0;
  for (DataObject& row : engine.objects_or_none("older")) {
    const std::vector<int> before = version_parts(row.text("before"));
    if (before.empty()) row.fail("before", "is no version");
    row.object("facts");
    row.finish();
    if (!version.empty() && version < before) facts.update(document.at("older").at(index).at("facts"));
    ++index;
  }
  return facts;
}

fs::path profile_dir() {
  return data_dir() / "engines";
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return made;
}

[[noreturn]] void fail_unknown(std::string_view name) {
  const std::vector<std::string> known = list_engines();
  const auto nearest = nearest_name(name, known);
  std::string list;
  for (const std::string& id : known) list += (list.empty() ? "" : ", ") + id;
  throw Error(ErrorKind::kUsage, std::string(name), "is no engine that is known.",
              nearest ? fmt::format("Did you mean \"{}\"?", *nearest) : fmt::format("Known: {}.", list));
}

}  // namespace

EngineProfile read_engine_file(const fs::path& file, std::string_view version) {
  const std::vector<int> wanted = version_parts(version);
  if (!version.empty() && wanted.empty())
    throw Error(ErrorKind::kUsage, std::string(version), "is no version of an engine.", "Write it like vllm@0.10.1.");
  const json document = read_data_file(file);
  DataObject object(document, file);
  if (object.text("schema") != kSchema) object.fail("schema", fmt::format("is not \"{}\"", kSchema));
  EngineProfile engine;
  engine.id = object.text("id");
  engine.name = object.text("name");
  engine.read_at = object.text("read_at");
  engine.notes = object.texts_or_none("notes");
  object.object("facts");
  const json facts_document = facts_of(object, document, wanted);
  object.finish();
  DataObject facts(facts_document, file, "facts");
  read_sizing_facts(facts, engine);
  read_overhead_facts(facts, engine);
  if (auto speed = read_fact_or_none<SpeedFacts>(facts, "speed", read_speed)) {
    engine.speed = std::move(speed->value);
    engine.speed.source = std::move(speed->source);
  }
  facts.finish();
  return engine;
}

std::vector<std::string> list_engines() {
  std::vector<std::string> ids;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(profile_dir(), failed))
    if (is_data_file_name(entry.path())) ids.push_back(entry.path().stem().string());
  std::sort(ids.begin(), ids.end());
  return ids;
}

EngineProfile find_engine(std::string_view name) {
  const std::size_t at = name.find('@');
  const std::string id = lower(name.substr(0, at));
  const std::string_view version = at == std::string_view::npos ? std::string_view() : name.substr(at + 1);
  const std::vector<std::string> known = list_engines();
  if (std::find(known.begin(), known.end(), id) == known.end()) fail_unknown(at == 0 ? name : name.substr(0, at));
  if (at != std::string_view::npos && version.empty())
    throw Error(ErrorKind::kUsage, std::string(name), "names no version.", fmt::format("Write {} or {}@0.10.", id, id));
  return read_engine_file(profile_dir() / (id + ".json"), version);
}

}  // namespace dachlast
