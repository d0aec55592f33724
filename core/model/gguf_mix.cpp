#include "core/model/gguf_mix.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace dachlast {
namespace {

// -------- names of file types

struct Spelling {
  std::string_view text;
  std::string_view name;
};

// What llama_model_ftype_name prints where it is more than the type's name and " - N bpw".
constexpr Spelling kSpellings[] = {
    {"ALL F32", "F32"},          {"Q2_K - MEDIUM", "Q2_K"},   {"Q2_K - SMALL", "Q2_K_S"},
    {"Q3_K - SMALL", "Q3_K_S"},  {"Q3_K - MEDIUM", "Q3_K_M"}, {"Q3_K - LARGE", "Q3_K_L"},
    {"Q4_K - SMALL", "Q4_K_S"},  {"Q4_K - MEDIUM", "Q4_K_M"}, {"Q5_K - SMALL", "Q5_K_S"},
    {"Q5_K - MEDIUM", "Q5_K_M"}, {"IQ3_S MIX", "IQ3_M"},      {"IQ4_NL - 4.5 BPW", "IQ4_NL"},
    {"MXFP4 MOE", "MXFP4_MOE"},  {"Q4_1, SOME F16", "Q4_1"},
};

// Most matrices of files whose type is not itself the name of a tensor type.
constexpr Spelling kBaseTypes[] = {
    {"Q2_K_S", "Q2_K"},  {"Q3_K_S", "Q3_K"}, {"Q3_K_M", "Q3_K"},  {"Q3_K_L", "Q3_K"},       {"Q4_K_S", "Q4_K"},
    {"Q4_K_M", "Q4_K"},  {"Q5_K_S", "Q5_K"}, {"Q5_K_M", "Q5_K"},  {"IQ3_XS", "IQ3_S"},      {"IQ3_M", "IQ3_S"},
    {"IQ2_S", "IQ2_XS"}, {"IQ2_M", "IQ2_S"}, {"IQ3_KL", "IQ3_K"}, {"IQ2_M_R4", "IQ2_S_R4"}, {"MXFP4_MOE", "MXFP4"},
};

std::string upper_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

template <std::size_t n>
std::optional<std::string_view> look_up(const Spelling (&table)[n], std::string_view text) {
  const auto* found = std::ranges::find(table, text, &Spelling::text);
  return found == std::end(table) ? std::nullopt : std::optional(found->name);
}

std::string canonical_name(std::string text) {
  text = upper_case(text);
  for (const std::string_view prefix : {"MOSTLY ", "GGUF ", "GGUF-"})
    if (text.starts_with(prefix)) text.erase(0, prefix.size());
  for (const Spelling& spelling : kSpellings)
    if (text.starts_with(spelling.text)) return std::string(spelling.name);
  return text.substr(0, text.find(' '));
}

// -------- rules

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

template <class... Names>
bool is_one_of(std::string_view text, Names... names) {
  return ((text == names) || ...);
}

/// What the rules ask about a model, and the tensor they are asked about.
struct Question {
  const GgufShape& shape;
  std::string_view mix;
  std::string_view tensor;
  int n_experts;
  int heads_per_kv_head;
  int layer;
  int n_layers;

  /// The first and last eighth of the layers and every third between: where more bits help most.
  bool wants_more_bits() const {
    return layer < n_layers / 8 || layer >= 7 * n_layers / 8 || (layer - n_layers / 8) % 3 == 2;
  }
  bool early(int part) const { return layer < n_layers / part; }
};

// The rules know whether an importance matrix is given. Published files of IQ types have one (the smaller ones cannot be
// made without), those of older types mostly not: so where it matters, IQ types are taken with it, Q4_0 and Q5_0 without.

using TypeName = std::string_view;  // empty: the mix's own type

/// Head, or the token table where it is the head too.
TypeName head_type(const Question& q) {
  if (q.shape.architecture == "falcon" || q.shape.d_model % 256 != 0) return "Q8_0";
  if (is_one_of(q.mix, "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ2_S", "IQ2_M", "IQ1_M")) return "Q5_K";
  return is_one_of(q.mix, "Q8_0") ? "Q8_0" : "Q6_K";
}

TypeName embedding_type(const Question& q) {
  if (is_one_of(q.mix, "IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ1_M")) return "Q2_K";
  if (is_one_of(q.mix, "IQ2_S", "IQ2_M", "IQ3_XXS")) return "IQ3_S";
  return is_one_of(q.mix, "TQ1_0", "TQ2_0") ? "Q4_K" : "";
}

/// Mixes of fewer than 3 bits keep attention and early down-projections at more.
TypeName two_bit_type(const Question& q) {
  const bool finer = is_one_of(q.mix, "IQ2_S", "IQ2_M");
  if (q.tensor == "attn_v") return q.heads_per_kv_head >= 4 || q.n_experts >= 4 ? "Q4_K" : finer ? "IQ3_S" : "Q2_K";
  if (q.n_experts == 8 && holds(q.tensor, "attn_k")) return "Q4_K";
  if (holds(q.tensor, "ffn_down")) return q.early(8) ? (finer ? "IQ3_S" : "Q2_K") : "";
  if (q.tensor != "attn_output") return "";
  if (q.n_experts == 8) return "Q5_K";
  if (is_one_of(q.mix, "IQ1_S", "IQ1_M")) return "IQ2_XXS";
  return finer ? "IQ3_S" : "";
}

TypeName value_type(const Question& q) {
  if (q.n_experts == 8) return "Q8_0";  // one value matrix serves eight experts
  const bool grouped = q.heads_per_kv_head >= 4;
  TypeName type;
  if (q.mix == "Q2_K") type = grouped ? "Q4_K" : "Q3_K";
  if (q.mix == "Q2_K_S" && grouped) type = "Q4_K";
  if (q.mix == "IQ3_XXS") type = grouped ? "Q4_K" : "";
  if (is_one_of(q.mix, "IQ3_XS", "IQ3_S") && grouped) type = "Q4_K";
  if (q.mix == "IQ3_M") type = "Q4_K";
  if (q.mix == "Q3_K_M") type = q.layer < 2 ? "Q5_K" : "Q4_K";
  if (q.mix == "Q3_K_L") type = "Q5_K";
  if (is_one_of(q.mix, "IQ4_NL", "IQ4_XS") && grouped) type = "Q5_K";
  if (is_one_of(q.mix, "Q4_K_M", "Q5_K_M") && q.wants_more_bits()) type = "Q6_K";
  if (q.mix == "Q4_K_S" && q.layer < 4) type = "Q5_K";
  // 80 layers of 64 heads on 8: the value matrix is an eighth of the query matrix, more bits cost next to nothing.
  const bool is_70b = q.n_layers == 80 && q.heads_per_kv_head == 8;
  const bool few_bits =
      type == "Q3_K" || type == "Q4_K" || (type.empty() && is_one_of(q.mix, "Q3_K_S", "Q4_K_M", "Q4_K_S"));
  return is_70b && few_bits ? "Q5_K" : type;
}

TypeName key_or_query_type(const Question& q) {
  if (q.n_experts == 8 && holds(q.tensor, "attn_k")) return "Q8_0";
  if (q.mix == "IQ3_XS") return "IQ3_XXS";
  return q.mix == "IQ3_XXS" ? "IQ2_S" : "";
}

TypeName falcon_down_type(const Question& q) {
  if (q.mix == "Q3_K_M") return q.early(16) ? "Q5_K" : q.wants_more_bits() ? "Q4_K" : "";
  if (q.mix == "Q3_K_L") return "Q4_K";
  if (q.mix == "Q4_K_M") return q.early(16) ? "Q6_K" : q.wants_more_bits() ? "Q5_K" : "";
  return "";
}

TypeName down_type(const Question& q) {
  if (q.mix == "Q2_K") return "Q3_K";
  if (q.mix == "Q2_K_S") return q.early(8) ? "Q4_K" : "";
  if (q.mix == "IQ3_M" && (q.early(8) || (q.n_experts == 8 && q.wants_more_bits()))) return "Q4_K";
  if (is_one_of(q.mix, "Q4_K_M", "Q5_K_M") && q.shape.architecture != "falcon")
    return q.wants_more_bits() ? "Q6_K" : "";
  if (q.shape.architecture == "falcon" && is_one_of(q.mix, "Q3_K_M", "Q3_K_L", "Q4_K_M")) return falcon_down_type(q);
  if (q.mix == "Q3_K_M") return q.early(16) ? "Q5_K" : "Q4_K";
  if (q.mix == "Q3_K_L") return "Q5_K";
  if (q.mix == "Q4_K_S" && q.early(8)) return "Q5_K";
  return "";
}

TypeName attention_output_type(const Question& q) {
  if (q.shape.architecture == "falcon") return "";
  if (q.n_experts == 8)
    return is_one_of(q.mix, "Q2_K", "IQ3_XS", "IQ3_XXS", "Q3_K_S", "Q3_K_M", "IQ4_NL", "Q4_K_S", "Q4_K_M", "IQ3_S",
                     "IQ3_M", "IQ4_XS")
               ? "Q5_K"
               : "";
  if (q.mix == "Q2_K") return "Q3_K";
  if (q.mix == "IQ3_XXS") return "IQ3_S";
  if (is_one_of(q.mix, "Q3_K_M", "IQ3_M")) return "Q4_K";
  return q.mix == "Q3_K_L" ? "Q5_K" : "";
}

TypeName fused_qkv_type(const Question& q) {
  if (is_one_of(q.mix, "Q3_K_M", "Q3_K_L", "IQ3_M")) return "Q4_K";
  if (q.mix == "Q4_K_M") return "Q5_K";
  return q.mix == "Q5_K_M" ? "Q6_K" : "";
}

TypeName rule_type(const Question& q) {
  if (q.tensor == "output" || (q.tensor == "token_embd" && q.shape.tied_embeddings)) return head_type(q);
  if (q.tensor == "token_embd") return embedding_type(q);
  if (is_one_of(q.mix, "IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ2_S", "IQ2_M", "IQ1_M")) return two_bit_type(q);
  if (q.tensor == "attn_v") return value_type(q);
  if (holds(q.tensor, "ffn_down")) return down_type(q);
  if (q.tensor == "attn_output") return attention_output_type(q);
  if (q.tensor == "attn_qkv") return fused_qkv_type(q);
  if (holds(q.tensor, "attn_k") || holds(q.tensor, "attn_q")) return key_or_query_type(q);
  const bool middle = q.layer >= q.n_layers / 8 && q.layer < 7 * q.n_layers / 8;
  return q.mix == "IQ3_XS" && middle && (holds(q.tensor, "ffn_gate") || holds(q.tensor, "ffn_up")) ? "IQ3_XXS" : "";
}

// -------- conventions of mixtures of experts in types of the fork

struct TypeStep {
  TypeName of;
  TypeName up;
};

// The next finer type of the same family. Recipes of published files give it to the routed down-projections, which
// suffer most from few bits, and keep all that every token passes through at 8 bits, because it is a few per cent of
// such a model. Source: model cards of huggingface.co/ubergarm (DeepSeek-V3-0324, DeepSeek-R1-0528, Qwen3-235B-A22B).
constexpr TypeStep kFiner[] = {
    {"IQ1_S", "IQ2_KS"},  {"IQ1_M", "IQ2_KS"}, {"IQ2_KT", "IQ3_KT"}, {"IQ2_KS", "IQ2_K"},   {"IQ2_K", "IQ3_K"},
    {"IQ3_KT", "IQ4_KT"}, {"IQ3_K", "IQ4_KS"}, {"IQ3_KS", "IQ4_KS"}, {"IQ4_KSS", "IQ4_KS"}, {"IQ4_KS", "IQ5_KS"},
    {"IQ4_K", "IQ5_K"},   {"IQ5_KS", "IQ6_K"}, {"IQ5_K", "IQ6_K"},   {"IQ6_K", "Q8_0"},
};

TypeName without_rows(TypeName name) {
  const std::size_t suffix = name.rfind("_R");
  return suffix == TypeName::npos || suffix + 3 != name.size() ? name : name.substr(0, suffix);
}

const TypeStep* finer_step(TypeName mix) {
  const auto* found = std::ranges::find(kFiner, without_rows(mix), &TypeStep::of);
  return found == std::end(kFiner) ? nullptr : found;
}

TypeName convention_type(const Question& q, const TypeStep& step) {
  if (q.tensor == "ffn_down_exps") return step.up;
  return holds(q.tensor, "_exps") ? "" : "Q8_0";
}

// -------- types

/// What takes the place of a type whose blocks do not divide the row. `type` is a row of the table of types, which lives as long as the program.
const GgmlType& fallback(const GgmlType& type, std::int64_t columns) {
  // NOLINTNEXTLINE(bugprone-return-const-ref-from-parameter)
  if (columns % type.block_elements == 0) return type;
  if (columns % 32 != 0) return *ggml_type("F16");
  if (type.name == "Q4_K") return *ggml_type("Q5_0");
  if (type.name == "Q5_K") return *ggml_type("Q5_1");
  return *ggml_type(type.name == "Q6_K" ? "Q8_0" : "IQ4_NL");
}

bool stays_f32(const GgufTensorShape& tensor) {
  return tensor.is_vector() || is_one_of(tensor.name, "ffn_gate_inp", "position_embd");
}

bool is_float(const GgmlType& type) {
  return type.block_elements == 1;
}

bool has_experts(const GgufShape& shape) {
  return std::ranges::any_of(shape.layers, [](const GgufLayer& layer) { return layer.experts.has_value(); });
}

int n_experts(const GgufShape& shape) {
  for (const GgufLayer& layer : shape.layers)
    if (layer.experts) return layer.experts->n_experts;
  return 1;
}

int heads_per_kv_head(const GgufShape& shape) {
  for (const GgufLayer& layer : shape.layers)
    if (const auto* attention = std::get_if<GgufAttention>(&layer.mixer))
      return attention->n_heads / attention->n_kv_heads;
  return 1;
}

const GgmlType& type_of(const Question& q, const GgufTensorShape& tensor, const GgufMix& mix, const TypeStep* step) {
  if (stays_f32(tensor)) return *ggml_type("F32");
  if (is_float(*mix.type)) return *mix.type;
  const TypeName name = step != nullptr ? convention_type(q, *step) : rule_type(q);
  return fallback(name.empty() ? *mix.type : *ggml_type(name), tensor.columns);
}

}  // namespace

std::optional<GgufMix> gguf_mix(std::string_view file_type) {
  const std::string name = canonical_name(std::string(file_type));
  const GgmlType* type = ggml_type(look_up(kBaseTypes, name).value_or(name));
  return type == nullptr ? std::nullopt : std::optional(GgufMix{name, type});
}

std::int64_t GgufTypedTensor::bytes() const {
  const auto columns = static_cast<std::uint64_t>(shape.columns);
  const auto rows = static_cast<std::uint64_t>(shape.rows * shape.count);
  return static_cast<std::int64_t>(tensor_bytes(*type, columns, rows).value_or(0));
}

std::int64_t GgufWeights::bytes() const {
  std::int64_t sum = 0;
  for (const GgufTypedTensor& tensor : tensors) sum += tensor.bytes();
  return sum;
}

std::int64_t GgufWeights::embedding_bytes() const {
  std::int64_t sum = 0;
  for (const GgufTypedTensor& tensor : tensors)
    if (is_gguf_table(tensor.shape.name)) sum += tensor.bytes();
  return sum;
}

std::int64_t GgufWeights::layer_bytes(int layer) const {
  std::int64_t sum = 0;
  for (const GgufTypedTensor& tensor : tensors)
    if (tensor.shape.layer == layer) sum += tensor.bytes();
  return sum;
}

std::int64_t GgufWeights::head_bytes() const {
  return layer_bytes(-1) - embedding_bytes();
}

double GgufWeights::element_bytes() const {
  double elements = 0.0;
  for (const GgufTypedTensor& tensor : tensors) elements += static_cast<double>(tensor.shape.elements());
  return static_cast<double>(bytes()) / elements;
}

bool is_gguf_table(std::string_view tensor) {
  return is_one_of(tensor, "token_embd", "position_embd", "per_layer_token_embd");
}

GgufWeights gguf_weights(const GgufShape& shape, const GgufMix& mix, LatentMatrices latent) {
  const TypeStep* step = has_experts(shape) ? finer_step(mix.name) : nullptr;
  GgufWeights weights;
  weights.origin = step != nullptr ? MixOrigin::kConvention : MixOrigin::kRules;
  for (const GgufTensorShape& tensor : gguf_tensor_shapes(shape, latent)) {
    const Question question{.shape = shape,
                            .mix = mix.name,
                            .tensor = tensor.name,
                            .n_experts = n_experts(shape),
                            .heads_per_kv_head = heads_per_kv_head(shape),
                            .layer = tensor.layer,
                            .n_layers = shape.n_layers()};
    weights.tensors.push_back({tensor, &type_of(question, tensor, mix, step)});
  }
  return weights;
}

}  // namespace dachlast
