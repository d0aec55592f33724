#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace dachlast {

/// Text from a file as a message may show it: control characters as '?', long names cut.
std::string printable(std::string_view text);

/// Base of readers that take JSON event by event and accept only what they name. Nothing is built in memory, so neither
/// deep nesting nor duplicate keys can hide or overflow anything. Each event a reader does not override refuses the
/// document; a reader refuses by `return refuse(reason)`.
class StrictJson : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return refuse("null has no place here"); }
  bool boolean(bool) override { return refuse("true and false have no place here"); }
  bool number_integer(number_integer_t) override { return refuse("a number is negative"); }
  bool number_unsigned(number_unsigned_t) override { return refuse("a number has no place here"); }
  bool number_float(number_float_t, const string_t&) override { return refuse("a number is not a 64-bit integer"); }
  bool string(string_t&) override { return refuse("a text has no place here"); }
  bool binary(binary_t&) override { return refuse("binary data has no place here"); }
  bool start_object(std::size_t) override { return refuse("an object has no place here"); }
  bool key(string_t&) override { return refuse("an object has no place here"); }
  bool end_object() override { return refuse("an object has no place here"); }
  bool start_array(std::size_t) override { return refuse("an array has no place here"); }
  bool end_array() override { return refuse("an array has no place here"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override;

 protected:
  bool refuse(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }

 private:
  friend void read_strict_json(std::string_view json, StrictJson& reader, const std::string& subject,
                               std::string_view what);
  std::string reason_;
};

/// Feeds a document to a reader.
/// Errors   throws `Error` (kInput) naming `subject`, `what` ("header") and the reason.
void read_strict_json(std::string_view json, StrictJson& reader, const std::string& subject, std::string_view what);

}  // namespace dachlast
