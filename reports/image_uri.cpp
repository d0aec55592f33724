#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "reports/html.h"

namespace dachlast::reports {
namespace {

// A logo is small; a photograph would make every report heavy.
constexpr std::size_t kMostBytes = 256 * 1024;

std::optional<std::string_view> media_type(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
  if (bytes.starts_with("\xff\xd8\xff")) return "image/jpeg";
  if (bytes.substr(0, 1024).find("<svg") != std::string_view::npos) return "image/svg+xml";
  return std::nullopt;
}

// RFC 4648 §4.
std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? kDigits[(group >> (18 - 6 * k)) & 63] : '=';
  }
  return text;
}

}  // namespace

std::string image_uri(std::string_view subject, std::string_view bytes) {
  const auto type = media_type(bytes);
  if (!type)
    throw Error(ErrorKind::kUsage, std::string(subject), "is no image a report can hold.",
                "Give a PNG, JPEG or SVG file.");
  if (bytes.size() > kMostBytes)
    throw Error(ErrorKind::kUsage, std::string(subject),
                fmt::format("has {} bytes, and a report takes {}.", bytes.size(), kMostBytes), "Give a smaller image.");
  return fmt::format("data:{};base64,{}", *type, base64(bytes));
}

}  // namespace dachlast::reports
