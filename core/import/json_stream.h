#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string_view>

namespace dachlast {

/// What a trace file is cut into. Texts lie in a buffer that is used again: copy what is kept. `capacity` counts the bytes
/// that may be read from the start of the text, more than it has: parsers read ahead.
class JsonPieces {
 public:
  virtual ~JsonPieces() = default;
  /// One element of the array of events.
  virtual void event(std::string_view text, std::size_t capacity) = 0;
  /// Any other member of the document, unless it is longer than a mebibyte.
  virtual void member(std::string_view key, std::string_view value, std::size_t capacity) = 0;
};

/// Cuts a Chrome trace, plain or gzipped, into its events without ever holding more of it than the longest one: the
/// document is an array of events, or an object with one called "traceEvents".
/// Memory   one buffer, grown to the longest event, at most 64 MiB.
/// Errors   throws `Error` (kInput) naming the file: it cannot be read, is no JSON of that form, ends too early, or one
///          event is longer than that. Whether the texts between brackets are JSON is for the reader of events to say.
void cut_json(const std::filesystem::path& file, JsonPieces& pieces);

}  // namespace dachlast
