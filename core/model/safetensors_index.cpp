#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/model/safetensors_header.h"
#include "core/model/strict_json.h"

namespace dachlast {
namespace {

/// Reads an index: only "weight_map" matters, what stands beside it ("metadata") may be any JSON of sane depth.
class IndexReader : public StrictJson {
 public:
  std::map<std::string, std::string> files;
  bool has_map = false;

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t& text) override {
    if (!in_map_) return value();
    if (!is_plain_file_name(text))
      return refuse(
          fmt::format("weight_map sends {} to \"{}\", which is not a file name", printable(name_), printable(text)));
    return files.emplace(name_, text).second || refuse(fmt::format("weight_map lists {} twice", printable(name_)));
  }
  bool key(string_t& name) override {
    name_ = name;
    if (depth_ == 1) at_map_ = name == "weight_map";
    return true;
  }
  bool start_object(std::size_t) override {
    if (depth_ == 1 && at_map_) {
      if (std::exchange(has_map, true)) return refuse("weight_map is listed twice");
      in_map_ = true;
    } else if (in_map_) {
      return value();
    }
    return deeper();
  }
  bool end_object() override {
    --depth_;
    if (depth_ == 1) in_map_ = false;
    return true;
  }
  bool start_array(std::size_t) override { return value() && deeper(); }
  bool end_array() override {
    --depth_;
    return true;
  }

 private:
  static constexpr int kMaxDepth = 32;  // "metadata" of published indexes is flat

  /// The files lie beside the index: no path, and nothing a shell or log could be fooled with.
  static bool is_plain_file_name(std::string_view name) {
    const auto is_bad = [](char c) { return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20; };
    return !name.empty() && name != "." && name != ".." && std::ranges::none_of(name, is_bad);
  }

  /// A value other than a file name.
  bool value() {
    if (depth_ == 0) return refuse("it is not a JSON object");
    if (in_map_ || (depth_ == 1 && at_map_))
      return refuse(fmt::format("weight_map has no file name for {}", printable(name_)));
    return true;
  }
  bool deeper() { return ++depth_ <= kMaxDepth || refuse("it is nested too deep"); }

  int depth_ = 0;
  std::string name_;
  bool at_map_ = false;
  bool in_map_ = false;
};

}  // namespace

std::map<std::string, std::string> read_safetensors_index(std::string_view json, const std::string& subject) {
  IndexReader reader;
  read_strict_json(json, reader, subject, "index");
  if (!reader.has_map || reader.files.empty())
    throw Error(ErrorKind::kInput, subject, "the index has no weight_map, or an empty one.",
                "Copy or download it again.");
  return std::move(reader.files);
}

}  // namespace dachlast
