#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/profile/gpu_trace.h"

namespace dachlast {

/// What a kernel is for, as its name tells.
enum class KernelFamily : std::uint8_t {
  kGemm,
  kAttention,
  kMoe,
  kNormalization,
  kRope,
  kActivation,
  kKvCache,
  kQuantization,
  kSampling,
  kEmbedding,
  kCommunication,
  kConvolution,
  kElementwise,
  kReduction,
  kCopy,
  kFill,
  kOther
};

inline constexpr int kKernelFamilyCount = static_cast<int>(KernelFamily::kOther) + 1;

constexpr std::string_view name_of(KernelFamily family) {
  constexpr std::string_view names[kKernelFamilyCount] = {
      "gemm",        "attention",    "moe",      "normalization", "rope",          "activation",
      "kv_cache",    "quantization", "sampling", "embedding",     "communication", "convolution",
      "elementwise", "reduction",    "copy",     "fill",          "other"};
  return names[static_cast<int>(family)];
}

/// Rules that read names of kernels, of step annotations and of layers: data files, because engines rename their kernels.
class NameRules {
 public:
  /// Reads `kernel_families.csv`, `step_names.csv` and `layer_names.csv` of a folder.
  /// Errors   throws `Error` (kInput) naming file, line and what is wrong.
  explicit NameRules(const std::filesystem::path& folder);
  ~NameRules();
  NameRules(const NameRules&) = delete;
  NameRules& operator=(const NameRules&) = delete;
  NameRules(NameRules&&) noexcept;
  NameRules& operator=(NameRules&&) noexcept;

  /// The family of the first rule whose pattern occurs in `kernel`, upper and lower case alike; kOther where none does.
  KernelFamily family_of(std::string_view kernel) const;

  /// The step that an annotation describes, without its times; empty where no rule matches the whole text.
  std::optional<TraceStep> step_of(std::string_view annotation) const;

  /// The number of the layer that the name of a range tells, by the first rule that matches the whole text.
  std::optional<std::int32_t> layer_of(std::string_view range) const;

 private:
  struct Rules;
  std::unique_ptr<Rules> rules_;
};

/// The layer of a range's payload, "layer=3 tokens=512"; empty where it says nothing of one, or that it is outside of them.
std::optional<std::int32_t> layer_of_payload(std::string_view payload);

}  // namespace dachlast
