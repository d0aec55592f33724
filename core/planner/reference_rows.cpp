#include "core/planner/reference_rows.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

#include "core/base/csv.h"
#include "core/base/error.h"
#include "core/planner/row_reader.h"

namespace dachlast {
namespace {

constexpr double kMostGib = 1e6;  // a petabyte
constexpr double kMostMib = kMostGib * 1024;
constexpr double kMostRate = 1e12;  // tokens/s, ms

constexpr std::array kMemoryKvColumns = {"id",
                                         "source_repo",
                                         "source_ref",
                                         "model",
                                         "gpu",
                                         "tp",
                                         "pp",
                                         "dtype",
                                         "kv_dtype",
                                         "gpu_mem_util",
                                         "max_model_len",
                                         "weights_gib_per_gpu",
                                         "kv_gib_per_gpu",
                                         "kv_tokens_total",
                                         "gpu_blocks",
                                         "block_size",
                                         "notes",
                                         "gpu_total_gib",
                                         "activation_gib",
                                         "non_torch_gib",
                                         "cuda_graph_gib"};
constexpr std::array kLlamaCppColumns = {"id",
                                         "source_repo",
                                         "source_ref",
                                         "engine",
                                         "engine_build",
                                         "model",
                                         "model_params",
                                         "file_type",
                                         "model_size_gib",
                                         "n_gpus",
                                         "gpu",
                                         "n_ctx",
                                         "n_batch",
                                         "n_ubatch",
                                         "flash_attn",
                                         "mla_mode",
                                         "layers_offloaded",
                                         "type_k",
                                         "type_v",
                                         "k_mib",
                                         "v_mib",
                                         "kv_self_mib",
                                         "kv_buffers_mib",
                                         "model_buffers_mib",
                                         "compute_buffers_mib",
                                         "output_buffers_mib",
                                         "vram_model_mib",
                                         "vram_total_mib",
                                         "notes"};
constexpr std::array kKvTableColumns = {
    "id",    "source_repo", "source_ref",         "model", "context_tokens", "batch",
    "dtype", "kv_gib",      "kv_bytes_per_token", "notes"};
constexpr std::array kThroughputColumns = {
    "id",           "source_repo", "source_ref", "engine",     "engine_version",
    "model",        "gpu",         "n_gpus",     "tp",         "pp",
    "weight_dtype", "kv_dtype",    "input_len",  "output_len", "batch_or_concurrency",
    "metric",       "value",       "notes"};

constexpr std::array kServingColumns = {"id",
                                        "measured_date",
                                        "backend",
                                        "backend_version",
                                        "model",
                                        "system",
                                        "precision",
                                        "mode",
                                        "isl",
                                        "osl",
                                        "gemm_quant",
                                        "moe_quant",
                                        "concurrency",
                                        "tp",
                                        "pp",
                                        "attention_dp",
                                        "moe_tp",
                                        "moe_ep",
                                        "prefill_workers",
                                        "prefill_tp",
                                        "prefill_pp",
                                        "prefill_attention_dp",
                                        "prefill_moe_tp",
                                        "prefill_moe_ep",
                                        "decode_workers",
                                        "decode_tp",
                                        "decode_pp",
                                        "decode_attention_dp",
                                        "decode_moe_tp",
                                        "decode_moe_ep",
                                        "ttft_ms",
                                        "tpot_ms",
                                        "source"};

struct Kind {
  std::string_view name;
  std::span<const char* const> columns;
};
constexpr std::array kKinds = {Kind{"memory_kv", kMemoryKvColumns}, Kind{"memory_llamacpp", kLlamaCppColumns},
                               Kind{"kv_tables", kKvTableColumns}, Kind{"throughput", kThroughputColumns},
                               Kind{"serving_silicon", kServingColumns}};

std::vector<std::string> missing_columns(const CsvTable& table, const Kind& kind) {
  std::vector<std::string> missing;
  for (const char* column : kind.columns)
    if (!table.find_column(column)) missing.emplace_back(column);
  return missing;
}

/// The kind all of whose columns the table has.
std::size_t kind_of(const CsvTable& table) {
  std::size_t nearest = 0;
  std::vector<std::string> least(kMemoryKvColumns.size() + kLlamaCppColumns.size() + kServingColumns.size());
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    std::vector<std::string> missing = missing_columns(table, kKinds[i]);
    if (missing.empty()) return i;
    if (missing.size() >= least.size()) continue;
    least = std::move(missing);
    nearest = i;
  }
  throw Error(ErrorKind::kInput, table.file.string(),
              fmt::format("has the columns of no known table; for {} it lacks {}.", kKinds[nearest].name,
                          fmt::join(least, ", ")),
              fmt::format("Known tables: memory_kv ({}); memory_llamacpp ({}, …); kv_tables ({}); throughput ({}, …); "
                          "serving_silicon ({}, …).",
                          "id, model, gpu, weights_gib_per_gpu, kv_gib_per_gpu, …",
                          "id, model, file_type, k_mib, v_mib", fmt::join(kKvTableColumns, ", "),
                          "id, engine, model, gpu, metric, value", "id, backend, model, system, ttft_ms, tpot_ms"));
}

// Members are read in the order of the struct; `source` comes last, because it collects what the others found.

MemoryKvRow read_memory_kv(RowReader& row) {
  MemoryKvRow made{.source = {},
                   .model = row.text("model"),
                   .gpu = row.text("gpu"),
                   .tp = row.small_count("tp"),
                   .pp = row.small_count("pp"),
                   .dtype = row.text("dtype"),
                   .kv_dtype = row.text("kv_dtype"),
                   .gpu_mem_util = row.number("gpu_mem_util", 0.0, 1.0),
                   .max_model_len = row.count("max_model_len"),
                   .weights_gib_per_gpu = row.number("weights_gib_per_gpu", 0.0, kMostGib),
                   .kv_gib_per_gpu = row.number("kv_gib_per_gpu", -kMostGib, kMostGib),
                   .kv_tokens_total = row.count("kv_tokens_total"),
                   .gpu_blocks = row.count("gpu_blocks"),
                   .block_size = row.small_count("block_size"),
                   .gpu_total_gib = row.number("gpu_total_gib", 0.0, kMostGib),
                   .activation_gib = row.number("activation_gib", 0.0, kMostGib),
                   .non_torch_gib = row.number("non_torch_gib", -kMostGib, kMostGib),
                   .cuda_graph_gib = row.number("cuda_graph_gib", -kMostGib, kMostGib)};
  made.source = row.source();
  return made;
}

/// A number; other builds have names ("e9fd8dc").
std::optional<int> build_of(const std::string& text) {
  int build = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), build);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() ? std::optional(build) : std::nullopt;
}

LlamaCppLog read_llamacpp_log(RowReader& row) {
  return {.engine = row.text("engine"),
          .build = build_of(row.text("engine_build")),
          .parameters = row.text("model_params"),
          .file_type = row.text("file_type"),
          .n_ctx = row.count("n_ctx").value_or(0),
          .n_batch = row.small_count("n_batch"),
          .n_ubatch = row.small_count("n_ubatch"),
          .n_gpus = row.small_count("n_gpus"),
          .flash_attention = row.small_count("flash_attn") == 1,
          .mla_mode = row.small_count("mla_mode"),
          .layers_offloaded = row.text("layers_offloaded"),
          .type_k = row.text("type_k"),
          .type_v = row.text("type_v"),
          .notes = row.text("notes"),
          .model_gib = row.number("model_size_gib", 0.0, kMostGib),
          .k_mib = row.number("k_mib", 0.0, kMostMib),
          .v_mib = row.number("v_mib", 0.0, kMostMib),
          .vram_model_mib = row.number("vram_model_mib", 0.0, kMostMib),
          .model_buffers = row.buffers("model_buffers_mib"),
          .kv_buffers = row.buffers("kv_buffers_mib"),
          .compute_buffers = row.buffers("compute_buffers_mib"),
          .output_buffers = row.buffers("output_buffers_mib")};
}

LlamaCppRow read_llamacpp(RowReader& row) {
  LlamaCppRow made{.source = {}, .model = row.text("model"), .gpu = row.text("gpu"), .log = read_llamacpp_log(row)};
  made.source = row.source();
  return made;
}

KvTableRow read_kv_table(RowReader& row) {
  KvTableRow made{.source = {},
                  .model = row.text("model"),
                  .context_tokens = row.count("context_tokens"),
                  .batch = row.count("batch"),
                  .dtype = row.text("dtype"),
                  .kv_gib = row.number("kv_gib", 0.0, kMostGib),
                  .kv_bytes_per_token = row.number("kv_bytes_per_token", 0.0, RowReader::kMostCount)};
  made.source = row.source();
  return made;
}

ThroughputRow read_throughput(RowReader& row) {
  ThroughputRow made{.source = {},
                     .engine = row.text("engine"),
                     .engine_version = row.text("engine_version"),
                     .model = row.text("model"),
                     .gpu = row.text("gpu"),
                     .n_gpus = row.small_count("n_gpus"),
                     .tp = row.small_count("tp"),
                     .pp = row.small_count("pp"),
                     .weight_dtype = row.text("weight_dtype"),
                     .kv_dtype = row.text("kv_dtype"),
                     .input_len = row.number("input_len", 0.0, RowReader::kMostCount),
                     .output_len = row.number("output_len", 0.0, RowReader::kMostCount),
                     .batch_or_concurrency = row.text("batch_or_concurrency"),
                     .metric = row.text("metric"),
                     .value = row.number("value", 0.0, kMostRate)};
  made.source = row.source();
  return made;
}

/// Columns "prefill_tp", … of `part` "prefill_"; those of the whole deployment have no such beginning.
ServingRanks read_ranks(RowReader& row, const std::string& part) {
  return {.n_workers = part.empty() ? std::nullopt : row.small_count(part + "workers"),
          .tp = row.small_count(part + "tp"),
          .pp = row.small_count(part + "pp"),
          .attention_dp = row.small_count(part + "attention_dp"),
          .moe_tp = row.small_count(part + "moe_tp"),
          .moe_ep = row.small_count(part + "moe_ep")};
}

ServingRow read_serving(RowReader& row) {
  ServingRow made{.source = {},
                  .measured_date = row.text("measured_date"),
                  .backend = row.text("backend"),
                  .backend_version = row.text("backend_version"),
                  .model = row.text("model"),
                  .system = row.text("system"),
                  .precision = row.text("precision"),
                  .mode = row.text("mode"),
                  .gemm_quant = row.text("gemm_quant"),
                  .moe_quant = row.text("moe_quant"),
                  .isl = row.number("isl", 0.0, RowReader::kMostCount),
                  .osl = row.number("osl", 0.0, RowReader::kMostCount),
                  .concurrency = row.small_count("concurrency"),
                  .ranks = read_ranks(row, ""),
                  .prefill = read_ranks(row, "prefill_"),
                  .decode = read_ranks(row, "decode_"),
                  .ttft_ms = row.number("ttft_ms", 0.0, kMostRate),
                  .tpot_ms = row.number("tpot_ms", 0.0, kMostRate),
                  .image = row.text_or_none("image")};
  made.source = row.plain_source();
  return made;
}

template <class Row>
std::vector<Row> read_all(const CsvTable& table, Row (*read)(RowReader&)) {
  std::vector<Row> rows;
  rows.reserve(table.rows.size());
  for (const CsvRow& row : table.rows) {
    RowReader reader(table, row);
    rows.push_back(read(reader));
  }
  return rows;
}

}  // namespace

std::string_view kind_name(const ReferenceRows& rows) {
  return kKinds[rows.index()].name;
}

ReferenceRows reference_rows(const CsvTable& table) {
  switch (kind_of(table)) {
    case 0: return read_all(table, read_memory_kv);
    case 1: return read_all(table, read_llamacpp);
    case 2: return read_all(table, read_kv_table);
    case 3: return read_all(table, read_throughput);
    default: return read_all(table, read_serving);
  }
}

ReferenceRows read_reference_rows(const std::filesystem::path& csv) {
  return reference_rows(read_csv(csv));
}

}  // namespace dachlast
