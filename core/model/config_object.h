#pragma once

#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/model_source.h"

namespace dachlast {

/// Largest sizes a config may state, each at least 8 times the largest published one: beyond them lies a typing error
/// or an attack, and below them no product of two sizes leaves 64 bits.
namespace size_limit {
inline constexpr int kLayers = 4096;
inline constexpr int kHeads = 16384;
inline constexpr int kHeadDim = 16384;
inline constexpr int kWidth = 1 << 20;    // d_model
inline constexpr int kFfWidth = 1 << 22;  // d_ff
inline constexpr int kVocab = 1 << 24;    // tokens
inline constexpr int kContext = 1 << 30;  // tokens
inline constexpr int kExperts = 1 << 14;
inline constexpr int kRows = 1 << 24;  // (n_heads + 2 · n_kv_heads) · head_dim
}  // namespace size_limit

/// One object of a config file, read key by key. Every getter checks type and range, throws an `Error` that names file
/// and key, and remembers that the key was understood, so that the keys nobody asked for can be reported.
/// A key whose value is null counts as absent, except for `contains`.
class ConfigObject {
 public:
  /// `object` and `warnings` must outlive this. `prefix` leads to the object ("text_config."), empty for the file's
  /// root.
  ConfigObject(const nlohmann::json& object, std::filesystem::path file, std::string prefix,
               std::vector<ConfigWarning>& warnings);

  bool contains(const std::string& key);   // null counts
  bool has_value(const std::string& key);  // null does not count
  /// The first of `keys` that has a value; the first one where none has, so that errors name the usual spelling.
  std::string first_of(std::initializer_list<const char*> keys);

  int size(const std::string& key, int limit);
  int size_or(const std::string& key, int fallback, int limit);
  /// True where the key holds exactly this integer: a marker like −1 for "all".
  bool is_marker(const std::string& key, int marker);
  /// As `size_or`, and 0 is allowed: parts that some models have none of.
  int count_or(const std::string& key, int fallback, int limit);
  std::optional<int> token_id(const std::string& key, int vocab_size);
  double positive(const std::string& key);
  double positive_or(const std::string& key, double fallback);
  bool flag_or(const std::string& key, bool fallback);
  std::string text_or(const std::string& key, std::string fallback);
  std::vector<double> positive_list(const std::string& key, std::size_t count);
  std::vector<std::string> text_list(const std::string& key);
  /// Whole numbers from 0, or flags as 0 and 1.
  std::vector<int> count_list(const std::string& key, int limit);
  bool is_list(const std::string& key);
  ConfigObject object(const std::string& key);
  /// The elements of a list of objects.
  std::vector<ConfigObject> objects(const std::string& key, std::size_t count);

  /// Marks a key as understood without reading it.
  void ignore(const std::string& key) { read_.insert(key); }
  /// Adds a warning for each key that no getter asked for and that can change memory or numerics.
  void warn_about_unread_keys();
  void warn(std::string code, std::string text);
  [[noreturn]] void fail(const std::string& key, const std::string& reason, const std::string& way_out = {}) const;

  const std::filesystem::path& file() const { return file_; }

 private:
  const nlohmann::json& value(const std::string& key);
  int checked_count(const std::string& key, const nlohmann::json& v, int limit) const;

  const nlohmann::json& object_;
  std::filesystem::path file_;
  std::string prefix_;
  std::vector<ConfigWarning>& warnings_;
  std::set<std::string> read_;
};

}  // namespace dachlast
