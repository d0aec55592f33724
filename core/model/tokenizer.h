#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dachlast {

/// Byte-pair tokenizer in the format of karpathy/llama2.c: the one the bundled model comes with. Ids 0, 1, 2 are
/// unknown, begin and end of text, ids 3 … 258 the 256 bytes. Source
/// https://github.com/karpathy/llama2.c/blob/master/tokenizer.py (file), run.c (encode, decode)
class Tokenizer {
 public:
  static constexpr std::int32_t kBeginOfText = 1;
  static constexpr std::int32_t kEndOfText = 2;

  /// Errors   throws `Error` (kInput) naming the file where it is cut short, holds a length or score out of range, or
  ///          other than `vocab_size` pieces.
  Tokenizer(const std::filesystem::path& file, int vocab_size);

  /// Begin of text, then `text` in pieces: characters first, neighbours merged by best score. Bytes that are no known
  /// character become byte pieces, so any text can be encoded.
  std::vector<std::int32_t> encode(std::string_view text) const;

  /// Errors   throws `Error` (kUsage) for an id outside the vocabulary.
  std::string decode(std::span<const std::int32_t> ids) const;

  int vocab_size() const { return static_cast<int>(pieces_.size()); }

 private:
  struct Piece {
    std::string text;
    float score;
  };

  const Piece& piece(std::int32_t id) const { return pieces_[static_cast<std::size_t>(id)]; }
  std::vector<std::int32_t> characters(std::string_view text) const;
  /// Id of a piece, -1 where there is none.
  std::int32_t find(const std::string& text) const;

  std::vector<Piece> pieces_;
  std::unordered_map<std::string, std::int32_t> ids_;
};

}  // namespace dachlast
