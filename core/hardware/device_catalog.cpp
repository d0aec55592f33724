#include "core/hardware/device_catalog.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/nearest_name.h"
#include "core/base/user_data_dir.h"
#include "core/hardware/device_names.h"
#include "core/hardware/yaml_file.h"
#include "core/model/model_source.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

DeviceSpec read_as(const fs::path& file, DeviceOrigin origin) {
  DeviceSpec spec = read_device_file(file);
  spec.origin = origin;
  return spec;
}

/// Devices of every device file in `folder`; none where there is no such folder.
std::vector<DeviceSpec> read_folder(const fs::path& folder, DeviceOrigin origin) {
  std::vector<DeviceSpec> devices;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed))
    if (is_data_file_name(entry.path())) devices.push_back(read_as(entry.path(), origin));
  return devices;
}

std::vector<DeviceSpec> imported_devices() {
  const auto folder = find_user_data_dir();
  return folder ? read_folder(*folder / "devices", DeviceOrigin::kImported) : std::vector<DeviceSpec>();
}

/// The device whose file in the catalog has this very name: spares reading all the others.
std::optional<DeviceSpec> catalog_device(const std::string& id) {
  const fs::path file = data_dir() / "devices" / (id + ".json");
  std::error_code failed;
  if (id.find('/') != std::string::npos || !fs::is_regular_file(file, failed)) return std::nullopt;
  return read_as(file, DeviceOrigin::kCatalog);
}

bool holds_id(const std::vector<DeviceSpec>& devices, const std::string& id) {
  return std::any_of(devices.begin(), devices.end(), [&](const DeviceSpec& device) { return device.id == id; });
}

std::string candidate_text(const std::vector<const DeviceSpec*>& candidates) {
  constexpr std::size_t kShown = 8;  // more do not help anyone to choose
  std::string text;
  for (std::size_t i = 0; i < std::min(candidates.size(), kShown); ++i)
    text += (i == 0 ? "" : ", ") + candidates[i]->id;
  return candidates.size() > kShown ? text + ", …" : text;
}

[[noreturn]] void fail_unknown(const std::string& typed, const std::vector<DeviceSpec>& devices) {
  std::vector<std::string> names;
  for (const DeviceSpec& device : devices) {
    names.push_back(device.id);
    names.push_back(device.name);
  }
  const auto nearest = nearest_name(typed, names);
  throw Error(ErrorKind::kUsage, typed, "is no device that is known by that name.",
              nearest
                  ? fmt::format("Did you mean \"{}\"? `dachlast gpus` lists all; a device file works too.", *nearest)
                  : "`dachlast gpus` lists all; a device file (.yaml, .json) works too.");
}

}  // namespace

fs::path user_device_dir() {
  return user_data_dir("imported devices") / "devices";
}

std::vector<DeviceSpec> list_devices() {
  std::vector<DeviceSpec> devices = imported_devices();
  for (DeviceSpec& device : read_folder(data_dir() / "devices", DeviceOrigin::kCatalog))
    if (!holds_id(devices, device.id)) devices.push_back(std::move(device));
  std::sort(devices.begin(), devices.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return devices;
}

DeviceSpec find_device(const std::string& name_or_file) {
  if (name_or_file.empty()) throw Error(ErrorKind::kUsage, "device", "has no name.", "`dachlast gpus` lists all.");
  if (is_data_file_name(name_or_file)) return read_device_file(name_or_file);
  if (name_or_file.front() == '.' || name_or_file.front() == '/')
    throw Error(ErrorKind::kInput, name_or_file, "is no device file: it ends neither in .yaml nor in .json.",
                "Rename it after what it holds.");
  for (DeviceSpec& device : imported_devices())
    if (device.id == name_or_file) return std::move(device);
  if (auto device = catalog_device(name_or_file)) return *std::move(device);
  const std::vector<DeviceSpec> devices = list_devices();
  const auto meant = devices_meant(name_or_file, devices);
  if (meant.size() == 1) return *meant.front();
  if (meant.empty()) fail_unknown(name_or_file, devices);
  throw Error(ErrorKind::kUsage, name_or_file,
              fmt::format("can mean {} devices: {}.", meant.size(), candidate_text(meant)), "Give one of these ids.");
}

DeviceSpec import_device(const fs::path& file, IfDeviceExists if_exists) {
  DeviceSpec device = read_device_file(file);
  if (if_exists == IfDeviceExists::kRefuse && holds_id(list_devices(), device.id))
    throw Error(ErrorKind::kUsage, file.string(), fmt::format("its id \"{}\" is taken.", device.id),
                "Choose another id, or replace that device with --force.");
  const fs::path stored = user_device_dir() / (device.id + file.extension().string());
  std::vector<fs::path> replaced;
  for (const DeviceSpec& known : imported_devices())
    if (known.id == device.id && known.file != stored) replaced.push_back(known.file);
  if (std::error_code same; !fs::equivalent(file, stored, same)) store_copy(file, stored);
  std::error_code ignored;
  for (const fs::path& old : replaced) fs::remove(old, ignored);
  device.origin = DeviceOrigin::kImported;
  device.file = stored;
  return device;
}

}  // namespace dachlast
