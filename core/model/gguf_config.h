#pragma once

#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/gguf.h"
#include "core/model/model_source.h"

namespace dachlast {

/// The metadata of a model's architecture, "llama.block_count" and the like, read key by key without the prefix. Every
/// getter checks type and range, throws an `Error` that names file and key, and remembers that the key was understood.
class GgufConfig {
 public:
  /// `file` and `warnings` must outlive this.
  /// Errors   throws `Error` (kInput) where the file does not state its architecture.
  GgufConfig(const GgufFile& file, std::vector<ConfigWarning>& warnings);

  const std::string& architecture() const { return architecture_; }
  const GgufFile& file() const { return file_; }

  bool has(const std::string& key);
  int size(const std::string& key, int limit);
  std::optional<int> size_if_any(const std::string& key, int limit);
  /// A size that may be stated once for all layers or once for each.
  std::vector<int> layer_sizes(const std::string& key, int n_layers, int limit);
  /// The same where 0 stands for "none", in single layers or, where the key is absent, in all.
  std::vector<int> layer_counts(const std::string& key, int n_layers, int limit);
  int count_or(const std::string& key, int fallback, int limit);
  std::optional<double> positive_if_any(const std::string& key);
  std::optional<double> non_negative_if_any(const std::string& key);
  std::string text_or(const std::string& key, std::string fallback);
  bool flag_or(const std::string& key, bool fallback);
  /// Integers or flags of an array with as many elements as there are layers; empty where the key is absent or a
  /// single value.
  std::optional<std::vector<std::int64_t>> layer_list(const std::string& key, int n_layers);

  /// Marks a key as understood without reading it.
  void ignore(const std::string& key) { read_.insert(key); }
  void ignore(std::initializer_list<const char*> keys) { read_.insert(keys.begin(), keys.end()); }
  void warn_about_unread_keys();
  void warn(std::string code, std::string text) { warnings_.push_back({std::move(code), std::move(text)}); }
  [[noreturn]] void fail(const std::string& key, const std::string& reason, const std::string& way_out = {}) const;

 private:
  const GgufValue* find(const std::string& key);
  int checked_size(const std::string& key, std::int64_t value, int limit) const;
  int checked_count(const std::string& key, std::int64_t value, int limit) const;

  const GgufFile& file_;
  std::vector<ConfigWarning>& warnings_;
  std::string architecture_;
  std::set<std::string> read_;
};

}  // namespace dachlast
