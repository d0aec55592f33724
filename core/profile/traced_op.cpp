#include "core/profile/traced_op.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace dachlast {
namespace {

using Dims = std::vector<std::int64_t>;

struct ElementType {
  std::string_view name;
  ComputeType arithmetic;
  int bytes;
};

// As PyTorch's profiler spells them.
constexpr ElementType kElementTypes[] = {
    {"float", ComputeType::kFp32, 4},           {"c10::BFloat16", ComputeType::kBf16, 2},
    {"c10::Half", ComputeType::kFp16, 2},       {"c10::Float8_e4m3fn", ComputeType::kFp8, 1},
    {"c10::Float8_e5m2", ComputeType::kFp8, 1}, {"c10::Float8_e4m3fnuz", ComputeType::kFp8, 1},
    {"signed char", ComputeType::kInt8, 1},
};

const ElementType* element_type(const Operands& operands, std::size_t index) {
  if (index >= operands.types.size()) return nullptr;
  const auto* found = std::find_if(std::begin(kElementTypes), std::end(kElementTypes),
                                   [&](const ElementType& type) { return type.name == operands.types[index]; });
  return found == std::end(kElementTypes) ? nullptr : found;
}

const Dims* dims_of(const Operands& operands, std::size_t index, std::size_t rank) {
  if (index >= operands.dims.size() || operands.dims[index].size() != rank) return nullptr;
  return &operands.dims[index];
}

/// y[b, m, n] = x[b, m, k] · w (+ bias[n]).
struct Product {
  std::int64_t batch, m, n, k;
};

enum class Bias : std::uint8_t { kNone, kAdded };

std::optional<TracedOp> gemm(const Product& p, const ElementType* x, const ElementType* w, Bias bias) {
  if (x == nullptr || w == nullptr) return std::nullopt;
  // Products of 8-bit operands are written in 16 bits; the recording does not name the result's type.
  const int result_bytes = std::max({x->bytes, w->bytes, 2});
  const auto outputs = static_cast<double>(p.batch) * static_cast<double>(p.m) * static_cast<double>(p.n);
  const auto k = static_cast<double>(p.k);
  const double weights = static_cast<double>(p.batch) * static_cast<double>(p.n) * k;
  const double inputs = static_cast<double>(p.batch) * static_cast<double>(p.m) * k;
  const double bias_elements = bias == Bias::kAdded ? static_cast<double>(p.n) : 0.0;

  TracedOp op{.kind = TracedOpKind::kGemm, .shape = {}, .arithmetic = w->arithmetic, .cost = {}};
  op.shape = fmt::format("m {} · n {} · k {}", p.m, p.n, p.k);
  if (p.batch > 1) op.shape = fmt::format("batch {} · ", p.batch) + op.shape;
  op.cost.flops = Flops{2.0 * outputs * k + (bias == Bias::kAdded ? outputs : 0.0)};
  op.cost.weight_bytes = Bytes{(weights + bias_elements) * w->bytes};
  op.cost.activation_bytes = Bytes{inputs * x->bytes + outputs * result_bytes};
  return op;
}

/// Two matrices [m, k] and [k, n], after `first` operands of which a bias is one.
std::optional<TracedOp> plain_product(const Operands& operands, std::size_t first, Bias bias) {
  const Dims* x = dims_of(operands, first, 2);
  const Dims* w = dims_of(operands, first + 1, 2);
  if (x == nullptr || w == nullptr || (*x)[1] != (*w)[0]) return std::nullopt;
  return gemm({1, (*x)[0], (*w)[1], (*x)[1]}, element_type(operands, first), element_type(operands, first + 1), bias);
}

/// A matrix [m, k] and weights [n, k] as linear layers store them.
std::optional<TracedOp> linear_product(const Operands& operands) {
  const Dims* x = dims_of(operands, 0, 2);
  const Dims* w = dims_of(operands, 1, 2);
  if (x == nullptr || w == nullptr || (*x)[1] != (*w)[1]) return std::nullopt;
  const Bias bias = dims_of(operands, 2, 1) != nullptr ? Bias::kAdded : Bias::kNone;
  return gemm({1, (*x)[0], (*w)[0], (*x)[1]}, element_type(operands, 0), element_type(operands, 1), bias);
}

/// Two stacks of matrices [b, m, k] and [b, k, n].
std::optional<TracedOp> stacked_product(const Operands& operands, std::size_t first, Bias bias) {
  const Dims* x = dims_of(operands, first, 3);
  const Dims* w = dims_of(operands, first + 1, 3);
  if (x == nullptr || w == nullptr || (*x)[0] != (*w)[0] || (*x)[2] != (*w)[1]) return std::nullopt;
  return gemm({(*x)[0], (*x)[1], (*w)[2], (*x)[2]}, element_type(operands, first), element_type(operands, first + 1),
              bias);
}

/// Visible (query, key) pairs of one head of one sequence.
double visible_pairs(double q_len, double kv_len, bool causal) {
  return causal ? q_len * kv_len / 2.0 : q_len * kv_len;
}

/// q [batch, heads, q_len, head_dim], k and v [batch, kv_heads, kv_len, …]; `causal` is the value at `causal_index`.
std::optional<TracedOp> scaled_dot_product(const Operands& operands, std::size_t causal_index) {
  const Dims* q = dims_of(operands, 0, 4);
  const Dims* k = dims_of(operands, 1, 4);
  const Dims* v = dims_of(operands, 2, 4);
  const ElementType* type = element_type(operands, 0);
  if (q == nullptr || k == nullptr || v == nullptr || type == nullptr) return std::nullopt;
  const bool causal = causal_index < operands.values.size() && operands.values[causal_index] == "True";
  const auto at = [](const Dims* dims, std::size_t index) { return static_cast<double>((*dims)[index]); };
  const double rows = at(q, 0) * at(q, 1);  // heads of all sequences
  const double value_dim = at(v, 3);

  TracedOp op{.kind = TracedOpKind::kAttention, .shape = {}, .arithmetic = type->arithmetic, .cost = {}};
  op.shape = fmt::format("batch {} · {} heads on {} · q {} · kv {} · head_dim {}{}", (*q)[0], (*q)[1], (*k)[1], (*q)[2],
                         (*k)[2], (*q)[3], causal ? " · causal" : "");
  op.cost.flops = Flops{2.0 * rows * visible_pairs(at(q, 2), at(k, 2), causal) * (at(q, 3) + value_dim)};
  op.cost.activation_bytes = Bytes{rows * at(q, 2) * (at(q, 3) + value_dim) * type->bytes};
  op.cost.kv_read_bytes = Bytes{at(k, 0) * at(k, 1) * at(k, 2) * (at(k, 3) + value_dim) * type->bytes};
  return op;
}

struct Reader {
  std::string_view name;
  std::optional<TracedOp> (*read)(const Operands&);
};

// Operators that launch kernels themselves: aten::linear and aten::matmul call one of these, and would count twice.
constexpr Reader kReaders[] = {
    {"aten::mm", [](const Operands& o) { return plain_product(o, 0, Bias::kNone); }},
    {"aten::addmm", [](const Operands& o) { return plain_product(o, 1, Bias::kAdded); }},
    {"aten::_addmm_activation", [](const Operands& o) { return plain_product(o, 1, Bias::kAdded); }},
    {"aten::_scaled_mm", [](const Operands& o) { return plain_product(o, 0, Bias::kNone); }},
    {"aten::_int_mm", [](const Operands& o) { return plain_product(o, 0, Bias::kNone); }},
    {"aten::bmm", [](const Operands& o) { return stacked_product(o, 0, Bias::kNone); }},
    {"aten::baddbmm", [](const Operands& o) { return stacked_product(o, 1, Bias::kAdded); }},
    {"aiter::gemm_a16w16", [](const Operands& o) { return linear_product(o); }},
    {"vllm::rocm_unquantized_gemm", [](const Operands& o) { return linear_product(o); }},
    {"aten::_scaled_dot_product_flash_attention", [](const Operands& o) { return scaled_dot_product(o, 4); }},
    {"aten::_scaled_dot_product_efficient_attention", [](const Operands& o) { return scaled_dot_product(o, 6); }},
    {"aten::_scaled_dot_product_cudnn_attention", [](const Operands& o) { return scaled_dot_product(o, 6); }},
};

const Reader* reader_of(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kReaders), std::end(kReaders), [&](const Reader& reader) { return reader.name == name; });
  return found == std::end(kReaders) ? nullptr : found;
}

}  // namespace

bool is_traced_op(std::string_view name) {
  return reader_of(name) != nullptr;
}

std::optional<TracedOp> traced_op(std::string_view name, const Operands& operands) {
  const Reader* reader = reader_of(name);
  return reader == nullptr ? std::nullopt : reader->read(operands);
}

}  // namespace dachlast
