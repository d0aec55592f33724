#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dachlast {

/// A model's name taken apart: "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8" is qwen, version 3, sizes 235b and a22b, of 2507,
/// with a data type in its name. Publisher, tuning and packing are left out.
struct ModelName {
  std::vector<std::string> names;     // "qwen", "coder"
  std::vector<std::string> versions;  // "3.1"; "0.1" of a revision
  std::vector<std::string> sizes;     // "235b", "a22b"
  std::vector<std::string> dates;     // "2409"
  std::vector<std::string> contexts;  // "128k"
  std::string data_type;              // "fp8", "q4": the first one named; empty: none

  bool has(std::string_view word) const;
  bool has_size(std::string_view size) const;
};

ModelName take_apart(std::string_view text);

/// Revisions of one architecture, "0.1": often left out, never mixed up.
bool is_revision(std::string_view version);

/// Words that make another model of a name: "vl", "mini", "moe", "3n". What is neither such a word nor part of the model's own
/// name tells of tuning: "Lexi", "abliterated".
bool makes_another_model(std::string_view word);

}  // namespace dachlast
