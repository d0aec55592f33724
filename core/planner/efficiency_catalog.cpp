#include "core/planner/efficiency_catalog.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/hardware/data_object.h"
#include "core/hardware/yaml_file.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

constexpr double kMostConstant = 1e9;
constexpr int kMostShapes = 1'000'000'000;

std::size_t law_of(DataObject& curve) {
  const std::string name = curve.text("op");
  const auto found = std::ranges::find(kOpLawNames, name);
  if (found == kOpLawNames.end()) curve.fail("op", fmt::format("\"{}\" is no operation with a law", name));
  return static_cast<std::size_t>(found - kOpLawNames.begin());
}

EfficiencyCurve read_curve(DataObject& object, const std::string& device) {
  EfficiencyCurve curve;
  curve.law = static_cast<OpLaw>(law_of(object));
  curve.device = device;
  curve.kernels = object.text("kernels");
  curve.type = object.text("type");
  curve.n_devices = object.count("n_devices", kMostShapes).value_or(1);
  object.count("n_shapes", kMostShapes);
  curve.held_out_median = object.number("held_out_median_pct", kMostConstant).value_or(0.0) / 100.0;
  curve.held_out_p90 = object.number("held_out_p90_pct", kMostConstant).value_or(0.0) / 100.0;
  DataObject law = object.object("law");
  for (std::size_t i = 0; i < kLawConstantNames.size(); ++i)
    curve.constants[i] = law.number(std::string(kLawConstantNames[i]), kMostConstant).value_or(0.0);
  law.finish();
  object.finish();
  return curve;
}

void read_file(const fs::path& file, std::vector<EfficiencyCurve>& curves) {
  const auto document = read_data_file(file);
  DataObject object(document, file);
  if (object.text("schema") != "dachlast.efficiency/1") object.fail("schema", "is not \"dachlast.efficiency/1\"");
  const std::string device = object.text("device");
  object.text("source");
  object.text("fitted_by");
  const double sustained = object.number("sustained_share", 1.0).value_or(1.0);
  for (DataObject& curve : object.objects_or_none("curves")) {
    curves.push_back(read_curve(curve, device));
    curves.back().sustained = sustained;
  }
  object.finish();
}

/// Devices whose measurements stand for those of an architecture, the most alike first.
struct Family {
  std::string_view architecture_has;
  std::string_view device_has;  // narrows it; empty: all
  std::array<std::string_view, 2> measured;
};
// GA102 has the memory (GDDR) and the SMs of a card, as AD102 has, and no measurements of its own.
constexpr Family kFamilies[] = {{"GA100", "", {"a100-sxm-80gb", ""}},
                                {"Volta", "", {"a100-sxm-80gb", ""}},
                                {"Turing", "", {"a100-sxm-80gb", ""}},
                                {"GA102", "", {"l40s", "a100-sxm-80gb"}},
                                {"Ada", "", {"l40s", ""}},
                                {"Hopper", "h2", {"h200-sxm", "h100-sxm"}},
                                {"Hopper", "gh200", {"h200-sxm", ""}},
                                {"Hopper", "", {"h100-sxm", "h200-sxm"}},
                                {"GB202", "", {"rtx-pro-6000-bw", ""}},
                                {"Blackwell", "gb", {"gb200", "b200-sxm"}},
                                {"Blackwell", "", {"b200-sxm", "gb200"}}};
// What stands for a device whose family nobody measured.
constexpr std::array<std::string_view, 2> kGenericDevices = {"h100-sxm", "a100-sxm-80gb"};

std::vector<std::string_view> family_of(const DeviceSpec& device) {
  std::vector<std::string_view> measured;
  for (const Family& family : kFamilies)
    if (device.architecture.find(family.architecture_has) != std::string::npos &&
        device.id.find(family.device_has) != std::string::npos)
      for (const std::string_view name : family.measured)
        if (!name.empty() && name != device.id) measured.push_back(name);
  return measured;
}

struct Donor {
  std::string_view device;
  EfficiencyOrigin origin;
};
std::vector<Donor> donors_of(const DeviceSpec& device) {
  std::vector<Donor> donors = {{device.id, EfficiencyOrigin::kDevice}};
  for (const std::string_view name : family_of(device)) donors.push_back({name, EfficiencyOrigin::kFamily});
  for (const std::string_view name : kGenericDevices) donors.push_back({name, EfficiencyOrigin::kGeneric});
  donors.push_back({"any", EfficiencyOrigin::kGeneric});  // kernels of which only a share of the roofs is known
  return donors;
}

/// What stands in for a type without measurements, the most alike first.
struct Wider {
  std::string_view type;
  std::array<std::string_view, 4> others;
};
constexpr Wider kWider[] = {{"fp8", {"int8_weights", "bf16"}},
                            {"fp8_static", {"fp8", "int8_weights", "bf16"}},
                            {"fp8_block", {"fp8", "int8_weights", "bf16"}},
                            {"nvfp4", {"int4_weights", "fp8", "bf16"}},
                            {"mxfp4_mxfp8", {"mxfp4", "int4_weights", "bf16"}},
                            {"mxfp4", {"int4_weights", "bf16"}},
                            {"int4_weights", {"bf16"}},
                            {"int8_weights", {"bf16"}},
                            {"int8", {"int8_weights", "fp8", "bf16"}}};

/// Whether the device has the unit that kernels of this type use.
bool has_unit(const DeviceSpec& device, std::string_view type) {
  if (type == "nvfp4" || type == "mxfp4_mxfp8") return device.peak(ComputeType::kFp4).has_value();
  if (type.starts_with("fp8")) return device.peak(ComputeType::kFp8).has_value();
  return true;
}

std::vector<std::string_view> types_for(std::string_view type, const DeviceSpec& device) {
  std::vector<std::string_view> types = {type};
  for (const Wider& wider : kWider)
    if (wider.type == type)
      for (const std::string_view other : wider.others)
        if (!other.empty()) types.push_back(other);
  std::erase_if(types, [&](std::string_view t) { return !has_unit(device, t); });
  return types;
}

/// llama.cpp sums products in 16 bits. GeForce cards list their rate for sums of 32 bits, which is half of that: they are those
/// with an FP16 peak of twice the FP32 one, where cards for workstations have four times.
/// Source  ggml-org/llama.cpp:ggml/src/ggml-cuda/ggml-cuda.cu (CUBLAS_COMPUTE_16F); NVIDIA Ampere GA102 whitepaper, table 3
double short_sums(const EfficiencyCurve& curve, const DeviceSpec& device) {
  if (curve.kernels != "llama.cpp" || device.vendor != "NVIDIA") return 1.0;
  const auto half = device.peak(ComputeType::kFp16);
  const auto single = device.peak(ComputeType::kFp32);
  return half && single && half->value < 2.5 * single->value ? 2.0 : 1.0;
}

}  // namespace

EfficiencyCatalog::EfficiencyCatalog(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed))
    if (is_data_file_name(entry.path())) files.push_back(entry.path());
  std::ranges::sort(files);
  for (const fs::path& file : files) read_file(file, curves_);
  if (curves_.empty())
    throw Error(ErrorKind::kInput, folder.string(), "holds no efficiency curves.", "Reinstall dachlast.");
}

EfficiencyCatalog EfficiencyCatalog::with_constant_shares(double memory, double compute) {
  using enum LawConstant;
  constexpr std::string_view kTypes[] = {"bf16",         "fp8",   "fp8_static",  "fp8_block",    "nvfp4", "int8",
                                         "int8_weights", "mxfp4", "mxfp4_mxfp8", "int4_weights", "gguf",  "any"};
  constexpr double kLinkGbS = 300.0;  // of messages: NVLink's order of size
  EfficiencyCatalog catalog;
  for (std::size_t law = 0; law < kOpLawNames.size(); ++law)
    for (const std::string_view type : kTypes)
      for (const char* kernels : {"vllm", "tensorrt-llm", "llama.cpp", "nccl"}) {
        EfficiencyCurve curve{
            .law = static_cast<OpLaw>(law), .device = "any", .kernels = kernels, .type = std::string(type)};
        const auto set = [&](LawConstant constant, double value) {
          curve.constants[static_cast<std::size_t>(constant)] = value;
        };
        for (const LawConstant constant : {kMemory, kCached, kActivations}) set(constant, memory);
        for (const LawConstant constant : {kCompute, kSmallTile}) set(constant, constant == kCompute ? compute : 1.0);
        set(kJoin, 64.0);  // the larger of the two
        set(kBlock, 1e9);
        set(kGbS, kLinkGbS);
        catalog.curves_.push_back(std::move(curve));
      }
  return catalog;
}

const EfficiencyCurve* EfficiencyCatalog::find(OpLaw law, std::string_view type, std::span<const std::string> kernels,
                                               std::string_view device) const {
  for (const std::string& wanted : kernels)
    for (const EfficiencyCurve& curve : curves_)
      if (curve.law == law && curve.device == device && curve.kernels == wanted && curve.type == type) return &curve;
  return nullptr;
}

ChosenCurve EfficiencyCatalog::choose(OpLaw law, std::string_view type, std::span<const std::string> kernels,
                                      const DeviceSpec& device) const {
  // TensorRT-LLM's table holds one untuned kernel for NVFP4 (its time is linear in k below 64 rows); the engine tunes among those
  // that vLLM's table was timed with.
  std::vector<std::string> ordered(kernels.begin(), kernels.end());
  if (law == OpLaw::kGemm && type == "nvfp4")
    std::ranges::stable_partition(ordered, [](const std::string& name) { return name == "vllm"; });
  for (const std::string_view candidate : types_for(type, device))
    for (const Donor& donor : donors_of(device))
      if (const EfficiencyCurve* curve = find(law, candidate, ordered, donor.device))
        return {curve, donor.origin,
                law == OpLaw::kStream
                    ? 1.0
                    : curve->sustained * peak_for_type(device, candidate) * short_sums(*curve, device)};
  throw Error(ErrorKind::kDevice, device.name,
              fmt::format("nobody measured {} of {} on a device like it.", name_of(law), type));
}

ChosenCurve EfficiencyCatalog::collective(OpLaw law, int n_devices, std::span<const std::string> kernels,
                                          const DeviceSpec& device) const {
  // Without direct links between devices messages cross PCIe.
  const bool linked = device.interconnect && device.interconnect->per_direction;
  std::vector<Donor> donors = donors_of(device);
  if (!linked) donors.insert(donors.begin() + 1, {"rtx-pro-6000-bw", EfficiencyOrigin::kGeneric});
  for (const Donor& donor : donors)
    for (const std::string& wanted : kernels) {
      const EfficiencyCurve* best = nullptr;
      for (const EfficiencyCurve& curve : curves_)
        if (curve.law == law && curve.device == donor.device && curve.kernels == wanted &&
            curve.n_devices <= n_devices && (best == nullptr || curve.n_devices > best->n_devices))
          best = &curve;
      if (best != nullptr) return {best, donor.origin, 1.0};
    }
  throw Error(ErrorKind::kDevice, device.name, fmt::format("nobody measured {} on a device like it.", name_of(law)));
}

DeviceRates device_rates(const DeviceSpec& device) {
  const auto bandwidth = device.main_memory().bandwidth;
  if (!bandwidth)
    throw Error(ErrorKind::kDevice, device.name, "its data file lists no memory bandwidth.",
                "Add \"bandwidth_gb_s\" to a device file.");
  constexpr double kUsualUnits = 108;  // where nobody states them; they decide the waves of small products only
  // GB200 carries two of the dies a B200 does: 148 units where its file does not say.
  const double units = device.n_units                                               ? *device.n_units
                       : device.architecture.find("Blackwell") != std::string::npos ? 148.0
                                                                                    : kUsualUnits;
  return {.bandwidth = bandwidth->value,
          .cache_bytes = device.last_level_cache ? device.last_level_cache->size.value : 0.0,
          .n_units = units};
}

double peak_for_type(const DeviceSpec& device, std::string_view type) {
  std::vector<ComputeType> units;
  if (type == "nvfp4") units.push_back(ComputeType::kFp4);
  if (type == "nvfp4" || type.starts_with("fp8") || type == "mxfp4_mxfp8") units.push_back(ComputeType::kFp8);
  if (type == "int8") units.push_back(ComputeType::kInt8);
  units.insert(units.end(), {ComputeType::kBf16, ComputeType::kFp16, ComputeType::kFp32});
  for (const ComputeType unit : units)
    if (const auto peak = device.peak(unit)) return peak->value;
  throw Error(ErrorKind::kDevice, device.name, "its data file lists no peak.", "Add \"peak_dense\" to a device file.");
}

}  // namespace dachlast
