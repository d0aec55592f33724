#include "core/workbench/import_profile.h"

#include "core/base/error.h"
#include "core/hardware/device_catalog.h"
#include "core/import/profile_file.h"
#include "core/model/model_source.h"

namespace dachlast {

std::optional<DeviceSpec> recorded_device(const GpuProfile& profile) {
  for (const TraceDevice& device : profile.devices) {
    if (device.name.empty()) continue;
    try {
      return find_device(device.name);
    } catch (const Error&) {
      return std::nullopt;  // an unknown name is no fault of the reader: verdicts are left out, and the view says so
    }
  }
  return std::nullopt;
}

viewmodel::ProfileView import_profile(const ImportRequest& request) {
  const NameRules rules(data_dir() / "rules");
  const GpuProfile profile = read_profile(request.file, rules);
  viewmodel::ProfileViewOptions options;
  options.device = request.device.empty() ? recorded_device(profile) : find_device(request.device);
  options.threshold = request.threshold;
  options.n_kernels = request.n_kernels;
  return viewmodel::profile_view(profile, options);
}

}  // namespace dachlast
