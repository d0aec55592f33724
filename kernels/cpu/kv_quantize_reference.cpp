#include <algorithm>
#include <cstring>

#include "kernels/cpu/convert.h"
#include "kernels/cpu/kv_codes.h"
#include "kernels/cpu/kv_quantize.h"

namespace dachlast::kernels::cpu {
namespace {

/// 0 where all elements are finite, else NaN: added to a scale it makes all that the scale stands for read as NaN.
float poison_of(std::span<const float> row) {
  float poison = 0.0f;
  for (const float x : row) poison += x * 0.0f;
  return poison;
}

float largest_magnitude(std::span<const float> row) {
  float largest = 0.0f;
  for (const float x : row) largest = std::max(largest, std::abs(x));
  return largest + poison_of(row);
}

}  // namespace

void quantize_int4_group(std::span<const float> group, std::byte* out, ScaleWord& word) {
  const auto [lowest, largest] = std::minmax_element(group.begin(), group.end());
  word = int4_word(*lowest + poison_of(group), *largest + 0.0f);  // of two zeros the positive one
  const Int4Scale scale = int4_scale(word);
  std::memset(out, 0, kInt4Group / 2);
  for (std::size_t i = 0; i < group.size(); ++i) put_int4(group[i], scale, static_cast<int>(i), out);
}

void quantize_row_reference(KvFormat format, std::span<const float> row, std::byte* out, ScaleWord* scales) {
  switch (format) {
    case KvFormat::kF32: std::memcpy(out, row.data(), row.size_bytes()); return;
    case KvFormat::kBF16: return convert(row, reinterpret_cast<BF16*>(out));
    case KvFormat::kF16:
      for (std::size_t i = 0; i < row.size(); ++i) {
        const F16 half = to_f16(row[i]);
        std::memcpy(out + i * sizeof(F16), &half, sizeof(F16));
      }
      return;
    case KvFormat::kInt8:
    case KvFormat::kFp8: break;
    case KvFormat::kInt4:
      for (std::size_t first = 0; first < row.size(); first += kInt4Group, out += kInt4Group / 2)
        quantize_int4_group(row.subspan(first, std::min<std::size_t>(kInt4Group, row.size() - first)), out, *scales++);
      return;
  }
  const float scale = scale_of_largest(format, largest_magnitude(row));
  *scales = std::bit_cast<ScaleWord>(scale);
  const auto code = format == KvFormat::kInt8 ? int8_code : fp8_code;
  for (std::size_t i = 0; i < row.size(); ++i) out[i] = code(row[i], inverse(scale));
}

}  // namespace dachlast::kernels::cpu
