#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dachlast::viewmodel {

/// A text in another language; `complete` where every part of it was known.
struct Translation {
  std::string text;
  bool complete = false;
};

/// Pairs of sentences as a catalogue file lists them, and the search among them. See `Words` for the placeholders.
///
/// The file holds entries, separated by blank lines: a line of English, a line of the other language, where {1} is the
/// first placeholder of the English line, {2} the second. Lines that start with # are comments.
/// Numbers  decimal point and comma change places, as German has them; dates become day.month.year.
class Catalogue {
 public:
  /// Errors   throws `Error` (kFailure) where an entry has no second line, or one that names a placeholder that is not there.
  explicit Catalogue(std::string_view file);

  /// Whole texts first, then texts with figures and names, then the sentences of a paragraph and the parts of a list one
  /// by one; what is not found stays as it is.
  Translation translate(std::string_view english) const;

  /// "1,024 tokens" as "1.024 Tokens"; empty where the text is no quantity.
  std::optional<std::string> quantity(std::string_view english) const;

  std::span<const std::string> entries() const { return entries_; }

 private:
  enum class Kind { kLiteral, kQuantity, kTerm, kName, kRemark, kIdentifier, kList };
  struct Piece {
    Kind kind = Kind::kLiteral;
    std::string literal;
  };
  struct Pattern {
    std::vector<Piece> pieces;
    std::string translated;
    std::size_t n_literal = 0;
  };
  struct Search;
  struct Match;

  void add(std::string english, std::string translated);
  std::optional<std::string> exact(std::string_view english) const;
  Translation translated(std::string_view english, int depth, Search& search) const;
  Translation looked_up(std::string_view english, int depth, Search& search) const;
  std::optional<Translation> by_pattern(std::string_view english, int depth, Search& search) const;
  std::optional<Translation> by_sentences(std::string_view english, int depth, Search& search) const;
  std::optional<Translation> by_parts(std::string_view english, int depth, Search& search) const;
  Translation list(std::string_view english, int depth, Search& search) const;
  bool match(const Pattern& pattern, std::size_t piece, std::string_view rest, Match& found) const;
  bool accept(Kind kind, std::string_view text, Match& found) const;

  std::vector<std::string> entries_;
  std::map<std::string, std::string, std::less<>> exact_;
  std::vector<Pattern> patterns_;  // those with most literal text first
  /// Of those, in the same order, the ones that a text beginning with this byte may match.
  std::array<std::vector<std::size_t>, 256> by_first_;
};

}  // namespace dachlast::viewmodel
