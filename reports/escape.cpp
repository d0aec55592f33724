#include "reports/escape.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

namespace dachlast::reports {
namespace {

constexpr std::string_view kReplacement = "\uFFFD";

struct Decoded {
  std::uint32_t code_point;
  std::size_t length;
};

int sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

// Empty for overlong forms, surrogates, values above U+10FFFF and cut sequences (Unicode 15, table 3-7).
std::optional<Decoded> decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const int length = sequence_length(lead);
  if (length == 0 || text.size() < static_cast<std::size_t>(length)) return std::nullopt;
  std::uint32_t c = length == 1 ? lead : lead & (0xffu >> (length + 1));
  for (int i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    c = (c << 6) | (byte & 0x3fu);
  }
  const bool overlong = (length == 3 && c < 0x800) || (length == 4 && c < 0x10000);
  const bool surrogate = c >= 0xd800 && c <= 0xdfff;
  if (overlong || surrogate || c > 0x10ffff) return std::nullopt;
  return Decoded{c, static_cast<std::size_t>(length)};
}

bool changes_direction(std::uint32_t c) {
  return c == 0x200e || c == 0x200f || c == 0x061c || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool is_control(std::uint32_t c) {
  return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff;
}

// U+0007 shows as its control picture U+2407, a direction mark by its name.
std::string stand_in(std::uint32_t c) {
  if (c < 0x20) {
    const std::uint32_t picture = 0x2400 + c;
    return {static_cast<char>(0xe2), static_cast<char>(0x80 | ((picture >> 6) & 0x3f)),
            static_cast<char>(0x80 | (picture & 0x3f))};
  }
  return fmt::format("[U+{:04X}]", c);
}

}  // namespace

std::string safe_text(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const auto decoded = decode(text);
    if (!decoded)
      safe += kReplacement;
    else if (is_control(decoded->code_point) || changes_direction(decoded->code_point))
      safe += stand_in(decoded->code_point);
    else
      safe += text.substr(0, decoded->length);
    text.remove_prefix(decoded ? decoded->length : 1);
  }
  return safe;
}

std::string html_escape(std::string_view text) {
  std::string escaped;
  for (const char c : safe_text(text)) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

}  // namespace dachlast::reports
