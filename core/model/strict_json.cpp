#include "core/model/strict_json.h"

#include <fmt/core.h>

#include "core/base/error.h"

namespace dachlast {

std::string printable(std::string_view text) {
  constexpr std::size_t kShown = 160;  // longer than any real tensor or file name
  std::string shown(text.substr(0, kShown));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text.size() > kShown ? shown + "…" : shown;
}

bool StrictJson::parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
  return refuse(fmt::format("it is not valid JSON at byte {}", position));
}

void read_strict_json(std::string_view json, StrictJson& reader, const std::string& subject, std::string_view what) {
  if (nlohmann::json::sax_parse(json.begin(), json.end(), &reader)) return;
  throw Error(ErrorKind::kInput, subject, fmt::format("the {} cannot be read: {}.", what, reader.reason_),
              "The file is damaged: copy or download it again.");
}

}  // namespace dachlast
