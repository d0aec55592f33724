// Load logs of llama.cpp and ik_llama.cpp, buffer by buffer.
#include <fmt/core.h>

#include <charconv>
#include <optional>

#include "core/base/error.h"
#include "core/memory/llamacpp_log.h"
#include "core/planner/validation.h"

namespace dachlast {
namespace {

std::vector<LlamaCppBuffer> buffers_of(const std::vector<DeviceMib>& list) {
  std::vector<LlamaCppBuffer> buffers;
  for (const DeviceMib& buffer : list) buffers.emplace_back(buffer.device, buffer.mib);
  return buffers;
}

/// A number; other builds have names ("e9fd8dc").
std::optional<int> build_of(const std::string& text) {
  int build = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), build);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() ? std::optional(build) : std::nullopt;
}

LlamaCppLog log_of(const LlamaCppRow& row) {
  LlamaCppLog log;
  log.engine = row.engine;
  log.build = build_of(row.engine_build);
  log.parameters = row.model_params;
  log.file_type = row.file_type;
  log.n_ctx = row.n_ctx.value_or(0);
  log.n_batch = row.n_batch;
  log.n_ubatch = row.n_ubatch;
  log.n_gpus = row.n_gpus;
  log.flash_attention = row.flash_attn == 1;
  log.mla_mode = row.mla_mode;
  log.layers_offloaded = row.layers_offloaded;
  log.type_k = row.type_k;
  log.type_v = row.type_v;
  log.notes = row.source.notes;
  log.model_gib = row.model_size_gib;
  log.k_mib = row.k_mib;
  log.v_mib = row.v_mib;
  log.vram_model_mib = row.vram_model_mib;
  log.model_buffers = buffers_of(row.model_buffers_mib);
  log.kv_buffers = buffers_of(row.kv_buffers_mib);
  log.compute_buffers = buffers_of(row.compute_buffers_mib);
  log.output_buffers = buffers_of(row.output_buffers_mib);
  return log;
}

constexpr int kMostGpus = 1024;

/// Names of the components as `validate` reports them.
std::string component_of(const std::string& name) {
  return name == "kv" || name == "kv_buffer" ? "kv_bytes" : name;
}

void check(const LlamaCppRow& row, RowCatalog& catalog, Validation& validation) {
  const std::string& id = row.source.id;
  const LlamaCppLog log = log_of(row);
  const KnownModel* known = catalog.model(row.model, log.stated_parameters());
  if (known == nullptr) {
    validation.skipped.push_back({id, "all", fmt::format("no known config is of \"{}\"", row.model)});
    return;
  }
  if (row.n_gpus.value_or(0) > kMostGpus) {
    validation.skipped.push_back({id, "all", fmt::format("{} GPUs are no computer", *row.n_gpus)});
    return;
  }
  const LlamaCppComparison result = compare_with_log(gguf_shape(known->spec), log);
  for (const LlamaCppFigure& figure : result.figures)
    validation.add({id, component_of(figure.component), figure.item, figure.predicted, figure.logged});
  for (const LlamaCppGap& gap : result.gaps)
    validation.skipped.push_back({id, component_of(gap.component), gap.reason});
  for (const std::string& text : result.assumptions) validation.assumptions.push_back({id, text});
}

}  // namespace

Validation validate_llamacpp(std::span<const LlamaCppRow> rows, RowCatalog& catalog) {
  return validate_each(rows, [&](const LlamaCppRow& row, Validation& validation) { check(row, catalog, validation); });
}

}  // namespace dachlast
