#include "core/model/model_alias.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "core/model/model_name.h"

namespace dachlast {
namespace {

using WordList = std::vector<std::string>;

bool contains(const WordList& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

bool contains_all(const WordList& whole, const WordList& part) {
  return std::ranges::all_of(part, [&](const std::string& word) { return contains(whole, word); });
}

// -------- names as people write them

/// The first Llama had no number, and of 70 B there is only the second. 7 B and 13 B kept their sizes in it.
void settle_llama(ModelName& name) {
  if (name.versions.empty()) name.versions = {name.has_size("70b") ? "2" : "1"};
  const bool same_sizes = name.has_size("7b") || name.has_size("13b");
  if (name.versions[0] == "1" && same_sizes) name.versions[0] = "2";
}

ModelName read_name(std::string_view text) {
  ModelName name = take_apart(text);
  if (name.has("llama") && name.names.size() == 1 && (!name.sizes.empty() || !name.versions.empty()))
    settle_llama(name);
  return name;
}

// -------- comparison

/// 671e9 of "671b"; empty for "8x7b" and "a22b", which no total is compared with.
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
bool sizes_agree(const ModelName& text, const ModelName& known, const PresetSource& source) {
  if (contains_all(known.sizes, text.sizes)) return true;
  if (!known.sizes.empty() || !source.published_parameters) return false;
  return std::ranges::all_of(text.sizes, [&](const std::string& size) {
    const auto value = size_value(size);
    return value && about(*value, *source.published_parameters, 0.05);
  });
}

WordList revisions_of(const WordList& versions) {
  WordList revisions;
  std::ranges::copy_if(versions, std::back_inserter(revisions), is_revision);
  return revisions;
}

/// Versions must be the same. A revision may be left out on either side, but never be another one.
bool versions_agree(const ModelName& text, const ModelName& known) {
  WordList stated = text.versions;
  WordList needed = known.versions;
  std::erase_if(stated, is_revision);
  std::erase_if(needed, is_revision);
  const WordList stated_revisions = revisions_of(text.versions);
  const WordList known_revisions = revisions_of(known.versions);
  const bool same_revision = stated_revisions.empty() || known_revisions.empty() || stated_revisions == known_revisions;
  return same_revision && contains_all(stated, needed) && contains_all(needed, stated);
}

/// What the text says beyond the known name must not make another model of it.
bool tells_of_tuning_only(const ModelName& text, const ModelName& known) {
  return std::ranges::none_of(
      text.names, [&](const std::string& word) { return !contains(known.names, word) && makes_another_model(word); });
}

bool fits(const ModelName& text, const ModelName& known, const PresetSource& source) {
  return contains_all(text.names, known.names) && tells_of_tuning_only(text, known) && versions_agree(text, known) &&
         sizes_agree(text, known, source) && contains_all(text.dates, known.dates) &&
         contains_all(text.contexts, known.contexts);
}

struct Candidate {
  const PresetSource* source;
  const PresetAlias* alias;  // nullptr: the preset's own name
  ModelName name;
  std::size_t matched;  // words of the text it accounts for
  bool same_sizes;      // the text states the sizes the name has, or neither has any: "BLOOM" is the 176 B one

  bool better_than(const Candidate& other) const {
    if (matched != other.matched) return matched > other.matched;
    if (same_sizes != other.same_sizes) return same_sizes;
    const bool quantized = !name.data_type.empty();
    const bool other_quantized = !other.name.data_type.empty();
    if (quantized != other_quantized) return !quantized;
    return source->name < other.source->name;
  }
};

std::size_t n_matched(const ModelName& text, const ModelName& known) {
  std::size_t n = known.names.size() + known.dates.size() + known.contexts.size();
  for (const std::string& version : known.versions)
    n += static_cast<std::size_t>(std::ranges::count(text.versions, version));
  return n;
}

void add_if_fits(const ModelName& text, const PresetSource& source, const PresetAlias* alias,
                 std::vector<Candidate>& found) {
  ModelName known = take_apart(alias != nullptr ? alias->name : source.name);
  if (known.names.empty() || !fits(text, known, source)) return;
  const std::size_t matched = n_matched(text, known);
  const bool same_sizes = known.sizes == text.sizes;
  found.push_back({&source, alias, std::move(known), matched, same_sizes});
}

std::vector<Candidate> candidates(const ModelName& text, std::span<const PresetSource> presets) {
  std::vector<Candidate> found;
  for (const PresetSource& source : presets) {
    add_if_fits(text, source, nullptr, found);
    for (const PresetAlias& alias : source.aliases) add_if_fits(text, source, &alias, found);
  }
  std::ranges::stable_sort(found, [](const Candidate& a, const Candidate& b) { return a.better_than(b); });
  return found;
}

/// Whether `parameters` can be those of the candidate: its published total, else the size in its name, which is rounded.
bool has_parameters(const Candidate& candidate, double parameters) {
  if (candidate.source->published_parameters) return about(parameters, *candidate.source->published_parameters, 0.02);
  return std::ranges::all_of(candidate.name.sizes, [&](const std::string& size) {
    const auto value = size_value(size);
    return !value || about(parameters, *value, 0.15);
  });
}

/// The best candidate, if no other one of different size fits as well.
std::optional<PresetMatch> decide(std::vector<Candidate> found, const ModelName& text,
                                  std::optional<double> parameters) {
  if (text.sizes.empty() && parameters)
    std::erase_if(found, [&](const Candidate& candidate) { return !has_parameters(candidate, *parameters); });
  if (found.empty() || found[0].source->name.empty()) return std::nullopt;  // known to be another model
  const bool ambiguous = text.sizes.empty() && std::ranges::any_of(found, [&](const Candidate& other) {
                           return other.matched == found[0].matched && other.source != found[0].source &&
                                  !other.name.sizes.empty() && !found[0].name.sizes.empty() &&
                                  other.name.sizes != found[0].name.sizes;
                         });
  if (ambiguous) return std::nullopt;
  return PresetMatch{.preset = found[0].source->name,
                     .reason = found[0].alias != nullptr ? found[0].alias->reason : "",
                     .data_type = text.data_type};
}

std::string without_remark(std::string_view text) {
  return std::string(text.substr(0, text.find('(')));
}

std::string lower_case(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return small;
}

}  // namespace

std::optional<PresetMatch> match_preset(std::string_view text, std::span<const PresetSource> presets,
                                        std::optional<double> parameters) {
  const std::string small = lower_case(text);
  for (const PresetSource& source : presets)
    if (!source.name.empty() && (small == source.name || (!small.empty() && small == lower_case(source.hf_id))))
      return PresetMatch{.preset = source.name, .reason = "", .data_type = ""};
  for (const std::string& reading : {without_remark(text), std::string(text)}) {
    const ModelName name = read_name(reading);
    if (auto found = decide(candidates(name, presets), name, parameters)) return found;
  }
  return std::nullopt;
}

std::optional<std::string> preset_for_model_text(std::string_view text, std::span<const PresetSource> presets,
                                                 std::optional<double> parameters) {
  const auto match = match_preset(text, presets, parameters);
  return match ? std::optional(match->preset) : std::nullopt;
}

}  // namespace dachlast
