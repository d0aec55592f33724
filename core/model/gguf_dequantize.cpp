#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/error.h"
#include "core/base/half.h"
#include "core/model/quantization.h"

// Layouts as in ggml-org/llama.cpp:ggml/src/ggml-common.h, numbers little-endian.
namespace dachlast {
namespace {

constexpr std::size_t kSmallBlock = 32;
constexpr std::size_t kSuperBlock = 256;

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

float half_at(const std::byte* at) {
  return to_float(F16{load<std::uint16_t>(at)});
}

unsigned byte_at(const std::byte* at) {
  return std::to_integer<unsigned>(*at);
}

int signed_byte_at(const std::byte* at) {
  return load<std::int8_t>(at);
}

/// Nibble i of 16 bytes: the low halves hold elements 0 … 15, the high ones 16 … 31.
int nibble(const std::byte* bytes, std::size_t i) {
  const unsigned pair = byte_at(bytes + i % 16);
  return static_cast<int>(i < 16 ? pair & 15u : pair >> 4);
}

void f32(const std::byte* block, float* out) {
  *out = load<float>(block);
}
void f64(const std::byte* block, float* out) {
  *out = static_cast<float>(load<double>(block));
}
void f16(const std::byte* block, float* out) {
  *out = half_at(block);
}
void bf16(const std::byte* block, float* out) {
  *out = to_float(BF16{load<std::uint16_t>(block)});
}

/// half d, nibbles q: d · (q − 8).
void q4_0(const std::byte* block, float* out) {
  const float d = half_at(block);
  for (std::size_t i = 0; i < kSmallBlock; ++i) out[i] = d * static_cast<float>(nibble(block + 2, i) - 8);
}

/// half d, half m, nibbles q: d · q + m.
void q4_1(const std::byte* block, float* out) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  for (std::size_t i = 0; i < kSmallBlock; ++i) out[i] = d * static_cast<float>(nibble(block + 4, i)) + m;
}

/// Nibble i with bit i of `high_bits` above it.
int five_bits(const std::byte* nibbles, std::uint32_t high_bits, std::size_t i) {
  return nibble(nibbles, i) | static_cast<int>((high_bits >> i & 1u) << 4);
}

/// half d, 32 high bits, nibbles: d · (q − 16).
void q5_0(const std::byte* block, float* out) {
  const float d = half_at(block);
  const auto high = load<std::uint32_t>(block + 2);
  for (std::size_t i = 0; i < kSmallBlock; ++i) out[i] = d * static_cast<float>(five_bits(block + 6, high, i) - 16);
}

/// half d, half m, 32 high bits, nibbles: d · q + m.
void q5_1(const std::byte* block, float* out) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  const auto high = load<std::uint32_t>(block + 4);
  for (std::size_t i = 0; i < kSmallBlock; ++i) out[i] = d * static_cast<float>(five_bits(block + 8, high, i)) + m;
}

/// half d, 32 signed bytes: d · q.
void q8_0(const std::byte* block, float* out) {
  const float d = half_at(block);
  for (std::size_t i = 0; i < kSmallBlock; ++i) out[i] = d * static_cast<float>(signed_byte_at(block + 2 + i));
}

/// 128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales, half d: d · scale · (q − 32). Each half of
/// 128 elements has 64 nibble bytes and 32 bytes of pairs; element i of it, of quarter i / 32, uses nibble byte i % 64,
/// pair byte i % 32, and the scale of its 16 elements.
void q6_k(const std::byte* block, float* out) {
  const float d = half_at(block + 208);
  for (std::size_t n = 0; n < kSuperBlock; ++n) {
    const std::size_t half = n / 128;
    const std::size_t i = n % 128;
    const unsigned pair = byte_at(block + half * 64 + i % 64);
    const unsigned low = i < 64 ? pair & 15u : pair >> 4;
    const unsigned high = byte_at(block + 128 + half * 32 + i % 32) >> (i / 32 * 2) & 3u;
    const float scale = d * static_cast<float>(signed_byte_at(block + 192 + n / 16));
    out[n] = scale * static_cast<float>(static_cast<int>(low | high << 4) - 32);
  }
}

struct Reader {
  std::string_view type;
  void (*block)(const std::byte* block, float* out);
};

constexpr std::array kReaders = {Reader{"F32", f32},   Reader{"F16", f16},   Reader{"BF16", bf16}, Reader{"F64", f64},
                                 Reader{"Q4_0", q4_0}, Reader{"Q4_1", q4_1}, Reader{"Q5_0", q5_0}, Reader{"Q5_1", q5_1},
                                 Reader{"Q8_0", q8_0}, Reader{"Q6_K", q6_k}};

const Reader* reader_of(const GgmlType& type) {
  const auto* found = std::ranges::find(kReaders, type.name, &Reader::type);
  return found == kReaders.end() ? nullptr : found;
}

}  // namespace

bool can_dequantize(const GgmlType& type) {
  return reader_of(type) != nullptr;
}

std::vector<float> dequantize(const GgmlType& type, std::span<const std::byte> blocks) {
  const Reader* reader = reader_of(type);
  if (reader == nullptr)
    throw Error(ErrorKind::kInput, std::string(type.name), "elements of this type cannot be read.",
                "Use a file in F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 or Q6_K.");
  const auto block_bytes = static_cast<std::size_t>(type.block_bytes);
  if (blocks.size() % block_bytes != 0)
    throw Error(ErrorKind::kInput, std::string(type.name),
                fmt::format("{} bytes are no whole number of blocks of {}.", blocks.size(), block_bytes));
  const auto block_elements = static_cast<std::size_t>(type.block_elements);
  std::vector<float> values(blocks.size() / block_bytes * block_elements);
  for (std::size_t i = 0; i < blocks.size() / block_bytes; ++i)
    reader->block(blocks.data() + i * block_bytes, values.data() + i * block_elements);
  return values;
}

}  // namespace dachlast
