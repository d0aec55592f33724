#include "core/hardware/device_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace dachlast {
namespace {

using Words = std::vector<std::string>;

bool letter(char c) {
  return c >= 'a' && c <= 'z';
}

bool digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool says_nothing(const std::string& word) {
  constexpr std::array kNoise = {"nvidia", "amd",   "intel",  "apple",   "google",      "geforce",   "instinct",
                                 "tesla",  "gpu",   "hbm2",   "hbm2e",   "hbm3",        "hbm3e",     "gddr6",
                                 "gddr6x", "gddr7", "server", "edition", "workstation", "generation"};
  return std::find(kNoise.begin(), kNoise.end(), word) != kNoise.end();
}

enum class Brackets { kOutside, kInside };

/// Lower-case words of letters and digits outside brackets or inside them; "80 GB" and "80GiB" become "80gb".
Words words_of(std::string_view text, Brackets where = Brackets::kOutside) {
  Words words(1);
  int depth = 0;
  for (const char raw : text) {
    const char c = lower(raw);
    if (c == '(') ++depth;
    if (c == ')') depth = std::max(0, depth - 1);
    const bool wanted = (depth > 0) == (where == Brackets::kInside);
    if (wanted && (letter(c) || digit(c) || c == '+')) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  Words kept;
  for (std::string& word : words) {
    if (word.ends_with("gib")) word.replace(word.size() - 3, 3, "gb");
    const bool unit_alone = word == "gb" && !kept.empty() && std::all_of(kept.back().begin(), kept.back().end(), digit);
    if (unit_alone)
      kept.back() += word;
    else if (!word.empty() && !says_nothing(word))
      kept.push_back(word);
  }
  return kept;
}

std::string joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += word;
  return text;
}

std::vector<std::string> spellings_of(const DeviceSpec& device) {
  std::vector<std::string> spellings = device.aliases;
  spellings.push_back(device.id);
  spellings.push_back(device.name);
  return spellings;
}

bool is_spelling(const Words& typed, const DeviceSpec& device) {
  const auto spellings = spellings_of(device);
  return std::any_of(spellings.begin(), spellings.end(),
                     [&](const std::string& spelling) { return joined(words_of(spelling)) == joined(typed); });
}

/// "sxm" stands for "sxm5" too: letters alone leave the generation open.
bool covers(const std::string& word, const std::string& typed) {
  if (word == typed) return true;
  return std::all_of(typed.begin(), typed.end(), letter) && word.starts_with(typed) &&
         std::all_of(word.begin() + static_cast<std::ptrdiff_t>(typed.size()), word.end(), digit);
}

bool has_all_words(const Words& typed, const DeviceSpec& device) {
  Words known;
  for (const std::string& spelling : spellings_of(device))
    for (const Brackets where : {Brackets::kOutside, Brackets::kInside})
      for (std::string& word : words_of(spelling, where)) known.push_back(std::move(word));
  if (const auto gb = device.main_memory().marketing_gb) known.push_back(fmt::format("{}gb", *gb));
  return std::all_of(typed.begin(), typed.end(), [&](const std::string& word) {
    return std::any_of(known.begin(), known.end(), [&](const std::string& other) { return covers(other, word); });
  });
}

/// "80gb" alone names no device, though only one may have as much.
bool is_memory_size(const std::string& word) {
  return word.ends_with("gb") && digit(word.front());
}

std::vector<const DeviceSpec*> devices_of_words(const Words& words, std::span<const DeviceSpec> devices) {
  std::vector<const DeviceSpec*> meant;
  if (std::all_of(words.begin(), words.end(), is_memory_size)) return meant;
  for (const DeviceSpec& device : devices)
    if (is_spelling(words, device)) meant.push_back(&device);
  if (!meant.empty()) return meant;
  for (const DeviceSpec& device : devices)
    if (has_all_words(words, device)) meant.push_back(&device);
  return meant;
}

}  // namespace

std::vector<const DeviceSpec*> devices_meant(std::string_view typed, std::span<const DeviceSpec> devices) {
  const auto outside = devices_of_words(words_of(typed), devices);
  return outside.empty() ? devices_of_words(words_of(typed, Brackets::kInside), devices) : outside;
}

}  // namespace dachlast
