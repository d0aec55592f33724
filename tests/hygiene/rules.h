#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dachlast::hygiene {

/// One layer: the folders it lives in and the layers its arrows point to.
struct Layer {
  std::string name;
  std::vector<std::string> folders;
  std::vector<std::string> sees;
};

enum class HeaderScope { kOnly, kNever, kSources };

/// Where includes that start with `prefix` may stand.
struct HeaderRule {
  std::string prefix;
  HeaderScope scope;
  std::vector<std::string> folders;  // empty for kSources
};

/// Code that the folders must not contain.
struct TextRule {
  std::string literal;
  std::vector<std::string> folders;
};

struct LengthRule {
  int max_lines;
  std::vector<std::string> folders;
};

struct Rules {
  std::vector<Layer> layers;
  std::vector<HeaderRule> headers;
  std::vector<TextRule> texts;
  std::vector<LengthRule> lengths;

  /// The layer whose folder holds `path`, nullptr where none does; the longest folder wins.
  const Layer* layer_of(std::string_view path) const;

  /// Whether the arrows lead from `from` to `to`, over other layers too; a layer reaches itself.
  bool reaches(const Layer& from, const Layer& to) const;
};

/// Something that breaks a rule. `line` counts from 1; 0: the file as a whole.
struct Violation {
  std::string path;
  int line;
  std::string message;
};

/// Reads the table format that layers.txt describes in its head.
/// Errors   throws `Error` naming the line for an unknown rule, a missing part, an arrow to an unknown layer or a
/// cycle.
Rules parse_rules(std::string_view table);

/// Whether `path` lies in `folder` or below it.
bool is_within(std::string_view path, std::string_view folder);
bool is_within_any(std::string_view path, const std::vector<std::string>& folders);

}  // namespace dachlast::hygiene
