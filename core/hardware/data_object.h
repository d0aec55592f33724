#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace dachlast {

/// What a size in a data file measures; decides which units it may carry.
enum class Dimension { kCapacity, kBandwidth, kRate };

/// One object of a data file (device, engine profile), read key by key. Strict: every getter checks type and range,
/// every failure is one `Error` (kInput) that names file and key, and `finish` refuses keys nobody asked for, because a
/// mistyped key would otherwise leave a figure out silently. A key whose value is null counts as absent.
class DataObject {
 public:
  /// `value` must outlive this and every object read from it.
  DataObject(const nlohmann::json& value, std::filesystem::path file, std::string prefix = {});

  bool has(const std::string& key);
  std::string text(const std::string& key);
  std::string text_or(const std::string& key, std::string fallback);
  std::vector<std::string> texts_or_none(const std::string& key);
  /// One of `names`, as its index.
  std::size_t choice(const std::string& key, std::initializer_list<const char*> names);
  std::optional<int> count(const std::string& key, int limit);
  /// A number in [0, limit].
  std::optional<double> number(const std::string& key, double limit);
  /// A size above zero: a text with its unit under `key` ("capacity": "192 GiB"), or a number under the key with its
  /// unit ("capacity_gib": 192). Returned in bytes, bytes/s or FLOP/s.
  /// Errors   also where two keys state the same size.
  std::optional<double> size(const std::string& key, Dimension dimension);
  DataObject object(const std::string& key);
  std::vector<DataObject> objects_or_none(const std::string& key);

  /// Refuses keys that no getter asked for, with the nearest known one.
  void finish() const;
  [[noreturn]] void fail(const std::string& key, const std::string& reason, const std::string& way_out = {}) const;
  const std::filesystem::path& file() const { return file_; }

 private:
  const nlohmann::json& required(const std::string& key);

  const nlohmann::json& value_;
  std::filesystem::path file_;
  std::string prefix_;
  std::set<std::string> known_;
};

/// Reads a size with its unit: "192 GiB", "8 TB/s", "2.25 PFLOP/s", "1,979 TFLOPS", "3958 TOPS". Empty where it is none.
/// Numbers  GiB is 2^30 bytes, GB 10^9; INT8 operations count as FLOP.
std::optional<double> parse_size(std::string_view text, Dimension dimension);

}  // namespace dachlast
