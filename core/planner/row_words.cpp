#include "core/planner/row_words.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace dachlast {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z');
}

std::optional<double> number_in(std::string_view text) {
  double value = 0.0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

template <std::size_t N>
bool has_any(std::string_view text, const std::array<std::string_view, N>& parts) {
  return std::ranges::any_of(parts, [&](std::string_view part) { return has(text, part); });
}

// -------- engines

/// A release of vLLM by its month; the facts of profiles change with the minor version.
struct Release {
  int year;
  int month;
  std::string_view version;
};

// Source   https://github.com/vllm-project/vllm/releases
constexpr Release kVllmReleases[] = {{2023, 9, "0.1"},  {2023, 12, "0.2"}, {2024, 2, "0.3"},   {2024, 4, "0.4"},
                                     {2024, 6, "0.5"},  {2024, 9, "0.6"},  {2025, 2, "0.7"},   {2025, 4, "0.8"},
                                     {2025, 6, "0.9"},  {2025, 8, "0.10"}, {2025, 10, "0.11"}, {2025, 12, "0.12"},
                                     {2026, 1, "0.13"}, {2026, 2, "0.15"}, {2026, 3, "0.17"},  {2026, 4, "0.19"},
                                     {2026, 5, "0.20"}, {2026, 6, "0.22"}, {2026, 7, "0.24"}};

/// Issues and pull requests are numbered as they come: the last release before one is what it is about.
struct NumberedRelease {
  int first_number;
  std::string_view version;
};
// Source   pull requests named in https://github.com/vllm-project/vllm/releases, the largest of each release
constexpr NumberedRelease kVllmNumbers[] = {
    {1133, "0.2"},   {2700, "0.3"},   {3750, "0.4"},   {5450, "0.5"},   {8140, "0.6"},   {12450, "0.7"},
    {15060, "0.8"},  {18860, "0.9"},  {21500, "0.10"}, {26160, "0.11"}, {29900, "0.12"}, {30950, "0.13"},
    {36000, "0.17"}, {40900, "0.20"}, {42500, "0.21"}, {44700, "0.23"}, {46000, "0.24"}};

std::optional<std::string> release_at_number(const ReferenceSource& source) {
  if (source.repo != "vllm-project/vllm") return std::nullopt;
  const std::string ref = lower_case(source.ref);
  auto number = count_behind(ref, "issue ");
  if (!number) number = count_behind(ref, "pr ");
  std::optional<std::string> version;
  for (const NumberedRelease& release : kVllmNumbers)
    if (number && *number >= release.first_number) version = std::string(release.version);
  return version;
}

/// Documents that state the version once for all their rows.
struct StatedElsewhere {
  std::string_view repo;
  std::string_view version;
};
// Source   llm-d-incubation/llm-d-planner:docs/empirical-vllm-memory-results.md (image vllm/vllm-openai:v0.11.0)
constexpr StatedElsewhere kStatedElsewhere[] = {{"llm-d-incubation/llm-d-planner", "0.11"}};

/// "2024-12": year and month.
std::optional<std::pair<int, int>> date_in(std::string_view text) {
  for (std::size_t i = 0; i + 7 <= text.size(); ++i) {
    if (text.substr(i, 2) != "20" || text[i + 4] != '-' || (i > 0 && is_digit(text[i - 1]))) continue;
    const auto year = number_in(text.substr(i, 4));
    const auto month = number_in(text.substr(i + 5, 2));
    if (year && month && *month >= 1 && *month <= 12)
      return std::pair(static_cast<int>(*year), static_cast<int>(*month));
  }
  return std::nullopt;
}

std::optional<std::string> release_of(std::pair<int, int> date) {
  std::optional<std::string> version;
  for (const Release& release : kVllmReleases)
    if (std::pair(release.year, release.month) <= date) version = std::string(release.version);
  return version;
}

/// The dotted number behind `name` and an optional "v": "vLLM v0.20.0" gives "0.20.0".
std::optional<std::string> version_behind(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    std::size_t begin = at + name.size();
    while (begin < text.size() && (text[begin] == ' ' || text[begin] == 'v')) ++begin;
    std::size_t end = begin;
    while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
    std::string version(text.substr(begin, end - begin));
    while (version.ends_with('.')) version.pop_back();
    if (version.find('.') != std::string::npos) return version;
  }
  return std::nullopt;
}

struct EngineWord {
  std::string_view word;
  std::string_view id;
};
// The order decides where several are named.
constexpr EngineWord kEngineWords[] = {{"freetoken", ""},
                                       {"sglang", "sglang"},
                                       {"tensorrt", "tensorrt-llm"},
                                       {"trt-llm", "tensorrt-llm"},
                                       {"llama.cpp", "llama.cpp"},
                                       {"ollama", "llama.cpp"},
                                       {"vllm", "vllm"},
                                       {"dachlast", "dachlast"}};

/// Repositories whose rows do not name their engine: they run vLLM.
constexpr std::array<std::string_view, 5> kVllmRepos = {"vllm-project/", "noonghunna/club-3090",
                                                        "mitchross/talos-argocd-proxmox", "llm-d-incubation/",
                                                        "eugr/spark-vllm-docker"};

const EngineWord* engine_word(std::string_view text) {
  const auto found = std::ranges::find_if(kEngineWords, [&](const EngineWord& e) { return has(text, e.word); });
  return found == std::end(kEngineWords) ? nullptr : &*found;
}

void settle_vllm_version(RowEngine& engine, const std::string& notes, const ReferenceSource& source,
                         std::optional<double> memory_fraction) {
  const auto elsewhere =
      std::ranges::find_if(kStatedElsewhere, [&](const StatedElsewhere& s) { return source.repo == s.repo; });
  if (const auto stated = version_behind(notes, "vllm")) {
    engine.version = *stated;
  } else if (has(notes, "vllm v0") || has(notes, "before mla")) {
    engine.version = "0.6";
    engine.assumption = "engine V0: vLLM 0.6";
  } else if (elsewhere != std::end(kStatedElsewhere)) {
    engine.version = std::string(elsewhere->version);
  } else if (const auto date = date_in(notes); date && release_of(*date)) {
    engine.version = *release_of(*date);
    engine.assumption = fmt::format("vLLM {}, the release of {}-{:02}", engine.version, date->first, date->second);
  } else if (const auto numbered = release_at_number(source)) {
    engine.version = *numbered;
    engine.assumption = fmt::format("vLLM {}, the release before {}", engine.version, source.ref);
  } else if (memory_fraction && *memory_fraction == 0.9) {
    engine.version = "0.20";
    engine.assumption = "vLLM 0.20: 0.9 was the default until then";
  } else {
    engine.assumption = "the newest vLLM";
  }
}

// -------- notes

/// A number above 0 and at most 1 right behind `word`: "--gpu-memory-utilization 0.85".
std::optional<double> share_behind(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  std::size_t begin = at + word.size();
  while (begin < text.size() && (text[begin] == ' ' || text[begin] == '=')) ++begin;
  double value = 0.0;
  const auto read = std::from_chars(text.data() + begin, text.data() + text.size(), value);
  return read.ec == std::errc{} && value > 0.0 && value <= 1.0 ? std::optional(value) : std::nullopt;
}

constexpr std::array<std::string_view, 5> kRefusals = {"start refused", "failed start", "did not start",
                                                       "refused to start", "no kv room"};
constexpr std::array<std::string_view, 4> kImprecise = {"approximate", "low-confidence", "not stated", "inferred"};
constexpr std::array<std::string_view, 4> kNoDrafter = {"no mtp", "mtp off", "without mtp", "mtp disabled"};
constexpr std::array<std::string_view, 3> kWholeExperts = {"expert-parallel", "expert parallel", "expert_parallel"};
constexpr std::array<std::string_view, 3> kSharedGpu = {"gpu not empty", "other process", "another process"};

}  // namespace

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string lower_case(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return made;
}

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_name_char(text[at - 1])) && (end == text.size() || !is_name_char(text[end]))) return true;
  }
  return false;
}

std::optional<int> count_behind(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  std::size_t begin = at + word.size();
  while (begin < text.size() && (text[begin] == ' ' || text[begin] == '=' || text[begin] == ':')) ++begin;
  int value = 0;
  const auto read = std::from_chars(text.data() + begin, text.data() + text.size(), value);
  return read.ec == std::errc{} && value > 0 ? std::optional(value) : std::nullopt;
}

std::optional<double> number_before(std::string_view text, std::string_view word) {
  std::size_t end = text.find(word);
  if (end == std::string_view::npos) return std::nullopt;
  while (end > 0 && text[end - 1] == ' ') --end;
  std::size_t begin = end;
  while (begin > 0 && (is_digit(text[begin - 1]) || text[begin - 1] == '.')) --begin;
  return number_in(text.substr(begin, end - begin));
}

std::optional<int> count_before(std::string_view text, std::string_view word) {
  constexpr double kMost = 1e6;
  const auto value = number_before(text, word);
  return value && *value >= 1.0 && *value <= kMost ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

RowEngine row_engine(std::string_view engine_name, std::string_view engine_version, const ReferenceSource& source,
                     std::optional<double> memory_fraction) {
  RowEngine engine;
  const std::string notes = lower_case(source.notes);
  const EngineWord* word = engine_word(lower_case(engine_name));
  if (word == nullptr && engine_name.empty()) word = engine_word(notes);
  if (word == nullptr && engine_name.empty() &&
      std::ranges::any_of(kVllmRepos, [&](std::string_view repo) { return source.repo.starts_with(repo); }))
    word = engine_word("vllm");
  if (word == nullptr && engine_name.empty()) {
    word = engine_word("vllm");
    engine.assumption = "vLLM, as most of these logs";
  }
  engine.name = word != nullptr && engine_name.empty() ? std::string(word->word) : std::string(engine_name);
  if (word == nullptr) return engine;
  engine.id = std::string(word->id);
  if (const auto stated = version_behind("@" + lower_case(engine_version), "@"))
    engine.version = *stated;
  else if (engine.id == "vllm")
    settle_vllm_version(engine, notes, source, memory_fraction);
  return engine;
}

RowNotes read_notes(std::string_view text) {
  const std::string notes = lower_case(text);
  RowNotes read;
  read.block_tokens = count_behind(notes, "--block-size");
  read.max_num_batched_tokens = count_behind(notes, "max-num-batched-tokens");
  if (!read.max_num_batched_tokens) read.max_num_batched_tokens = count_behind(notes, "max_num_batched_tokens");
  read.max_num_seqs = count_behind(notes, "max_num_seqs");
  if (!read.max_num_seqs) read.max_num_seqs = count_behind(notes, "max-num-seqs");
  if (has(notes, "checkpoint")) read.n_kv_heads = count_before(notes, "kv heads");
  read.refused = has_any(notes, kRefusals);
  read.drafter = has_word(notes, "mtp") && !has_any(notes, kNoDrafter);
  for (const std::string_view word : {"data-parallel-size", "data_parallel_size", "dp="})
    if (const auto groups = count_behind(notes, word); groups && read.data_parallel == 1) read.data_parallel = *groups;
  read.whole_experts = has_any(notes, kWholeExperts);
  read.shared_gpu = has_any(notes, kSharedGpu);
  read.marlin = has(notes, "marlin");
  read.imprecise = has_any(notes, kImprecise);
  read.eager = has(notes, "enforce-eager") || has(notes, "enforce_eager");
  for (const std::string_view word : {"gpu-memory-utilization", "gpu_memory_utilization", "mem-fraction-static"})
    if (!read.memory_fraction) read.memory_fraction = share_behind(notes, word);
  read.process_mib = number_before(notes, "mib per process");
  return read;
}

RowDevice read_device_words(std::string_view text) {
  RowDevice device;
  const std::string lower = lower_case(text);
  device.text = std::string(text);
  device.name = std::string(text.substr(0, text.find('(')));
  while (device.name.ends_with(' ')) device.name.pop_back();
  device.n_devices = count_before(lower, "x)");
  if (!device.n_devices) device.n_devices = count_before(lower, "x,");
  device.reported_gib = number_before(lower, "gib reported");
  const auto requested = number_before(lower, "gib at util");
  const std::size_t at = lower.find("at util ");
  if (requested && at != std::string::npos) {
    std::size_t end = at + 8;
    while (end < lower.size() && (is_digit(lower[end]) || lower[end] == '.')) ++end;
    if (const auto fraction = number_in(std::string_view(lower).substr(at + 8, end - at - 8));
        fraction && *fraction > 0)
      device.reported_gib = *requested / *fraction;
  }
  device.sold_gb = number_before(lower, "gb");
  return device;
}

}  // namespace dachlast
