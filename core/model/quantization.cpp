#include "core/model/quantization.h"

#include <algorithm>

namespace dachlast {
namespace {

// Ids and sizes of GGMLQuantizationType and GGML_QUANT_SIZES. Two sizes are those of ggml/src/ggml-common.h: Q8_1,
// which no file stores, has 36 bytes there and 40 in the script; Q2_0 has 64 elements. A fork writes Q2_0 with 128
// elements under the same number: such files are refused, because their tensors then overlap.
constexpr std::string_view kGgml = "ggml-org/llama.cpp:gguf-py/gguf/constants.py";
// Repacked Q4_0, dropped from files by the end of 2024; ids and sizes as the fork still has them.
constexpr std::string_view kGgmlUntil2024 = "ikawrakow/ik_llama.cpp:ggml/include/ggml.h (8337e4c)";
// Types of the fork: ids of ggml/include/ggml.h, block and row sizes of type_traits in ggml/src/ggml.c (blck_size,
// type_size, row_meta_size) with the structs of ggml/src/ggml-common.h, commit 8337e4c of 2026-08-15. An "_R4" or "_R8"
// type interleaves as many rows, which leaves the bytes per row as they are. I2_S stores 4 elements a byte and 32 bytes
// behind them (ggml_nbytes).
constexpr std::string_view kIk = "ikawrakow/ik_llama.cpp:ggml/src/ggml.c (8337e4c)";

constexpr GgmlType kTypes[] = {
    {0, "F32", 1, 4, 0, 0, kGgml},
    {1, "F16", 1, 2, 0, 0, kGgml},
    {2, "Q4_0", 32, 18, 0, 0, kGgml},
    {3, "Q4_1", 32, 20, 0, 0, kGgml},
    {6, "Q5_0", 32, 22, 0, 0, kGgml},
    {7, "Q5_1", 32, 24, 0, 0, kGgml},
    {8, "Q8_0", 32, 34, 0, 0, kGgml},
    {9, "Q8_1", 32, 36, 0, 0, kGgml},
    {10, "Q2_K", 256, 84, 0, 0, kGgml},
    {11, "Q3_K", 256, 110, 0, 0, kGgml},
    {12, "Q4_K", 256, 144, 0, 0, kGgml},
    {13, "Q5_K", 256, 176, 0, 0, kGgml},
    {14, "Q6_K", 256, 210, 0, 0, kGgml},
    {15, "Q8_K", 256, 292, 0, 0, kGgml},
    {16, "IQ2_XXS", 256, 66, 0, 0, kGgml},
    {17, "IQ2_XS", 256, 74, 0, 0, kGgml},
    {18, "IQ3_XXS", 256, 98, 0, 0, kGgml},
    {19, "IQ1_S", 256, 50, 0, 0, kGgml},
    {20, "IQ4_NL", 32, 18, 0, 0, kGgml},
    {21, "IQ3_S", 256, 110, 0, 0, kGgml},
    {22, "IQ2_S", 256, 82, 0, 0, kGgml},
    {23, "IQ4_XS", 256, 136, 0, 0, kGgml},
    {24, "I8", 1, 1, 0, 0, kGgml},
    {25, "I16", 1, 2, 0, 0, kGgml},
    {26, "I32", 1, 4, 0, 0, kGgml},
    {27, "I64", 1, 8, 0, 0, kGgml},
    {28, "F64", 1, 8, 0, 0, kGgml},
    {29, "IQ1_M", 256, 56, 0, 0, kGgml},
    {30, "BF16", 1, 2, 0, 0, kGgml},
    {31, "Q4_0_4_4", 32, 18, 0, 0, kGgmlUntil2024},
    {32, "Q4_0_4_8", 32, 18, 0, 0, kGgmlUntil2024},
    {33, "Q4_0_8_8", 32, 18, 0, 0, kGgmlUntil2024},
    {34, "TQ1_0", 256, 54, 0, 0, kGgml},
    {35, "TQ2_0", 256, 66, 0, 0, kGgml},
    {36, "I2_S", 4, 1, 0, 32, kIk},
    {39, "MXFP4", 32, 17, 0, 0, kGgml},
    {40, "NVFP4", 64, 36, 0, 0, kGgml},
    {41, "Q1_0", 128, 18, 0, 0, kGgml},
    {42, "Q2_0", 64, 18, 0, 0, kGgml},
    {97, "Q8_0_X4", 32, 34, 0, 0, kIk},
    {98, "Q8_1_X4", 32, 36, 0, 0, kIk},
    {99, "Q8_2_X4", 32, 36, 0, 0, kIk},
    {133, "Q6_0", 32, 26, 0, 0, kIk},
    {134, "IQ1_BN", 64, 13, 2, 0, kIk},
    {135, "IQ2_BN", 64, 16, 4, 0, kIk},
    {136, "Q8_K64", 64, 68, 0, 0, kIk},
    {137, "IQ2_K", 256, 76, 0, 0, kIk},
    {138, "IQ3_K", 256, 110, 0, 0, kIk},
    {139, "IQ4_K", 256, 144, 0, 0, kIk},
    {140, "IQ5_K", 256, 176, 0, 0, kIk},
    {141, "IQ6_K", 256, 212, 0, 0, kIk},
    {144, "IQ4_KS", 256, 136, 4, 0, kIk},
    {145, "IQ2_KS", 256, 70, 2, 0, kIk},
    {146, "IQ4_KSS", 256, 128, 4, 0, kIk},
    {147, "Q8_K16", 64, 64, 20, 0, kIk},
    {148, "Q8_K32", 256, 296, 0, 0, kIk},
    {149, "Q8_KR8", 256, 296, 0, 0, kIk},
    {150, "Q8_K128", 128, 140, 0, 0, kIk},
    {151, "Q8_KV", 32, 32, 8, 0, kIk},
    {152, "IQ5_KS", 256, 168, 4, 0, kIk},
    {153, "IQ2_KT", 256, 68, 4, 0, kIk},
    {154, "IQ3_KT", 256, 100, 4, 0, kIk},
    {155, "IQ4_KT", 256, 128, 4, 0, kIk},
    {156, "IQ3_KS", 256, 102, 2, 0, kIk},
    {157, "IQ2_KL", 256, 86, 2, 0, kIk},
    {158, "IQ1_KT", 256, 56, 4, 0, kIk},
    {202, "Q4_0_R8", 32, 18, 0, 0, kIk},
    {206, "Q5_0_R4", 32, 22, 0, 0, kIk},
    {208, "Q8_0_R8", 32, 34, 0, 0, kIk},
    {210, "Q2_K_R4", 256, 84, 0, 0, kIk},
    {211, "Q3_K_R4", 256, 110, 0, 0, kIk},
    {212, "Q4_K_R4", 256, 144, 0, 0, kIk},
    {213, "Q5_K_R4", 256, 176, 0, 0, kIk},
    {214, "Q6_K_R4", 256, 210, 0, 0, kIk},
    {216, "IQ2_XXS_R4", 256, 66, 0, 0, kIk},
    {217, "IQ2_XS_R4", 256, 74, 0, 0, kIk},
    {218, "IQ3_XXS_R4", 256, 98, 0, 0, kIk},
    {219, "IQ1_S_R4", 32, 6, 2, 0, kIk},
    {220, "IQ4_NL_R4", 32, 18, 0, 0, kIk},
    {221, "IQ3_S_R4", 256, 110, 0, 0, kIk},
    {222, "IQ2_S_R4", 256, 82, 0, 0, kIk},
    {223, "IQ4_XS_R8", 256, 136, 0, 0, kIk},
    {229, "IQ1_M_R4", 32, 7, 2, 0, kIk},
    {230, "BF16_R16", 1, 2, 0, 0, kIk},
    {233, "Q6_0_R4", 32, 26, 0, 0, kIk},
    {335, "IQ2_BN_R4", 64, 16, 4, 0, kIk},
    {337, "IQ2_K_R4", 256, 76, 0, 0, kIk},
    {338, "IQ3_K_R4", 256, 110, 0, 0, kIk},
    {339, "IQ4_K_R4", 256, 144, 0, 0, kIk},
    {340, "IQ5_K_R4", 256, 176, 0, 0, kIk},
    {344, "IQ4_KS_R4", 256, 136, 4, 0, kIk},
    {352, "IQ5_KS_R4", 256, 168, 4, 0, kIk},
    {353, "MXFP4_R8", 32, 17, 0, 0, kIk},
    {397, "Q8_K_R16", 256, 258, 0, 0, kIk},
    {398, "Q8_KV_R8", 32, 32, 4, 0, kIk},
    {399, "Q8_K_R8", 256, 258, 0, 0, kIk},
};
static_assert(std::ranges::is_sorted(kTypes, {}, &GgmlType::id));

struct FileType {
  std::uint32_t id;
  std::string_view name;
};

// Numbers of llama_ftype: ggml-org/llama.cpp:include/llama.h up to 41, ikawrakow/ik_llama.cpp:include/llama.h above.
constexpr FileType kFileTypes[] = {
    {0, "F32"},          {1, "F16"},        {2, "Q4_0"},        {3, "Q4_1"},         {4, "Q4_1_SOME_F16"},
    {7, "Q8_0"},         {8, "Q5_0"},       {9, "Q5_1"},        {10, "Q2_K"},        {11, "Q3_K_S"},
    {12, "Q3_K_M"},      {13, "Q3_K_L"},    {14, "Q4_K_S"},     {15, "Q4_K_M"},      {16, "Q5_K_S"},
    {17, "Q5_K_M"},      {18, "Q6_K"},      {19, "IQ2_XXS"},    {20, "IQ2_XS"},      {21, "Q2_K_S"},
    {22, "IQ3_XS"},      {23, "IQ3_XXS"},   {24, "IQ1_S"},      {25, "IQ4_NL"},      {26, "IQ3_S"},
    {27, "IQ3_M"},       {28, "IQ2_S"},     {29, "IQ2_M"},      {30, "IQ4_XS"},      {31, "IQ1_M"},
    {32, "BF16"},        {33, "Q4_0_4_4"},  {34, "Q4_0_4_8"},   {35, "Q4_0_8_8"},    {36, "TQ1_0"},
    {37, "TQ2_0"},       {38, "MXFP4_MOE"}, {39, "NVFP4"},      {40, "Q1_0"},        {41, "Q2_0"},
    {135, "Q6_0"},       {136, "IQ1_BN"},   {137, "IQ2_BN"},    {138, "IQ2_K"},      {139, "IQ3_K"},
    {140, "IQ4_K"},      {141, "IQ5_K"},    {142, "IQ6_K"},     {145, "IQ4_KS"},     {146, "IQ3_KL"},
    {147, "IQ2_KS"},     {148, "IQ4_KSS"},  {149, "Q8_KV"},     {150, "IQ5_KS"},     {151, "IQ2_KT"},
    {152, "IQ3_KT"},     {153, "IQ4_KT"},   {154, "IQ3_KS"},    {155, "IQ2_KL"},     {156, "IQ1_KT"},
    {202, "Q4_0_R8"},    {207, "Q8_0_R8"},  {208, "Q5_0_R4"},   {210, "Q2_K_R4"},    {211, "Q3_K_R4"},
    {214, "Q4_K_R4"},    {216, "Q5_K_R4"},  {218, "Q6_K_R4"},   {219, "IQ2_XXS_R4"}, {220, "IQ2_XS_R4"},
    {223, "IQ3_XXS_R4"}, {224, "IQ1_S_R4"}, {225, "IQ4_NL_R4"}, {226, "IQ3_S_R4"},   {229, "IQ2_M_R4"},
    {230, "IQ4_XS_R8"},  {231, "IQ1_M_R4"}, {232, "BF16_R16"},  {335, "Q6_0_R4"},    {337, "IQ2_BN_R4"},
    {338, "IQ2_K_R4"},   {339, "IQ3_K_R4"}, {340, "IQ4_K_R4"},  {341, "IQ5_K_R4"},   {345, "IQ4_KS_R4"},
    {350, "IQ5_KS_R4"},  {351, "MXFP4_R8"}, {398, "Q8_KV_R8"},  {399, "Q8_K_R8"},    {1024, "guessed"},
};
static_assert(std::ranges::is_sorted(kFileTypes, {}, &FileType::id));

std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? std::nullopt : std::optional(result);
}

std::optional<std::uint64_t> sum(std::uint64_t a, int b) {
  std::uint64_t result = 0;
  return __builtin_add_overflow(a, static_cast<std::uint64_t>(b), &result) ? std::nullopt : std::optional(result);
}

bool same_name(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  return std::ranges::equal(a, b, {}, upper, upper);
}

}  // namespace

std::span<const GgmlType> ggml_types() {
  return kTypes;
}

const GgmlType* ggml_type(std::uint32_t id) {
  const auto* found = std::ranges::lower_bound(kTypes, id, {}, &GgmlType::id);
  return found != std::end(kTypes) && found->id == id ? found : nullptr;
}

const GgmlType* ggml_type(std::string_view name) {
  const auto* found = std::ranges::find_if(kTypes, [&](const GgmlType& type) { return same_name(type.name, name); });
  return found != std::end(kTypes) ? found : nullptr;
}

std::optional<std::uint64_t> tensor_bytes(const GgmlType& type, std::uint64_t columns, std::uint64_t rows) {
  const auto block_elements = static_cast<std::uint64_t>(type.block_elements);
  if (columns % block_elements != 0) return std::nullopt;
  const auto blocks = product(columns / block_elements, static_cast<std::uint64_t>(type.block_bytes));
  const auto row = blocks ? sum(*blocks, type.row_bytes) : std::nullopt;
  const auto all_rows = row ? product(*row, rows) : std::nullopt;
  return all_rows ? sum(*all_rows, type.tensor_bytes) : std::nullopt;
}

std::string_view ggml_file_type_name(std::uint32_t file_type) {
  const auto* found = std::ranges::lower_bound(kFileTypes, file_type, {}, &FileType::id);
  return found != std::end(kFileTypes) && found->id == file_type ? found->name : std::string_view{};
}

}  // namespace dachlast
