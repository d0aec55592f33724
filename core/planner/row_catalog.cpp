#include "core/planner/row_catalog.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/hardware/device_names.h"
#include "core/model/model_alias.h"
#include "core/model/model_source.h"

namespace dachlast {
namespace {

KnownModel read_model(const std::string& preset) {
  ModelSource source = resolve_model(preset);
  const WeightFormat weights =
      source.spec.quantized_weights.value_or(plain_weights(*storage_format(name_of(source.spec.native_dtype))));
  return {preset, std::move(source.spec), weights};
}

double capacity_gib(const DeviceSpec& device) {
  const auto capacity = device.main_memory().capacity;
  return capacity ? capacity->value / kGiB : 0.0;
}

/// How well a candidate fits: distance to the reported capacity first, then the usual module, then size.
struct Preference {
  double distance;
  bool other_module;
  double less_memory;

  auto operator<=>(const Preference&) const = default;
};

Preference preference(const DeviceSpec& device, const RowDevice& words) {
  // Frameworks report up to a few per cent less than the driver.
  const double away = words.reported_gib ? std::abs(capacity_gib(device) - *words.reported_gib) : 0.0;
  return {std::floor(away / 4.0), device.id.find("sxm") == std::string::npos, -capacity_gib(device)};
}

constexpr double kSameSizeGib = 4.0;
constexpr double kSameSizeShare = 0.1;  // a driver lists up to a tenth less than is sold

/// "H200 131GB HBM3" is an H200 whatever the size says.
std::string without_memory_size(const std::string& name) {
  const std::string lower = lower_case(name);
  for (std::size_t end = lower.find("gb"); end != std::string::npos; end = lower.find("gb", end + 1)) {
    std::size_t begin = end;
    while (begin > 0 && lower[begin - 1] >= '0' && lower[begin - 1] <= '9') --begin;
    if (begin < end) return name.substr(0, begin) + name.substr(end + 2);
  }
  return name;
}

}  // namespace

RowCatalog::RowCatalog(std::vector<PresetSource> presets, std::vector<DeviceSpec> devices)
    : presets_(std::move(presets)), devices_(std::move(devices)) {}

const KnownModel* RowCatalog::model(const std::string& text, std::optional<double> parameters) {
  auto preset = preset_for_model_text(text, presets_, parameters);
  // A figure that several models share: "DeepSeek V2/V3 (per layer)". "TinyLlama/…" is an organisation and says nothing.
  const std::string first = text.substr(0, text.find('/'));
  if (!preset && first.find(' ') != std::string::npos) preset = preset_for_model_text(first, presets_, parameters);
  if (!preset) return nullptr;
  auto found = models_.find(*preset);
  if (found == models_.end()) found = models_.emplace(*preset, read_model(*preset)).first;
  return &found->second;
}

std::optional<KnownDevice> RowCatalog::device(const RowDevice& words) {
  std::vector<const DeviceSpec*> meant = devices_meant(words.text, devices_);
  const std::string plain = without_memory_size(words.name);
  if (meant.empty() && plain != words.name) meant = devices_meant(plain, devices_);
  if (meant.empty()) return unlisted_device(words);
  const auto best = std::ranges::min_element(
      meant, [&](const DeviceSpec* a, const DeviceSpec* b) { return preference(*a, words) < preference(*b, words); });
  const bool sizes_differ = std::ranges::any_of(meant, [&](const DeviceSpec* other) {
    return std::abs(capacity_gib(*other) - capacity_gib(**best)) > kSameSizeGib;
  });
  const bool other_size = words.sold_gb && capacity_gib(**best) > 0.0 &&
                          std::abs(capacity_gib(**best) - *words.sold_gb) > kSameSizeShare * *words.sold_gb;
  // Apple sells one chip with several sizes of memory.
  if (other_size && (*best)->main_memory().kind == PoolKind::kUnified) return unlisted_device(words);
  KnownDevice known{*best, {}};
  if ((sizes_differ && !words.reported_gib) || other_size)
    known.assumption = fmt::format("{} is {}", words.name, (*best)->name);
  return known;
}

/// A device of which only the memory in its name is known.
std::optional<KnownDevice> RowCatalog::unlisted_device(const RowDevice& words) {
  if (!words.sold_gb || !(*words.sold_gb > 0.0)) return std::nullopt;
  DeviceSpec device;
  device.id = device.name = words.name;
  device.memory = {{.kind = PoolKind::kDevice,
                    .capacity = Bytes{*words.sold_gb * kGiB},
                    .basis = CapacityBasis::kNominal,
                    .marketing_gb = words.sold_gb,
                    .bandwidth = {}}};
  const auto made = unlisted_.emplace(words.name, std::move(device)).first;
  return KnownDevice{&made->second,
                     fmt::format("{} is in no device file: its memory is the size in its name", words.name)};
}

const EfficiencyCatalog& RowCatalog::efficiency() {
  if (!efficiency_) efficiency_.emplace(data_dir() / "efficiency");
  return *efficiency_;
}

const RecipeCatalog& RowCatalog::recipes() {
  if (!recipes_) recipes_.emplace(data_dir() / "recipes" / "inference_x.csv");
  return *recipes_;
}

const SettingsCatalog& RowCatalog::settings() {
  if (!settings_) settings_.emplace(data_dir() / "recipes" / "inference_x_servers.csv");
  return *settings_;
}

const EngineProfile& RowCatalog::engine(const RowEngine& engine) {
  const std::string key = engine.id + (engine.version.empty() ? "" : "@" + engine.version);
  auto found = engines_.find(key);
  if (found != engines_.end()) return found->second;
  EngineProfile profile;
  if (engine.id.empty()) {
    profile.name = engine.name;
    profile.budget.value = BudgetRule::kWholeDevice;
    profile.window_policy.value = WindowPolicy::kFullLength;
  } else {
    profile = find_engine(key);
  }
  if (plain_) {
    SpeedFacts plain;
    plain.kernels = profile.speed.kernels;
    plain.collectives = profile.speed.collectives;
    plain.prompts = profile.speed.prompts;
    profile.speed = plain;
  }
  return engines_.emplace(key, std::move(profile)).first->second;
}

}  // namespace dachlast
