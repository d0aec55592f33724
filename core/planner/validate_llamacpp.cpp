// Load logs of llama.cpp and ik_llama.cpp, buffer by buffer.
#include <fmt/core.h>

#include "core/memory/llamacpp_log.h"
#include "core/planner/validation.h"

namespace dachlast {
namespace {

constexpr int kMostGpus = 1024;

/// Names of the components as `validate` reports them.
std::string component_of(const std::string& name) {
  return name == "kv" || name == "kv_buffer" ? "kv_bytes" : name;
}

void check(const LlamaCppRow& row, RowCatalog& catalog, Validation& validation) {
  const std::string& id = row.source.id;
  const LlamaCppLog& log = row.log;
  const KnownModel* known = catalog.model(row.model, log.stated_parameters());
  if (known == nullptr) {
    validation.skipped.push_back({id, "all", fmt::format("no known config is of \"{}\"", row.model)});
    return;
  }
  if (log.n_gpus.value_or(0) > kMostGpus) {
    validation.skipped.push_back({id, "all", fmt::format("{} GPUs are no computer", *log.n_gpus)});
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
