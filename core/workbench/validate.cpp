#include "core/workbench/validate.h"

#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"
#include "core/model/preset_catalog.h"

namespace dachlast {

Validation validate_files(std::span<const std::filesystem::path> files, TimeModel time_model) {
  std::vector<DeviceSpec> devices;
  for (DeviceSpec& package : list_devices()) devices.push_back(per_device(std::move(package)));
  RowCatalog catalog(read_preset_sources(data_dir() / "models" / "SOURCES.csv"), std::move(devices));
  if (time_model == TimeModel::kConstant) catalog.use_plain_roofs(EfficiencyCatalog::with_constant_shares(0.8, 0.6));
  if (time_model == TimeModel::kRoofline) catalog.use_plain_roofs(EfficiencyCatalog::with_constant_shares(1.0, 1.0));
  Validation validation;
  for (const std::filesystem::path& file : files) validation.merge(validate_rows(read_reference_rows(file), catalog));
  return validation;
}

}  // namespace dachlast
