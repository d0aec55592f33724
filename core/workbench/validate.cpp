#include "core/workbench/validate.h"

#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"
#include "core/model/preset_catalog.h"

namespace dachlast {

Validation validate_files(std::span<const std::filesystem::path> files) {
  std::vector<DeviceSpec> devices;
  for (DeviceSpec& package : list_devices()) devices.push_back(per_device(std::move(package)));
  RowCatalog catalog(read_preset_catalog(data_dir() / "models"), std::move(devices));
  Validation validation;
  for (const std::filesystem::path& file : files) validation.merge(validate_rows(read_reference_rows(file), catalog));
  return validation;
}

}  // namespace dachlast
