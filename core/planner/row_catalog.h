#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/hardware/device_spec.h"
#include "core/model/model_spec.h"
#include "core/model/preset_catalog.h"
#include "core/model/weight_format.h"
#include "core/planner/efficiency_catalog.h"
#include "core/planner/engine_profile.h"
#include "core/planner/recipe_catalog.h"
#include "core/planner/row_words.h"
#include "core/planner/server_settings.h"

namespace dachlast {

/// A model of the catalog with the types its own config states.
struct KnownModel {
  std::string preset;
  ModelSpec spec;
  WeightFormat own_weights;
};

/// A device a row means.
struct KnownDevice {
  const DeviceSpec* spec;
  std::string assumption;  // where the name fits several
};

/// Models, devices and engines by the names that published rows use; every file is read once.
/// Threads  one at a time.
class RowCatalog {
 public:
  RowCatalog(std::vector<PresetSource> presets, std::vector<DeviceSpec> devices);

  /// nullptr where no known config is of that model. `parameters` decides where the text leaves the size open.
  const KnownModel* model(const std::string& text, std::optional<double> parameters = std::nullopt);
  /// Of several devices of one name the SXM module counts, of several sizes the one whose capacity is nearest to the row's,
  /// else the largest. Empty where none is meant.
  /// A name no device file has stands for its memory alone, where that is in the name.
  std::optional<KnownDevice> device(const RowDevice& words);
  /// The profile of that version. For an engine without one: nothing but the buffers it allocates, no budget.
  const EngineProfile& engine(const RowEngine& engine);
  /// Efficiency curves of the program's data files, read when first asked for.
  const EfficiencyCatalog& efficiency();
  /// Deployments of published sweeps, read when first asked for.
  const RecipeCatalog& recipes();
  /// What their scripts tell servers, likewise.
  const SettingsCatalog& settings();
  /// Takes other curves instead, and leaves out what engines add to their kernels.
  void use_plain_roofs(EfficiencyCatalog curves) {
    efficiency_ = std::move(curves);
    plain_ = true;
  }

 private:
  std::optional<KnownDevice> unlisted_device(const RowDevice& words);

  std::vector<PresetSource> presets_;
  std::vector<DeviceSpec> devices_;
  std::map<std::string, KnownModel, std::less<>> models_;  // by preset
  std::map<std::string, EngineProfile, std::less<>> engines_;
  std::map<std::string, DeviceSpec, std::less<>> unlisted_;
  std::optional<EfficiencyCatalog> efficiency_;
  std::optional<RecipeCatalog> recipes_;
  std::optional<SettingsCatalog> settings_;
  bool plain_ = false;
};

}  // namespace dachlast
