#include "core/model/model_name.h"

#include <algorithm>
#include <array>
#include <utility>

namespace dachlast {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}
bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

template <std::size_t n>
bool is_one_of(std::string_view word, const std::array<std::string_view, n>& list) {
  return std::ranges::find(list, word) != list.end();
}

// -------- words that say nothing of the architecture

constexpr std::array<std::string_view, 62> kUnimportant = {
    "instruct",   "it",     "chat",     "hf",     "base",        "preview",     "exp",       "latest",    "original",
    "meta",       "text",   "thinking", "think",  "unsloth",     "bartowski",   "ubergarm",  "openai",    "microsoft",
    "mistralai",  "google", "nvidia",   "turbo",  "speciale",    "terminus",    "quantized", "static",    "dynamic",
    "kv",         "marlin", "model",    "models", "ud",          "i1",          "imatrix",   "imat",      "tensors",
    "compressed", "block",  "bit",      "gguf",   "ggml",        "safetensors", "mlx",       "pt",        "sft",
    "dpo",        "rlhf",   "rl",       "inst",   "tuned",       "finetuned",   "default",   "c4ai",      "ai21",
    "offline",    "router", "modelopt", "quark",  "neuralmagic", "redhatai",    "amd",       "uncensored"};

/// Data types and schemes by which checkpoints are quantized or converted.
constexpr std::array<std::string_view, 31> kDataTypes = {
    "fp8",   "fp4",  "nvfp4", "mxfp4", "mxfp8", "mxfp6", "awq",  "gptq", "int4",       "int8", "autoround",
    "w4a16", "w8a8", "w8a16", "w4a8",  "w4a4",  "bf16",  "fp16", "f16",  "f32",        "fp32", "bnb",
    "nf4",   "qat",  "hqq",   "aqlm",  "exl2",  "exl3",  "e4m3", "e5m2", "smoothquant"};

/// What llama.cpp and others put behind "Q4" and "IQ2": "K", "M", "XXS".
constexpr std::array<std::string_view, 12> kBehindBlockType = {"k",   "m",  "s", "l", "xl",  "xs",
                                                               "xxs", "nl", "0", "1", "xxl", "p"};

/// "q4", "iq2", "tq1": block types of GGUF files.
bool is_block_type(std::string_view word) {
  for (const std::string_view prefix : {"iq", "tq", "q"})
    if (word.starts_with(prefix)) return word.size() == prefix.size() + 1 && is_digit(word.back());
  return false;
}

/// "4bit", "8bpw", "g128", "128g": bits and groups of a quantization.
bool is_bits_or_group(std::string_view word) {
  for (const std::string_view unit : {"bit", "bpw", "g"})
    if (word.ends_with(unit)) {
      const std::string_view number = word.substr(0, word.size() - unit.size());
      return !number.empty() && std::ranges::all_of(number, [](char c) { return is_digit(c) || c == '.'; });
    }
  for (const std::string_view prefix : {"gs", "g"})
    if (word.starts_with(prefix) && all_digits(word.substr(prefix.size()))) return true;
  return false;
}

bool is_data_type(std::string_view word) {
  return is_one_of(word, kDataTypes) || is_block_type(word) || is_bits_or_group(word);
}

// -------- words

/// "8b", "1.1b", "560m", "8x7b", "a22b", "16e".
bool is_size(std::string_view word) {
  if (word.starts_with('a')) word.remove_prefix(1);
  if (word.size() < 2 || !is_digit(word.front())) return false;
  const char unit = word.back();
  word.remove_suffix(1);
  const bool number = std::ranges::all_of(word, [](char c) { return is_digit(c) || c == '.' || c == 'x'; });
  return number && (unit == 'b' || unit == 'm' || unit == 'e' || unit == 't');
}

/// "128k", "1m": tokens. A million parameters are never stated alone.
bool is_context(std::string_view word) {
  return word == "1m" || (word.ends_with('k') && all_digits(word.substr(0, word.size() - 1)));
}

/// "qwen3" is "qwen", "3", but "r1", "k2" and "nvfp4" are words of their own.
void add_word(std::vector<std::string>& words, std::string word) {
  const auto digit = std::ranges::find_if(word, is_digit);
  const auto letters = digit - word.begin();
  const bool one_word = letters < 3 || digit == word.end() || is_data_type(word) || is_one_of(word, kUnimportant) ||
                        !std::all_of(word.begin(), digit, is_letter);
  if (one_word) {
    if (!word.empty()) words.push_back(std::move(word));
    return;
  }
  words.emplace_back(word.begin(), digit);
  words.emplace_back(digit, word.end());
}

/// Letters in a row that end before `end`.
std::size_t n_letters_before(std::string_view text, std::size_t end) {
  std::size_t n = 0;
  while (n < end && is_letter(text[end - n - 1])) ++n;
  return n;
}

/// "3_3" means 3.3 where both digits stand alone or behind a word, as in "Llama-3_3-Nemotron" and "internlm2_5"; "Q4_0" is
/// another thing.
std::string with_dots(std::string text) {
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] != '_' || !is_digit(text[i - 1]) || !is_digit(text[i + 1])) continue;
    const bool one_digit = i < 2 || !(is_digit(text[i - 2]) || text[i - 2] == '.');
    const std::size_t n_letters = n_letters_before(text, i - 1);
    const bool at_end =
        i + 2 == text.size() || !(is_letter(text[i + 2]) || is_digit(text[i + 2]) || text[i + 2] == '.');
    const bool behind_v = n_letters == 1 && text[i - 2] == 'v';
    if (one_digit && at_end && (n_letters == 0 || n_letters > 2 || behind_v)) text[i] = '.';
  }
  return text;
}

/// Whether the character at `i` belongs to a word: letters, digits, and dots between digits.
bool in_word(std::string_view text, std::size_t i) {
  if (text[i] != '.') return is_letter(text[i]) || is_digit(text[i]);
  return i > 0 && i + 1 < text.size() && is_digit(text[i - 1]) && is_digit(text[i + 1]);
}

/// The words of a name in lower case, without organisation.
std::vector<std::string> words_of(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  if (slash != std::string_view::npos && text.substr(0, slash).find(' ') == std::string_view::npos)
    text.remove_prefix(slash + 1);
  std::string small(text);
  std::ranges::transform(small, small.begin(), lower);
  small = with_dots(std::move(small));
  std::vector<std::string> words;
  std::string word;
  for (std::size_t i = 0; i < small.size(); ++i) {
    if (in_word(small, i)) {
      word += small[i];
      continue;
    }
    add_word(words, std::exchange(word, {}));
    if (small[i] == '+') words.emplace_back("plus");
  }
  add_word(words, word);
  return words;
}

/// "v3" is version 3.
std::string without_v(const std::string& word) {
  return word.size() > 1 && word[0] == 'v' && is_digit(word[1]) ? word.substr(1) : word;
}

bool is_number(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return is_digit(c) || c == '.'; });
}

/// "2409" and "0528" are dates, and so is the month before a year: "03-2025".
bool is_date(std::string_view word, std::string_view next) {
  if (all_digits(word) && word.size() == 4) return true;
  return all_digits(word) && word.size() == 2 && all_digits(next) && next.size() == 4 && next.starts_with("20");
}

void sort_in(ModelName& name, const std::string& raw, std::string_view next) {
  const std::string word = without_v(raw);
  if (is_context(word))
    name.contexts.push_back(word);
  else if (is_size(word))
    name.sizes.push_back(word);
  else if (!is_number(word))
    name.names.push_back(word);
  else if (is_date(word, next))
    name.dates.push_back(word);
  else if (name.data_type.empty())  // behind a data type a number counts packagings: "DeepSeek-R1-0528-FP4-V2"
    name.versions.push_back(word);
}

}  // namespace

bool ModelName::has(std::string_view word) const {
  return std::ranges::find(names, word) != names.end();
}

bool ModelName::has_size(std::string_view size) const {
  return std::ranges::find(sizes, size) != sizes.end();
}

ModelName take_apart(std::string_view text) {
  ModelName name;
  const std::vector<std::string> words = words_of(text);
  bool behind_block_type = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (behind_block_type && is_one_of(word, kBehindBlockType)) continue;
    behind_block_type = is_block_type(word);
    if (is_data_type(word)) {
      if (name.data_type.empty()) name.data_type = word;
    } else if (!is_one_of(word, kUnimportant)) {
      sort_in(name, word, i + 1 < words.size() ? std::string_view(words[i + 1]) : std::string_view());
    }
  }
  return name;
}

bool is_revision(std::string_view version) {
  return version.starts_with('0');
}

bool makes_another_model(std::string_view word) {
  constexpr std::array<std::string_view, 71> kVariants = {
      "vl",        "vlm",       "vision",   "visual", "omni",       "audio",     "video",      "image",    "multimodal",
      "ocr",       "tts",       "asr",      "speech", "voice",      "embedding", "embeddings", "embed",    "reranker",
      "rerank",    "retriever", "mini",     "nano",   "micro",      "tiny",      "small",      "medium",   "large",
      "lite",      "light",     "air",      "flash",  "plus",       "max",       "ultra",      "super",    "pro",
      "moe",       "next",      "coder",    "code",   "math",       "minitron",  "pruned",     "prune",    "distill",
      "distilled", "draft",     "drafter",  "eagle",  "medusa",     "mtp",       "speculator", "lora",     "adapter",
      "mamba",     "hybrid",    "sparse",   "bitnet", "guard",      "shield",    "edge",       "mobile",   "nas",
      "expanse",   "merge",     "upscaled", "reward", "classifier", "linear",    "diffusion",  "assistant"};
  return is_one_of(word, kVariants) || std::ranges::any_of(word, is_digit);
}

}  // namespace dachlast
