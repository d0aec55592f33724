#include "core/profile/name_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <regex>

#include "core/base/csv.h"
#include "core/base/error.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

struct FamilyRule {
  std::string pattern;  // in lower case
  KernelFamily family;
};

struct StepRule {
  std::regex pattern;
  std::optional<Phase> phase;
  // Groups of the pattern that hold the numbers; 0: not said.
  std::size_t sequences = 0;
  std::size_t queries = 0;
  std::size_t keys = 0;
};

struct LayerRule {
  std::regex pattern;
  std::size_t layer = 0;  // group that holds the number
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

Error rule_error(const fs::path& file, int line, const std::string& reason) {
  return {ErrorKind::kInput, fmt::format("{}, line {}", file.filename().string(), line), reason,
          "Compare with the file of the installation."};
}

/// Cells of a row by the names of their columns.
class NamedRow {
 public:
  NamedRow(const CsvTable& table, const CsvRow& row) : table_(table), row_(row) {}

  const std::string& operator[](std::string_view column) const {
    const auto index = table_.find_column(column);
    if (!index) throw rule_error(table_.file, 1, fmt::format("the column '{}' is missing.", column));
    return row_.cells[*index];
  }
  Error error(const std::string& reason) const { return rule_error(table_.file, row_.line, reason); }

 private:
  const CsvTable& table_;
  const CsvRow& row_;
};

KernelFamily read_family(const NamedRow& row) {
  for (int i = 0; i < kKernelFamilyCount; ++i)
    if (name_of(static_cast<KernelFamily>(i)) == row["family"]) return static_cast<KernelFamily>(i);
  throw row.error(fmt::format("'{}' is no family of kernels.", row["family"]));
}

std::optional<Phase> read_phase(const NamedRow& row) {
  if (row["phase"] == "prefill") return Phase::kPrefill;
  if (row["phase"] == "decode") return Phase::kDecode;
  if (row["phase"] == "mixed") return std::nullopt;
  throw row.error(fmt::format("'{}' is no phase: prefill, decode or mixed.", row["phase"]));
}

std::size_t read_group(const NamedRow& row, std::string_view column, std::size_t n_groups) {
  const std::string& cell = row[column];
  if (cell.empty()) return 0;
  std::size_t group = 0;
  const auto [end, fault] = std::from_chars(cell.data(), cell.data() + cell.size(), group);
  if (fault != std::errc{} || end != cell.data() + cell.size() || group == 0 || group > n_groups)
    throw row.error(fmt::format("'{}' is no group of the pattern, which has {}.", cell, n_groups));
  return group;
}

std::regex read_pattern(const NamedRow& row) {
  try {
    return std::regex(row["pattern"], std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& fault) {
    throw row.error(fmt::format("the pattern is no regular expression: {}.", fault.what()));
  }
}

LayerRule read_layer_rule(const NamedRow& row) {
  LayerRule rule;
  rule.pattern = read_pattern(row);
  rule.layer = read_group(row, "layer", rule.pattern.mark_count());
  if (rule.layer == 0) throw row.error("it names no group of the pattern that holds the layer's number.");
  return rule;
}

StepRule read_step_rule(const NamedRow& row) {
  StepRule rule;
  rule.pattern = read_pattern(row);
  const std::size_t n_groups = rule.pattern.mark_count();
  rule.phase = read_phase(row);
  rule.sequences = read_group(row, "sequences", n_groups);
  rule.queries = read_group(row, "queries", n_groups);
  rule.keys = read_group(row, "keys", n_groups);
  return rule;
}

/// The number of a group; empty where the rule names none, or the number has more digits than fit.
std::optional<std::int64_t> number_in(const std::smatch& match, std::size_t group) {
  if (group == 0) return std::nullopt;
  const std::string text = match[group].str();
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// An annotation is a label; longer text is somebody's data and std::regex recurses over its length.
constexpr std::size_t kLongestAnnotation = 512;

constexpr std::int64_t kMostLayers = 9999;  // larger numbers are addresses or times

}  // namespace

struct NameRules::Rules {
  std::vector<FamilyRule> families;
  std::vector<StepRule> steps;
  std::vector<LayerRule> layers;
};

NameRules::NameRules(const fs::path& folder) : rules_(std::make_unique<Rules>()) {
  const CsvTable families = read_csv(folder / "kernel_families.csv");
  for (const CsvRow& row : families.rows) {
    const NamedRow named(families, row);
    if (named["pattern"].empty()) throw named.error("an empty pattern would match every kernel.");
    rules_->families.push_back({lower(named["pattern"]), read_family(named)});
  }
  const CsvTable steps = read_csv(folder / "step_names.csv");
  for (const CsvRow& row : steps.rows) rules_->steps.push_back(read_step_rule({steps, row}));
  const CsvTable layers = read_csv(folder / "layer_names.csv");
  for (const CsvRow& row : layers.rows) rules_->layers.push_back(read_layer_rule({layers, row}));
}

NameRules::~NameRules() = default;
NameRules::NameRules(NameRules&&) noexcept = default;
NameRules& NameRules::operator=(NameRules&&) noexcept = default;

KernelFamily NameRules::family_of(std::string_view kernel) const {
  const std::string name = lower(kernel);
  for (const FamilyRule& rule : rules_->families)
    if (name.find(rule.pattern) != std::string::npos) return rule.family;
  return KernelFamily::kOther;
}

std::optional<std::int32_t> NameRules::layer_of(std::string_view range) const {
  if (range.size() > kLongestAnnotation) return std::nullopt;
  const std::string text(range);
  for (const LayerRule& rule : rules_->layers) {
    std::smatch match;
    if (!std::regex_match(text, match, rule.pattern)) continue;
    const auto number = number_in(match, rule.layer);
    if (number && *number <= kMostLayers) return static_cast<std::int32_t>(*number);
  }
  return std::nullopt;
}

std::optional<std::int32_t> layer_of_payload(std::string_view payload) {
  constexpr std::string_view kField = "layer=";
  const std::size_t at = payload.find(kField);
  if (at == std::string_view::npos || (at > 0 && payload[at - 1] != ' ')) return std::nullopt;
  payload.remove_prefix(at + kField.size());
  std::int32_t layer = kNoIndex;
  const auto [end, fault] = std::from_chars(payload.data(), payload.data() + payload.size(), layer);
  const bool whole = end == payload.data() + payload.size() || *end == ' ';
  if (fault != std::errc{} || !whole || layer < 0) return std::nullopt;
  return layer;
}

std::optional<TraceStep> NameRules::step_of(std::string_view annotation) const {
  if (annotation.size() > kLongestAnnotation) return std::nullopt;
  const std::string text(annotation);
  for (const StepRule& rule : rules_->steps) {
    std::smatch match;
    if (!std::regex_match(text, match, rule.pattern)) continue;
    TraceStep step;
    step.name = text;
    step.phase = rule.phase;
    step.n_sequences = number_in(match, rule.sequences);
    step.q_tokens = number_in(match, rule.queries);
    step.kv_tokens = number_in(match, rule.keys);
    return step;
  }
  return std::nullopt;
}

}  // namespace dachlast
