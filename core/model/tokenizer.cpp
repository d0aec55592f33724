#include "core/model/tokenizer.h"

#include <fmt/core.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <utility>

#include "core/base/error.h"
#include "core/model/json_file.h"

namespace dachlast {
namespace {

static_assert(std::endian::native == std::endian::little, "tokenizer files are little-endian");

constexpr std::size_t kLargestFileBytes = std::size_t{64} << 20;
constexpr int kLongestPiece = 4096;  // bytes; the longest of Llama's 32,000 pieces has 27
constexpr std::int32_t kFirstByteId = 3;
constexpr std::int32_t kPiecesBesidesText = kFirstByteId + 256;

/// Takes values off the front of a file's bytes.
class Bytes {
 public:
  Bytes(const std::filesystem::path& file, std::string_view bytes) : file_(file), rest_(bytes) {}

  template <class T>
  T take() {
    T value;
    const std::string_view raw = take(sizeof(T));
    std::memcpy(&value, raw.data(), raw.size());
    return value;
  }

  std::string_view take(std::size_t count) {
    if (rest_.size() < count) fail("ends in the middle of a piece.", "Copy it again.");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  bool empty() const { return rest_.empty(); }
  [[noreturn]] void fail(const std::string& reason, const std::string& way_out) const {
    throw Error(ErrorKind::kInput, file_.string(), reason, way_out);
  }

 private:
  const std::filesystem::path& file_;
  std::string_view rest_;
};

/// What two neighbours become, and how much the vocabulary likes it.
struct Merged {
  std::int32_t id;
  float score;
};
using MergeRule = std::function<std::optional<Merged>(std::int32_t left, std::int32_t right)>;

/// Merges neighbours, best score first and of equal scores the leftmost, until no two are a piece of the vocabulary.
/// The text is a linked list and the merges wait in a heap, so that n pieces take n·log(n) steps and not n².
class Merger {
 public:
  Merger(const std::vector<std::int32_t>& ids, MergeRule rule) : rule_(std::move(rule)) {
    for (std::size_t i = 0; i < ids.size(); ++i) links_.push_back({ids[i], i - 1, i + 1});
    links_.back().next = kNone;
    for (std::size_t i = 0; i < links_.size(); ++i) consider(i);
  }

  void append_to(std::vector<std::int32_t>& ids) {
    for (; !waiting_.empty(); waiting_.pop()) apply(Waiting{waiting_.top()});
    for (const Link& link : links_)
      if (link.id != kGone) ids.push_back(link.id);
  }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();  // 0 − 1: before the first link
  static constexpr std::int32_t kGone = -1;                                      // merged into the link before it

  struct Link {
    std::int32_t id;
    std::size_t previous;
    std::size_t next;
  };

  struct Waiting {
    Merged merged;
    std::size_t left;
    std::int32_t left_id;
    std::int32_t right_id;

    bool operator<(const Waiting& other) const {
      return merged.score != other.merged.score ? merged.score < other.merged.score : left > other.left;
    }
  };

  void consider(std::size_t left) {
    if (left == kNone || links_[left].next == kNone) return;
    const std::int32_t left_id = links_[left].id;
    const std::int32_t right_id = links_[links_[left].next].id;
    if (const auto merged = rule_(left_id, right_id)) waiting_.push({*merged, left, left_id, right_id});
  }

  /// Does nothing where another merge has taken one of the two in the meantime.
  void apply(const Waiting& merge) {
    Link& left = links_[merge.left];
    if (left.id != merge.left_id || left.next == kNone) return;
    Link& right = links_[left.next];
    if (right.id != merge.right_id) return;
    left.id = merge.merged.id;
    left.next = right.next;
    right.id = kGone;
    if (left.next != kNone) links_[left.next].previous = merge.left;
    consider(left.previous);
    consider(merge.left);
  }

  MergeRule rule_;
  std::vector<Link> links_;
  std::priority_queue<Waiting> waiting_;
};

/// The byte a piece like "<0x0A>" stands for, -1 for other pieces.
int byte_of(std::string_view piece) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (piece.size() != 6 || !piece.starts_with("<0x") || !piece.ends_with('>')) return -1;
  const auto high = kDigits.find(piece[3]);
  const auto low = kDigits.find(piece[4]);
  if (high == std::string_view::npos || low == std::string_view::npos) return -1;
  return static_cast<int>(16 * high + low);
}

/// Bytes of the character at the front: a lead byte and up to three continuations, whether valid UTF-8 or not.
std::size_t character_length(std::string_view text) {
  std::size_t length = 1;
  while (length < 4 && length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0u) == 0x80u) ++length;
  return length;
}

}  // namespace

Tokenizer::Tokenizer(const std::filesystem::path& file, int vocab_size) {
  const std::string content = read_text_file(file, kLargestFileBytes);
  Bytes bytes(file, content);
  const auto longest = bytes.take<std::int32_t>();
  if (longest <= 0 || longest > kLongestPiece)
    bytes.fail(fmt::format("states a longest piece of {} bytes.", longest), "Is this a llama2.c tokenizer?");
  while (!bytes.empty() && this->vocab_size() < vocab_size) {
    const auto score = bytes.take<float>();
    const auto length = bytes.take<std::int32_t>();
    if (!std::isfinite(score) || length < 0 || length > kLongestPiece)
      bytes.fail(fmt::format("piece {} has length {} and score {}.", pieces_.size(), length, score), "Copy it again.");
    pieces_.push_back({std::string(bytes.take(static_cast<std::size_t>(length))), score});
    ids_.emplace(pieces_.back().text, static_cast<std::int32_t>(pieces_.size() - 1));  // the first of two equals stays
  }
  if (!bytes.empty() || this->vocab_size() != vocab_size || vocab_size < kPiecesBesidesText)
    bytes.fail(fmt::format("does not hold the {} pieces of the model's vocabulary.", vocab_size),
               "Use the tokenizer the model was published with.");
}

std::int32_t Tokenizer::find(const std::string& text) const {
  const auto found = ids_.find(text);
  return found == ids_.end() ? -1 : found->second;
}

std::vector<std::int32_t> Tokenizer::characters(std::string_view text) const {
  std::vector<std::int32_t> ids;
  while (!text.empty()) {
    const std::string character(text.substr(0, character_length(text)));
    text.remove_prefix(character.size());
    if (const std::int32_t id = find(character); id >= 0) {
      ids.push_back(id);
    } else {
      for (const char c : character) ids.push_back(kFirstByteId + static_cast<unsigned char>(c));
    }
  }
  return ids;
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<std::int32_t> ids = {kBeginOfText};
  if (text.empty()) return ids;
  const auto merged = [this](std::int32_t left, std::int32_t right) -> std::optional<Merged> {
    const std::int32_t id = find(piece(left).text + piece(right).text);
    if (id < 0) return std::nullopt;
    return Merged{id, piece(id).score};
  };
  // Every text starts with a space, so that its first word is the piece it is in the middle of a sentence.
  std::vector<std::int32_t> start = characters(" ");
  for (const std::int32_t id : characters(text)) start.push_back(id);
  Merger(start, merged).append_to(ids);
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= vocab_size())
      throw Error(ErrorKind::kUsage, fmt::format("token id {}", ids[i]),
                  fmt::format("is outside the vocabulary of {}.", vocab_size()));
    if (ids[i] == kBeginOfText || ids[i] == kEndOfText) continue;
    std::string_view shown = piece(ids[i]).text;
    if (i > 0 && ids[i - 1] == kBeginOfText && shown.starts_with(' ')) shown.remove_prefix(1);
    const int byte = byte_of(shown);
    if (byte >= 0) {
      text += static_cast<char>(byte);
    } else {
      text += shown;
    }
  }
  return text;
}

}  // namespace dachlast
