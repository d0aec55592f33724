#include "kernels/elementwise.h"

#include <algorithm>

#include "kernels/cpu/elementwise_cpu.h"
#include "kernels/kv_store.h"

namespace dachlast::kernels {
namespace {

template <class Function>
constexpr Variant<Function> simd(Function* run) {
  return {.name = "simd", .run = run, .supported = always_supported};
}

template <class Function>
constexpr Variant<Function> reference(Function* run) {
  return {.name = "reference", .run = run, .supported = always_supported};
}

constexpr Variant<Embed> kEmbed[] = {simd<Embed>(cpu::embed_simd), reference<Embed>(cpu::embed_reference)};
constexpr Variant<Norm> kNorm[] = {simd<Norm>(cpu::norm_simd), reference<Norm>(cpu::norm_reference)};
constexpr Variant<Rope> kRope[] = {simd<Rope>(cpu::rope_simd), reference<Rope>(cpu::rope_reference)};
constexpr Variant<Activate> kActivate[] = {simd<Activate>(cpu::activate_simd),
                                           reference<Activate>(cpu::activate_reference)};
constexpr Variant<Residual> kResidual[] = {simd<Residual>(cpu::residual_simd),
                                           reference<Residual>(cpu::residual_reference)};
constexpr Variant<Sample> kSample[] = {simd<Sample>(cpu::sample_simd), reference<Sample>(cpu::sample_reference)};

constexpr double kActivationBytes = sizeof(float);

}  // namespace

std::span<const Variant<Embed>> embed_variants() {
  return kEmbed;
}
std::span<const Variant<Norm>> norm_variants() {
  return kNorm;
}
std::span<const Variant<Rope>> rope_variants() {
  return kRope;
}
std::span<const Variant<Activate>> activate_variants() {
  return kActivate;
}
std::span<const Variant<Residual>> residual_variants() {
  return kResidual;
}
std::span<const Variant<Sample>> sample_variants() {
  return kSample;
}

void softcap(std::span<float> logits, float cap) {
  cpu::softcap_simd(logits, cap);
}

OpCost embed_cost(const EmbedShape& s) {
  // A row of a panel is a thirty-second of its bytes; position tables are never quantized.
  const double token_bytes = matrix_bytes(s.weight_dtype, kPanelRows, s.d_model) / kPanelRows;
  const int position_element = size_of(s.weight_dtype.plain().value_or(DType::kF32));
  const double row_bytes = token_bytes + (s.n_tables - 1.0) * s.d_model * position_element;
  const double elements = static_cast<double>(s.n_tokens) * s.d_model;
  return {.flops = Flops{elements * s.n_tables},
          .weight_bytes = Bytes{s.n_tokens * row_bytes},
          .activation_bytes = Bytes{elements * kActivationBytes + s.n_tokens * s.n_tables * sizeof(std::int32_t)}};
}

OpCost norm_cost(const NormShape& s) {
  const double elements = static_cast<double>(s.n_rows) * s.dim;
  const bool layer = s.kind == NormKind::kLayer;
  return {.flops = Flops{elements * (layer ? 7.0 : 4.0)},
          .weight_bytes = Bytes{s.dim * (layer ? 2.0 : 1.0) * sizeof(float)},
          .activation_bytes = Bytes{2.0 * elements * kActivationBytes}};
}

OpCost rope_cost(const RopeShape& s) {
  const double rotated = static_cast<double>(s.n_tokens) * s.n_heads * s.rotary_dim;
  const double angles = static_cast<double>(s.n_tokens) * s.rotary_dim;  // half as many cos, half as many sin
  return {.flops = Flops{3.0 * rotated}, .activation_bytes = Bytes{(2.0 * rotated + angles) * kActivationBytes}};
}

OpCost kv_write_cost(const KvWriteShape& s) {
  const KvLayout layout{.format = s.kv.format,
                        .key_scales = s.kv.key_scales,
                        .n_kv_heads = s.n_kv_heads,
                        .block_size = std::max(1, s.kv.block_size),
                        .head_dim = s.head_dim,
                        .value_dim = s.head_dim};
  return store_kv_cost(layout, s.n_tokens);
}

OpCost activation_cost(const ActivationShape& s) {
  const double elements = static_cast<double>(s.n_tokens) * s.d_ff;
  const bool gated = s.gate == Gate::kGated;
  return {.flops = Flops{elements * (gated ? 5.0 : 4.0)},
          .activation_bytes = Bytes{elements * (gated ? 3.0 : 2.0) * kActivationBytes}};
}

OpCost residual_cost(const ResidualShape& s) {
  const double elements = static_cast<double>(s.n_tokens) * s.d_model;
  return {.flops = Flops{elements}, .activation_bytes = Bytes{3.0 * elements * kActivationBytes}};
}

OpCost sample_cost(const SampleShape& s) {
  const double elements = static_cast<double>(s.n_rows) * s.vocab_size;
  return {.flops = Flops{elements},
          .activation_bytes = Bytes{elements * kActivationBytes + s.n_rows * sizeof(std::int32_t)}};
}

}  // namespace dachlast::kernels
