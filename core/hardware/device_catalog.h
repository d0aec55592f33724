#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/hardware/device_spec.h"

namespace dachlast {

/// Catalog and imported devices, sorted by id; an imported device replaces the catalog's of the same id.
/// Errors   throws `Error` (kInput) naming the file that cannot be read.
std::vector<DeviceSpec> list_devices();

/// The device a person names: an id, a forgiving spelling of it ("h100", "H100 SXM 80GB"), or a device file (.yaml,
/// .json) of any path.
/// Errors   throws `Error`: kUsage listing the candidates where several are meant, or the nearest where none is;
///          kInput where the file cannot be read.
DeviceSpec find_device(const std::string& name_or_file);

enum class IfDeviceExists { kRefuse, kReplace };

/// Checks a device file and stores a copy in the user's folder; from then on its id is known. Returns what was stored.
/// Errors   throws `Error`: kInput where the file is wrong; kUsage where the id is taken and `if_exists` refuses.
DeviceSpec import_device(const std::filesystem::path& file, IfDeviceExists if_exists);

/// Folder of imported devices: `$XDG_DATA_HOME/dachlast/devices`.
std::filesystem::path user_device_dir();

}  // namespace dachlast
