#include "core/model/model_alias.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

namespace dachlast {
namespace {

// -------- words

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

// What a name says about tuning, data type, packing and publisher: none of it changes the architecture.
constexpr std::array<std::string_view, 63> kUnimportant = {
    "instruct", "it",        "chat",    "hf",       "base",      "preview", "exp",         "latest",    "original",
    "meta",     "text",      "fp8",     "fp4",      "nvfp4",     "mxfp4",   "awq",         "gptq",      "int4",
    "int8",     "autoround", "dynamic", "w4a16",    "w8a8",      "bf16",    "fp16",        "f16",       "gguf",
    "4bit",     "8bit",      "bit",     "block",    "thinking",  "think",   "safetensors", "unsloth",   "bartowski",
    "ubergarm", "128k",      "256k",    "1m",       "terminus",  "flash",   "openai",      "microsoft", "mistralai",
    "google",   "nvidia",    "turbo",   "speciale", "quantized", "bnb",     "compressed",  "static",    "kv",
    "marlin",   "model",     "models",  "qat",      "ud",        "i1",      "imatrix",     "tensors",   "eagle"};

bool is_unimportant(std::string_view word) {
  return std::ranges::find(kUnimportant, word) != kUnimportant.end();
}

/// "qwen3" is "qwen", "3", but "r1", "k2" and "nvfp4" are words of their own.
void add_word(std::vector<std::string>& words, std::string word) {
  const auto digit = std::ranges::find_if(word, is_digit);
  const auto letters = digit - word.begin();
  if (letters < 3 || digit == word.end() || is_unimportant(word) || !std::all_of(word.begin(), digit, is_letter)) {
    if (!word.empty()) words.push_back(std::move(word));
    return;
  }
  words.emplace_back(word.begin(), digit);
  words.emplace_back(digit, word.end());
}

/// The words of a name in lower case, without organisation.
std::vector<std::string> words_of(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  if (slash != std::string_view::npos && text.substr(0, slash).find(' ') == std::string_view::npos)
    text.remove_prefix(slash + 1);
  std::vector<std::string> words;
  std::string word;
  for (const char raw : text) {
    const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(raw)));
    if (is_letter(c) || is_digit(c) || c == '.')
      word += c;
    else
      add_word(words, std::exchange(word, {}));
  }
  add_word(words, word);
  return words;
}

enum class WordKind { kName, kVersion, kSize, kDate, kNoise };

/// "8b", "1.1b", "560m", "8x7b", "a22b", "16e".
bool is_size(std::string_view word) {
  if (word.starts_with('a')) word.remove_prefix(1);
  if (word.size() < 2 || !is_digit(word.front())) return false;
  const char unit = word.back();
  word.remove_suffix(1);
  const bool number = std::ranges::all_of(word, [](char c) { return is_digit(c) || c == '.' || c == 'x'; });
  return number && (unit == 'b' || unit == 'm' || unit == 'e' || unit == 't');
}

WordKind kind_of(std::string_view word) {
  if (is_unimportant(word)) return WordKind::kNoise;
  if (is_size(word)) return WordKind::kSize;
  if (std::ranges::any_of(word, is_letter)) return WordKind::kName;
  return word.size() == 4 && word.find('.') == std::string_view::npos ? WordKind::kDate : WordKind::kVersion;
}

/// A model's name taken apart.
struct ModelName {
  std::vector<std::string> names;     // "qwen", "coder"
  std::vector<std::string> versions;  // "3.1"
  std::vector<std::string> sizes;     // "235b", "a22b"
  bool quantized = false;             // names a data type

  bool has(std::string_view word) const { return std::ranges::find(names, word) != names.end(); }
  bool has_size(std::string_view word) const { return std::ranges::find(sizes, word) != sizes.end(); }
};

ModelName take_apart(std::string_view text) {
  ModelName name;
  for (std::string word : words_of(text)) {
    if (word.size() > 1 && word[0] == 'v' && is_digit(word[1])) word.erase(0, 1);
    switch (kind_of(word)) {
      case WordKind::kName: name.names.push_back(word); break;
      case WordKind::kVersion:
        // Behind a data type a number counts packagings: "DeepSeek-R1-0528-FP4-V2".
        if (!name.quantized) name.versions.push_back(word);
        break;
      case WordKind::kSize: name.sizes.push_back(word); break;
      case WordKind::kDate: break;
      case WordKind::kNoise: name.quantized = name.quantized || std::ranges::any_of(word, is_digit); break;
    }
  }
  return name;
}

// -------- models that share an architecture

struct SameArchitecture {
  std::string_view family;
  std::string_view released;
  std::string_view as;  // empty: the preset's name has no version
};

// Later releases with the config of an earlier one: same layers, widths, heads and experts (their config.json files).
constexpr SameArchitecture kSame[] = {
    {"llama", "3.3", "3.1"}, {"qwen", "3.6", "3.5"},    {"qwen", "3.8", "3.5"},      {"glm", "4.6", "4.5"},
    {"glm", "4.7", "4.5"},   {"glm", "5.1", "5"},       {"deepseek", "3.1", "3"},    {"kimi", "k2.5", "k2"},
    {"kimi", "k2.6", "k2"},  {"minimax", "m2", "m2.5"}, {"minimax", "m2.1", "m2.5"}, {"minimax", "m2.7", "m2.5"},
};

// DeepSeek-R1's distillations are other models fine-tuned. Source: model card of deepseek-ai/DeepSeek-R1.
struct Distillation {
  std::string_view size;
  std::string_view of;
};
constexpr Distillation kDistilled[] = {
    {"1.5b", "qwen2.5-1.5b"}, {"7b", "qwen2.5-7b"},   {"8b", "llama-3.1-8b"},
    {"14b", "qwen2.5-14b"},   {"32b", "qwen2.5-32b"}, {"70b", "llama-3.1-70b"},
};

void settle_llama(ModelName& name) {
  // The first generation had no number; of 70 B there is only the second. 7 B and 13 B kept their shapes in it.
  if (name.versions.empty()) name.versions = {name.has_size("70b") ? "2" : "1"};
  const bool same_shapes = name.has_size("7b") || name.has_size("13b");
  if (name.versions[0] == "1" && same_shapes) name.versions[0] = "2";
  for (std::string& size : name.sizes)
    if (size == "33b") size = "30b";  // as its paper counts it
}

void settle(ModelName& name) {
  for (const SameArchitecture& same : kSame)
    for (auto* words : {&name.versions, &name.names})
      if (name.has(same.family)) std::ranges::replace(*words, std::string(same.released), std::string(same.as));
  if (name.has("mistral") && name.has("small")) name.versions.clear();  // 3, 3.1 and 3.2: one text model of 24 B
  if (name.has("llama") && name.names.size() == 1 && (!name.sizes.empty() || !name.versions.empty()))
    settle_llama(name);
}

std::optional<std::string_view> distilled_from(const ModelName& name) {
  if (!name.has("deepseek") || !name.has("r1")) return std::nullopt;
  for (const Distillation& model : kDistilled)
    if (name.has_size(model.size)) return model.of;
  return std::nullopt;
}

// -------- comparison

bool contains_all(const std::vector<std::string>& whole, const std::vector<std::string>& part) {
  return std::ranges::all_of(part,
                             [&](const std::string& word) { return std::ranges::find(whole, word) != whole.end(); });
}

/// 671e9 of "671b"; empty for "8x7b" and "a22b", which no preset's total is compared with.
std::optional<double> size_value(std::string_view size) {
  double value = 0;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), value);
  if (error != std::errc{} || end + 1 != size.data() + size.size()) return std::nullopt;
  return value * (*end == 't' ? 1e12 : *end == 'b' ? 1e9 : 1e6);
}

bool about(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * b;
}

/// Sizes a preset's name leaves out are compared with its parameters: "DeepSeek R1 671B".
bool sizes_agree(const ModelName& text, const ModelName& preset, const PresetSource& source) {
  if (contains_all(preset.sizes, text.sizes)) return true;
  if (!preset.sizes.empty() || !source.published_parameters) return false;
  return std::ranges::all_of(text.sizes, [&](const std::string& size) {
    const auto value = size_value(size);
    return value && about(*value, *source.published_parameters, 0.05);
  });
}

bool is_revision(const std::string& version) {
  return version.starts_with('0');  // "0.1": of the same architecture, and often left out
}

bool fits(const ModelName& text, const ModelName& preset, const PresetSource& source) {
  std::vector<std::string> needed = preset.versions;
  std::vector<std::string> stated = text.versions;
  std::erase_if(needed, is_revision);
  std::erase_if(stated, is_revision);
  return contains_all(text.names, preset.names) && contains_all(text.versions, needed) &&
         contains_all(preset.versions, stated) && sizes_agree(text, preset, source);
}

struct Candidate {
  const PresetSource* source;
  ModelName name;
  std::size_t matched;  // words of the text it accounts for

  bool better_than(const Candidate& other) const {
    if (matched != other.matched) return matched > other.matched;
    if (name.quantized != other.name.quantized) return !name.quantized;
    return source->name < other.source->name;
  }
};

std::size_t n_matched(const ModelName& text, const ModelName& preset) {
  std::size_t n = preset.names.size();
  for (const std::string& version : preset.versions)
    n += static_cast<std::size_t>(std::ranges::count(text.versions, version));
  return n;
}

std::vector<Candidate> candidates(const ModelName& text, std::span<const PresetSource> presets) {
  std::vector<Candidate> found;
  for (const PresetSource& source : presets) {
    ModelName name = take_apart(source.name);
    if (name.names.empty() || !fits(text, name, source)) continue;
    const std::size_t matched = n_matched(text, name);
    found.push_back({&source, std::move(name), matched});
  }
  std::ranges::sort(found, [](const Candidate& a, const Candidate& b) { return a.better_than(b); });
  return found;
}

/// The best candidate, if no other one of different size fits as well.
std::optional<std::string> decide(std::vector<Candidate> found, const ModelName& text,
                                  std::optional<double> parameters) {
  if (text.sizes.empty() && parameters)
    std::erase_if(found, [&](const Candidate& candidate) {
      return candidate.source->published_parameters &&
             !about(*parameters, *candidate.source->published_parameters, 0.02);
    });
  if (found.empty()) return std::nullopt;
  const bool ambiguous = text.sizes.empty() && std::ranges::any_of(found, [&](const Candidate& other) {
                           return other.matched == found[0].matched && !other.name.sizes.empty() &&
                                  !found[0].name.sizes.empty() && other.name.sizes != found[0].name.sizes;
                         });
  return ambiguous ? std::nullopt : std::optional(found[0].source->name);
}

std::string without_remark(std::string_view text) {
  return std::string(text.substr(0, text.find('(')));
}

}  // namespace

std::optional<std::string> preset_for_model_text(std::string_view text, std::span<const PresetSource> presets,
                                                 std::optional<double> parameters) {
  for (const std::string& reading : {without_remark(text), std::string(text)}) {
    ModelName name = take_apart(reading);
    if (const auto base = distilled_from(name)) name = take_apart(*base);
    settle(name);
    if (auto found = decide(candidates(name, presets), name, parameters)) return found;
  }
  return std::nullopt;
}

}  // namespace dachlast
