// Start-up logs of serving engines: weights, room for the cache, tokens, and whether the engine started.
#include <fmt/core.h>

#include <cmath>

#include "core/base/error.h"
#include "core/planner/cross_validation.h"
#include "core/planner/row_scenario.h"
#include "core/planner/validation.h"

namespace dachlast {
namespace {

FitVerdict published_verdict(const MemoryKvRow& row) {
  const bool no_room = row.kv_gib_per_gpu && *row.kv_gib_per_gpu <= 0.0;
  return read_notes(row.source.notes).refused || no_room ? FitVerdict::kDoesNotFit : FitVerdict::kFits;
}

class RowCheck {
 public:
  RowCheck(const MemoryKvRow& row, const RowScenario& scenario, Validation& validation)
      : row_(row), scenario_(scenario), planner_(scenario.planner()), validation_(validation) {}

  void check() {
    for (const std::string& text : scenario_.assumptions) validation_.assumptions.push_back({row_.source.id, text});
    check_weights();
    check_room();
    check_tokens();
    check_parts();
    observe_capacity();
    check_fit();
  }

 private:
  void add(const char* component, const char* item, double predicted, double published) {
    validation_.add({row_.source.id, component, item, predicted, published});
  }

  void skip(const char* component, std::string reason) {
    validation_.skipped.push_back({row_.source.id, component, std::move(reason)});
  }

  int context() const { return context_of(scenario_, row_.max_model_len); }

  /// Why the plan cannot tell the room; empty where it can.
  std::string missing_for_room() const {
    if (!scenario_.unknown_weights.empty()) return scenario_.unknown_weights;
    if (scenario_.engine.id.empty()) return fmt::format("no profile of {}", scenario_.engine_name);
    if (!planner_) return "the capacity of the device is not known";
    if (!row_.gpu_mem_util) return "the memory fraction is not stated";
    if (scenario_.notes.shared_gpu) return "another program held memory of the device";
    if (contradicts_itself()) return "the row contradicts itself: a process held far less than the fraction allows";
    return {};
  }

  /// An engine fills its budget with cache, whatever the model.
  bool contradicts_itself() const {
    constexpr double kMibBytes = 1024.0 * 1024.0;
    return scenario_.notes.process_mib && *scenario_.notes.process_mib * kMibBytes < 0.6 * planner_->budget_bytes();
  }

  void check_weights() {
    if (!row_.weights_gib_per_gpu) return;
    if (!scenario_.unknown_weights.empty()) return skip("weights", scenario_.unknown_weights);
    add("weights", "GiB per GPU", scenario_.loaded_bytes() / kGiB, *row_.weights_gib_per_gpu);
  }

  void check_room() {
    if (!row_.kv_gib_per_gpu) return;
    if (*row_.kv_gib_per_gpu <= 0.0) return skip("kv_bytes", "there was no room: counted under fit");
    if (const std::string reason = missing_for_room(); !reason.empty()) return skip("kv_bytes", reason);
    add("kv_bytes", "GiB per GPU", planner_->kv_room() / kGiB, *row_.kv_gib_per_gpu);
    if (!scenario_.notes.imprecise && row_.weights_gib_per_gpu) note_residual();
  }

  void note_residual() {
    const double beside = planner_->budget_bytes() - planner_->loaded_bytes() - planner_->kv_room();
    const auto library = library_memory();
    validation_.residuals.push_back(
        {.id = row_.source.id,
         .source = publisher_of(row_.source),
         .predicted = beside / kGiB,
         .published = planner_->budget_bytes() / kGiB - *row_.weights_gib_per_gpu - *row_.kv_gib_per_gpu,
         .library = library ? library->value / kGiB : 0.0,
         .constant = library_name(library.value_or(Bytes{}))});
  }

  std::optional<Bytes> library_memory() const {
    const std::string architecture = scenario_.device ? scenario_.device->architecture : std::string();
    return non_torch_memory(scenario_.engine, architecture, scenario_.layout.tensor_parallel);
  }

  /// A constant is told from others by its value: versions and devices share it or have their own.
  std::string library_name(Bytes used) const {
    return fmt::format("library memory of {}, {:.2f} GiB", scenario_.engine.id, used.value / kGiB);
  }

  void observe(std::string constant, double used_gib, double observed_gib) {
    validation_.observations.push_back(
        {std::move(constant), row_.source.id, publisher_of(row_.source), used_gib, observed_gib});
  }

  /// What the driver lists and frameworks see of one device.
  void observe_capacity() {
    if (!row_.gpu_total_gib || !scenario_.device) return;
    const MemoryPool& pool = scenario_.device->main_memory();
    const auto used = capacity_for_frameworks(*scenario_.device);
    if (!pool.capacity || !used || used->value == pool.capacity->value) return;
    const double reserve = (pool.capacity->value - used->value) / kGiB;
    observe(fmt::format("driver reserve, {:.2f} GiB", reserve), reserve,
            pool.capacity->value / kGiB - *row_.gpu_total_gib);
  }

  void check_tokens() {
    if (!row_.kv_tokens_total) return;
    if (!scenario_.unknown_cache.empty()) return skip("kv_tokens", scenario_.unknown_cache);
    const auto published = static_cast<double>(*row_.kv_tokens_total);
    if (row_.kv_gib_per_gpu && *row_.kv_gib_per_gpu > 0.0)
      return add("kv_tokens", "in the published room", scenario_.kv_tokens_in(*row_.kv_gib_per_gpu * kGiB, context()),
                 published);
    if (const std::string reason = missing_for_room(); !reason.empty()) return skip("kv_tokens", reason);
    add("kv_tokens", "in the predicted room", planner_->kv_tokens(context()), published);
  }

  void check_parts() {
    const DeviceMemory memory = planner_ ? planner_->at(context(), 1) : DeviceMemory{};
    if (row_.activation_gib) {
      if (!planner_ || scenario_.engine.id.empty())
        skip("activations", missing_for_room());
      else
        add("activations", "GiB per GPU", (memory.activations + memory.workspace) / kGiB, *row_.activation_gib);
    }
    check_non_torch();
    if (row_.cuda_graph_gib) skip("cuda_graphs", "no law of captured graphs is known");
  }

  void check_non_torch() {
    if (!row_.non_torch_gib) return;
    if (scenario_.notes.shared_gpu) return skip("non_torch", "another program held memory of the device");
    const auto predicted = library_memory();
    if (!predicted) return skip("non_torch", "no published figure for this engine");
    add("non_torch", "GiB per GPU", predicted->value / kGiB, *row_.non_torch_gib);
    observe(library_name(*predicted), predicted->value / kGiB, *row_.non_torch_gib);
  }

  void check_fit() {
    if (scenario_.engine.id.empty()) return skip("fit", fmt::format("no profile of {}", scenario_.engine_name));
    if (!scenario_.unknown_weights.empty()) return skip("fit", scenario_.unknown_weights);
    if (!scenario_.unknown_cache.empty()) return skip("fit", scenario_.unknown_cache);
    if (!planner_) return skip("fit", "the capacity of the device is not known");
    if (scenario_.notes.shared_gpu) return skip("fit", "another program held memory of the device");
    const double spare = planner_->budget_bytes() - planner_->at(context(), 1).total();
    validation_.fits.push_back({row_.source.id, spare >= 0.0 ? FitVerdict::kFits : FitVerdict::kDoesNotFit,
                                published_verdict(row_),
                                fmt::format("{} {:.2f} GiB per GPU at {} tokens", spare >= 0.0 ? "spare" : "short by",
                                            std::abs(spare) / kGiB, context())});
  }

  const MemoryKvRow& row_;
  const RowScenario& scenario_;
  std::optional<MemoryPlanner> planner_;
  Validation& validation_;
};

}  // namespace

Validation validate_memory_kv(std::span<const MemoryKvRow> rows, RowCatalog& catalog) {
  Validation validation;
  for (const MemoryKvRow& row : rows) {
    ++validation.n_rows;
    try {
      const RowReading reading = read_scenario(row, catalog);
      if (reading.scenario)
        RowCheck(row, *reading.scenario, validation).check();
      else
        validation.skipped.push_back({row.source.id, "all", reading.reason});
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kDoesNotFit)  // a layout our plan refuses: a verdict too
        validation.fits.push_back({row.source.id, FitVerdict::kDoesNotFit, published_verdict(row), error.what()});
      validation.skipped.push_back({row.source.id, "all", error.what()});
    }
  }
  return validation;
}

}  // namespace dachlast
