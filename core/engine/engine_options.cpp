#include "core/engine/engine_options.h"

#include <fmt/core.h>

#include <string>

#include "core/base/error.h"
#include "kernels/attention.h"
#include "kernels/linear.h"

namespace dachlast {
namespace {

void require_at_least(const char* subject, int value, int least) {
  if (value >= least) return;
  throw Error(ErrorKind::kUsage, subject, fmt::format("It must be at least {}, not {}.", least, value));
}

void require_f32_or_bf16(const char* subject, DType dtype) {
  if (dtype == DType::kF32 || dtype == DType::kBF16) return;
  throw Error(ErrorKind::kUsage, subject, fmt::format("The CPU engine does not run {}.", display_name_of(dtype)),
              "Use f32 or bf16.");
}

/// A forced variant must exist and run on this CPU; the kernels' own choice falls back to the reference.
template <class Variants>
void require_variant(const char* subject, const Variants& variants, const std::string& name) {
  if (name.empty()) return;
  std::string known;
  for (const auto& variant : variants) {
    known += known.empty() ? std::string(variant.name) : fmt::format(", {}", variant.name);
    if (variant.name != name) continue;
    if (variant.supported()) return;
    throw Error(ErrorKind::kDevice, subject, fmt::format("This CPU lacks the instructions of variant '{}'.", name),
                "Leave the choice to the program.");
  }
  throw Error(ErrorKind::kUsage, subject, fmt::format("There is no variant '{}'.", name),
              fmt::format("Known ones: {}.", known));
}

}  // namespace

void validate(const ModelSpec& model, const EngineOptions& options) {
  require_at_least("threads", options.n_threads, 1);
  require_at_least("batch size", options.batch_size, 1);
  require_at_least("context", options.capacity_tokens, 1);
  require_at_least("tokens per step", options.max_step_tokens, 0);
  if (options.capacity_tokens > model.max_context)
    throw Error(ErrorKind::kUsage, "context",
                fmt::format("{} tokens are asked for and {} was trained for {}.", options.capacity_tokens, model.name,
                            model.max_context),
                fmt::format("Use {} or fewer.", model.max_context));
  require_f32_or_bf16("weights", options.precision.weights);
  require_f32_or_bf16("KV cache", options.precision.kv);
  require_variant("attention variant", kernels::attention_variants(), options.attention_variant);
  require_variant("linear variant", kernels::linear_variants(), options.linear_variant);
}

}  // namespace dachlast
