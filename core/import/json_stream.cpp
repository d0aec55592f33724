#include "core/import/json_stream.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFirstBuffer = std::size_t{1} << 20;
constexpr std::size_t kLongestPiece = std::size_t{64} << 20;
constexpr std::size_t kLongestMember = std::size_t{1} << 20;
constexpr std::size_t kPadding = 64;  // what simdjson may read beyond the end

/// A window that slides over the file. Bytes from `mark` on stay until they are released.
class Window {
 public:
  explicit Window(const fs::path& file) : file_(file), bytes_(kFirstBuffer + kPadding) {
    if (fs::is_directory(file)) throw error("is a folder.");
    gz_.reset(gzopen(file.c_str(), "rb"));
    if (!gz_) throw error("cannot be opened.");
    gzbuffer(gz_.get(), 1U << 18);
  }

  /// The next byte without passing it; -1 at the end.
  int peek() {
    if (at_ == end_ && !fill()) return -1;
    return static_cast<unsigned char>(bytes_[at_]);
  }
  void pass() { ++at_; }

  /// What is left of the window, at least one byte unless the file ends.
  std::string_view rest() {
    if (at_ == end_ && !fill()) return {};
    return {bytes_.data() + at_, end_ - at_};
  }
  void pass(std::size_t n) { at_ += n; }

  void mark() { mark_ = at_, marked_ = true; }
  std::string_view marked() const { return {bytes_.data() + mark_, at_ - mark_}; }
  std::size_t marked_capacity() const { return bytes_.size() - mark_; }
  void release() { marked_ = false; }
  std::uint64_t offset() const { return passed_ + at_; }

  Error error(const std::string& reason) const {
    return {ErrorKind::kInput, file_.string(), reason,
            "Export it once more, or check with `gzip -t` and a JSON validator."};
  }

 private:
  bool fill() {
    const std::size_t keep_from = marked_ ? mark_ : at_;
    const std::size_t kept = end_ - keep_from;
    if (kept == bytes_.size() - kPadding) grow();
    std::memmove(bytes_.data(), bytes_.data() + keep_from, kept);
    passed_ += keep_from;
    at_ -= keep_from;
    mark_ = 0;
    end_ = kept;
    const int n = gzread(gz_.get(), bytes_.data() + end_, static_cast<unsigned>(bytes_.size() - kPadding - end_));
    if (n < 0) throw error(fmt::format("cannot be read after byte {}: {}.", passed_ + end_, gz_reason()));
    end_ += static_cast<std::size_t>(n);
    if (n == 0 && gzeof(gz_.get()) == 0) throw error("ends in the middle of its compressed data.");
    return n > 0;
  }

  void grow() {
    if (bytes_.size() >= kLongestPiece)
      throw error(fmt::format("one piece of it is longer than {} MiB.", kLongestPiece >> 20U));
    bytes_.resize(2 * bytes_.size());
  }

  std::string gz_reason() const {
    int code = 0;
    const char* text = gzerror(gz_.get(), &code);
    return code == Z_ERRNO ? std::strerror(errno) : text;
  }

  struct Close {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };
  fs::path file_;
  std::unique_ptr<gzFile_s, Close> gz_;
  std::vector<char> bytes_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::size_t mark_ = 0;
  bool marked_ = false;
  std::uint64_t passed_ = 0;
};

/// Bytes that end a run of uninteresting ones outside of strings.
constexpr std::array<bool, 256> structural_bytes() {
  std::array<bool, 256> table{};
  for (const char c : {'"', '{', '}', '[', ']'}) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kStructural = structural_bytes();

class Cutter {
 public:
  Cutter(const fs::path& file, JsonPieces& pieces) : window_(file), pieces_(pieces) {}

  void run() {
    const int first = next();
    if (first == '[')
      cut_events();
    else if (first == '{')
      cut_members();
    else
      throw window_.error("is no JSON object or array.");
  }

 private:
  /// The next byte that is no white space, passed.
  int next() {
    for (;;) {
      const int c = window_.peek();
      if (c < 0) throw window_.error("ends too early; it was cut off.");
      window_.pass();
      if (c != ' ' && c != '\n' && c != '\r' && c != '\t' && c != 0xEF && c != 0xBB && c != 0xBF) return c;
    }
  }

  /// Passes a string whose opening quote was passed.
  void skip_string() {
    for (;;) {
      const std::string_view rest = window_.rest();
      if (rest.empty()) throw window_.error("ends inside a string; it was cut off.");
      std::size_t i = 0;
      while (i < rest.size() && rest[i] != '"' && rest[i] != '\\') ++i;
      window_.pass(i);
      if (i == rest.size()) continue;
      const char stop = rest[i];
      window_.pass();
      if (stop == '"') return;
      if (window_.peek() < 0) throw window_.error("ends inside a string; it was cut off.");
      window_.pass();  // what the backslash protects
    }
  }

  /// Passes an object or array whose opening bracket was passed.
  void skip_nested() {
    int depth = 1;
    while (depth > 0) {
      const std::string_view rest = window_.rest();
      if (rest.empty()) throw window_.error("ends inside an event; it was cut off.");
      std::size_t i = 0;
      while (i < rest.size() && !kStructural[static_cast<unsigned char>(rest[i])]) ++i;
      window_.pass(i);
      if (i == rest.size()) continue;
      const char c = rest[i];
      window_.pass();
      if (c == '"')
        skip_string();
      else
        depth += c == '{' || c == '[' ? 1 : -1;
    }
  }

  /// Passes a number or word; the byte after it stays.
  void skip_scalar() {
    for (;;) {
      const int c = window_.peek();
      if (c < 0) throw window_.error("ends too early; it was cut off.");
      if (c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t') return;
      window_.pass();
    }
  }

  void cut_events() {
    for (;;) {
      // The bracket itself belongs to the piece, so the mark is set before it is passed.
      const int c = next_marked();
      if (c == ']') break;
      if (c == ',') continue;
      if (c != '{') throw window_.error(fmt::format("at byte {}: an event is no object.", window_.offset()));
      skip_nested();
      pieces_.event(window_.marked(), window_.marked_capacity());
    }
    window_.release();
  }

  int next_marked() {
    for (;;) {
      window_.release();
      const int c = window_.peek();
      if (c < 0) throw window_.error("ends inside its list of events; it was cut off.");
      window_.mark();
      window_.pass();
      if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return c;
    }
  }

  void cut_members() {
    bool events_seen = false;
    for (int c = next(); c != '}'; c = next()) {
      if (c == ',') continue;
      if (c != '"') throw window_.error(fmt::format("at byte {}: a name was expected.", window_.offset()));
      const std::string key = read_key();
      if (next() != ':') throw window_.error(fmt::format("at byte {}: a colon was expected.", window_.offset()));
      if (key == "traceEvents") {
        if (next() != '[') throw window_.error("its \"traceEvents\" are no array.");
        cut_events();
        events_seen = true;
      } else {
        cut_member(key);
      }
    }
    if (!events_seen) throw window_.error("has no \"traceEvents\": it is no Chrome trace.");
  }

  std::string read_key() {
    window_.mark();
    skip_string();
    std::string key(window_.marked());
    key.pop_back();  // the closing quote
    window_.release();
    return key;
  }

  void cut_member(const std::string& key) {
    const int c = next_marked();
    if (c == '"')
      skip_string();
    else if (c == '{' || c == '[')
      skip_nested();
    else
      skip_scalar();
    if (window_.marked().size() <= kLongestMember) pieces_.member(key, window_.marked(), window_.marked_capacity());
    window_.release();
  }

  Window window_;
  JsonPieces& pieces_;
};

}  // namespace

void cut_json(const fs::path& file, JsonPieces& pieces) {
  Cutter(file, pieces).run();
}

}  // namespace dachlast
