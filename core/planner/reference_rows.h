#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/csv.h"
#include "core/memory/llamacpp_log.h"

namespace dachlast {

// Measured figures of other programs, one a row, as tables published with their sources: what `validate` predicts.
// An empty cell is an absent figure. Sizes are GiB or MiB as the column's name says, times ms, rates tokens/s.

/// Words where a number was expected ("short prompt" as a length): the figure is absent, the words are kept.
struct CellWords {
  std::string column;
  std::string words;
};

/// What every row has.
struct ReferenceSource {
  std::string id;
  std::string repo;
  std::string ref;
  std::string notes;
  int line = 0;  // in the file
  std::vector<CellWords> words;
};

/// Start-up log of a serving engine.
struct MemoryKvRow {
  ReferenceSource source;
  std::string model;
  std::string gpu;
  std::optional<int> tp;
  std::optional<int> pp;
  std::string dtype;
  std::string kv_dtype;
  std::optional<double> gpu_mem_util;
  std::optional<std::int64_t> max_model_len;
  std::optional<double> weights_gib_per_gpu;
  std::optional<double> kv_gib_per_gpu;  // below zero: did not start
  std::optional<std::int64_t> kv_tokens_total;
  std::optional<std::int64_t> gpu_blocks;
  std::optional<int> block_size;
  std::optional<double> gpu_total_gib;
  std::optional<double> activation_gib;
  std::optional<double> non_torch_gib;   // can be below zero: a difference of two readings
  std::optional<double> cuda_graph_gib;  // can be below zero: what changed while graphs were captured
};

/// Load log of llama.cpp or ik_llama.cpp.
struct LlamaCppRow {
  ReferenceSource source;
  std::string model;
  std::string gpu;
  LlamaCppLog log;
};

/// Published KV cache size or bytes per token.
struct KvTableRow {
  ReferenceSource source;
  std::string model;
  std::optional<std::int64_t> context_tokens;
  std::optional<std::int64_t> batch;
  std::string dtype;
  std::optional<double> kv_gib;
  std::optional<double> kv_bytes_per_token;
};

/// Measured throughput, TTFT, TPOT, prompt or generation speed.
struct ThroughputRow {
  ReferenceSource source;
  std::string engine;
  std::string engine_version;
  std::string model;
  std::string gpu;
  std::optional<int> n_gpus;
  std::optional<int> tp;
  std::optional<int> pp;
  std::string weight_dtype;
  std::string kv_dtype;
  std::optional<double> input_len;  // a mean, where the source gives one
  std::optional<double> output_len;
  std::string batch_or_concurrency;  // a number or a rate: "64", "QPS=2"
  std::string metric;                // "output_tok_s", "ttft_ms", …
  std::optional<double> value;
};

/// Ranks of one part of a deployment.
struct ServingRanks {
  std::optional<int> n_workers;
  std::optional<int> tp;
  std::optional<int> pp;
  std::optional<int> attention_dp;
  std::optional<int> moe_tp;
  std::optional<int> moe_ep;

  friend bool operator==(const ServingRanks&, const ServingRanks&) = default;
};

/// TTFT and TPOT of a served model; in "disagg" mode prompts are read by devices of their own.
struct ServingRow {
  ReferenceSource source;
  std::string measured_date;
  std::string backend;
  std::string backend_version;
  std::string model;
  std::string system;
  std::string precision;
  std::string mode;  // "agg", "disagg"
  std::string gemm_quant;
  std::string moe_quant;
  std::optional<double> isl;
  std::optional<double> osl;
  std::optional<int> concurrency;
  ServingRanks ranks;
  ServingRanks prefill;
  ServingRanks decode;
  std::optional<double> ttft_ms;
  std::optional<double> tpot_ms;
  std::string image = {};  // of the container; empty where the table has no such column
};

using ReferenceRows = std::variant<std::vector<MemoryKvRow>, std::vector<LlamaCppRow>, std::vector<KvTableRow>,
                                   std::vector<ThroughputRow>, std::vector<ServingRow>>;

/// Name of the table's kind: "memory_kv", "memory_llamacpp", "kv_tables", "throughput",
/// "serving_silicon".
std::string_view kind_name(const ReferenceRows& rows);

/// The rows of a table as read_csv gives it.
/// Errors   as read_reference_rows.
ReferenceRows reference_rows(const CsvTable& table);

/// Reads a table; its kind follows from its header. Further columns are left aside.
/// Errors   throws `Error` (kInput): a header of no kind, naming the column that is missing and the five kinds; a number
///          that is none, not finite, negative or beyond anything there is, naming line and column; a row without id.
ReferenceRows read_reference_rows(const std::filesystem::path& csv);

}  // namespace dachlast
