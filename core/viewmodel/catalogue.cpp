#include "core/viewmodel/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "core/base/error.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/written_number.h"

namespace dachlast::viewmodel {
namespace {

// A sentence holds at most one list of terms, which hold no further ones.
constexpr int kMostDepth = 4;

// Steps a search may take: far more than any sentence of ours needs, and few enough that a name of 10,000 characters
// made to mislead the search costs some milliseconds.
constexpr int kBudget = 80'000;

// Units are the same in every language we know; counted nouns are entries of the catalogue.
constexpr std::array<std::string_view, 47> kUnits = {
    "ns",      "µs",     "ms",    "s",     "min",   "h",      "B",       "KiB",     "MiB",     "GiB",
    "TiB",     "kB",     "MB",    "GB",    "TB",    "B/s",    "kB/s",    "MB/s",    "GB/s",    "TB/s",
    "FLOP",    "kFLOP",  "MFLOP", "GFLOP", "TFLOP", "FLOP/s", "kFLOP/s", "MFLOP/s", "GFLOP/s", "TFLOP/s",
    "PFLOP/s", "FLOP/B", "%",     "k",     "M",     "T",      "W",       "J",       "MHz",     "GHz",
    "°C",      "€",      "$",     "bits",  "bit",   "OP/s",   "x"};

bool is_identifier(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }) &&
         text.front() >= 'a';
}

std::string plain(std::string_view text) {
  return plain_spaces(text);
}

/// Length of an English number at the start of `text`: groups of three behind commas, at most one point.
std::size_t number_length(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && is_digit(text[at])) ++at;
  if (at == 0) return 0;
  const auto group = [&](std::size_t from) {
    return from + 3 < text.size() && text[from] == ',' && is_digit(text[from + 1]) && is_digit(text[from + 2]) &&
           is_digit(text[from + 3]) && (from + 4 >= text.size() || !is_digit(text[from + 4]));
  };
  if (at <= 3)
    while (group(at)) at += 4;
  if (at + 1 < text.size() && text[at] == '.' && is_digit(text[at + 1])) {
    ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
  }
  if (at + 1 < text.size() && (text[at] == 'e') && (is_digit(text[at + 1]) || text[at + 1] == '-')) {
    at += 2;
    while (at < text.size() && is_digit(text[at])) ++at;
  }
  return at;
}

std::string swapped(std::string_view number) {
  std::string text(number);
  for (char& c : text) c = c == '.' ? ',' : c == ',' ? '.' : c;
  return text;
}

/// "≈ ", "−", "±", "<" and the like before a number.
std::size_t sign_length(std::string_view text) {
  constexpr std::array<std::string_view, 12> kSigns = {"≈\u00a0", "≈ ",      "≈",  "\u2212", "±",  "+",
                                                       "-",       "<\u2009", "< ", "<",      "≤ ", "$"};
  std::size_t at = 0;
  for (bool found = true; found;) {
    found = false;
    for (const std::string_view sign : kSigns)
      if (text.substr(at).starts_with(sign)) {
        at += sign.size();
        found = true;
        break;
      }
  }
  return at;
}

/// Signs keep together with their number, whichever spaces the catalogue was asked with.
std::string hard_signs(std::string_view signs) {
  constexpr std::string_view kAbout = "≈ ";
  std::string text(signs);
  const std::size_t at = text.find(kAbout);
  if (at != std::string::npos) text.replace(at, kAbout.size(), "≈\u00a0");
  return text;
}

/// Names hold neither the end of a sentence nor the colon of a remark: a pattern must not swallow its neighbours.
bool is_name(std::string_view text) {
  constexpr std::array<std::string_view, 3> kBetween = {" · ", ". ", ": "};
  return std::ranges::none_of(kBetween,
                              [&](std::string_view sign) { return text.find(sign) != std::string_view::npos; });
}

/// "2026-03-01 14:05 UTC" as "01.03.2026, 14:05 UTC"; empty for anything else.
std::optional<std::string> date(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-dd dd:dd UTC";
  if (text.size() != kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (kShape[i] == 'd' ? !is_digit(text[i]) : text[i] != kShape[i]) return std::nullopt;
  return fmt::format("{}.{}.{}, {} UTC", text.substr(8, 2), text.substr(5, 2), text.substr(0, 4), text.substr(11, 5));
}

/// Where the first item of a list ends: at a comma outside parentheses.
std::size_t end_of_item(std::string_view list) {
  int open = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    open += list[i] == '(' ? 1 : list[i] == ')' ? -1 : 0;
    if (open == 0 && list.substr(i).starts_with(", ")) return i;
  }
  return list.size();
}

std::vector<std::string_view> lines_of(std::string_view file) {
  std::vector<std::string_view> lines;
  while (!file.empty()) {
    const std::size_t end = std::min(file.find('\n'), file.size());
    lines.push_back(file.substr(0, end));
    file.remove_prefix(std::min(end + 1, file.size()));
  }
  return lines;
}

[[noreturn]] void refuse(std::string_view entry, std::string_view reason) {
  throw Error(ErrorKind::kFailure, fmt::format("catalogue entry '{}'", entry), std::string(reason));
}

}  // namespace

/// One search: what it may still try, and the parts it has looked up already, by how deep they lie.
struct Catalogue::Search {
  int budget = kBudget;
  std::array<std::unordered_map<std::string_view, Translation>, kMostDepth + 2> known;
};

/// Texts found for the placeholders so far.
struct Catalogue::Match {
  std::vector<std::string> values;
  int depth = 0;
  Search* search = nullptr;
};

Catalogue::Catalogue(std::string_view file) {
  std::string_view english;
  for (const std::string_view line : lines_of(file)) {
    if (line.starts_with('#')) continue;
    if (line.empty() && !english.empty()) refuse(english, "has no second line.");
    if (line.empty()) continue;
    if (english.empty()) {
      english = line;
      continue;
    }
    add(std::string(english), std::string(line));
    english = {};
  }
  if (!english.empty()) refuse(english, "has no second line.");
  std::ranges::stable_sort(patterns_, std::greater{}, &Pattern::n_literal);
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const Piece& first = patterns_[i].pieces.front();
    if (first.kind == Kind::kLiteral && !first.literal.empty())
      by_first_[static_cast<unsigned char>(first.literal.front())].push_back(i);
    else
      for (auto& matching : by_first_) matching.push_back(i);
  }
}

namespace {

/// The number of a placeholder, of one digit or two.
std::size_t place_in(std::string_view digits) {
  std::size_t place = 0;
  for (const char digit : digits) place = 10 * place + static_cast<std::size_t>(digit - '0');
  return place;
}

}  // namespace

void Catalogue::add(std::string english, std::string translated) {
  entries_.push_back(english);
  Pattern pattern;
  std::string_view rest = english;
  std::size_t n_places = 0;
  while (!rest.empty()) {
    const std::size_t open = rest.find('{');
    if (open != 0) {
      pattern.pieces.push_back({Kind::kLiteral, std::string(rest.substr(0, open))});
      pattern.n_literal += pattern.pieces.back().literal.size();
      rest.remove_prefix(std::min(open, rest.size()));
      continue;
    }
    if (rest.size() < 3 || rest[2] != '}') refuse(english, "holds a placeholder that is none.");
    constexpr std::string_view kLetters = "qtsril";
    const std::size_t letter = kLetters.find(rest[1]);
    if (letter == std::string_view::npos) refuse(english, "holds a placeholder that is none.");
    pattern.pieces.push_back({static_cast<Kind>(letter + 1), {}});
    ++n_places;
    rest.remove_prefix(3);
  }
  for (std::size_t at = translated.find('{'); at != std::string::npos; at = translated.find('{', at + 1)) {
    const std::size_t close = std::min(translated.find('}', at), translated.size());
    const std::string_view digits = std::string_view(translated).substr(at + 1, close - at - 1);
    const bool numeral = !digits.empty() && digits.size() <= 2 && std::ranges::all_of(digits, is_digit);
    const bool known = numeral && place_in(digits) >= 1 && place_in(digits) <= n_places;
    if (!known) refuse(english, "is translated with a placeholder it does not have.");
  }
  if (n_places == 0) {
    exact_.emplace(std::move(english), std::move(translated));
    return;
  }
  pattern.translated = std::move(translated);
  patterns_.push_back(std::move(pattern));
}

namespace {

/// A term or phrase stands within one sentence or fact and is no longer than one; else "First sentence. Prefill" and
/// "2 threads · tiled" would be one.
bool may_be_term(std::string_view text) {
  constexpr std::size_t kLongestTerm = 200;
  return text.size() <= kLongestTerm && text.find(". ") == std::string_view::npos &&
         text.find(" · ") == std::string_view::npos;
}

}  // namespace

std::optional<std::string> Catalogue::exact(std::string_view english) const {
  const auto found = exact_.find(english);
  if (found == exact_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> Catalogue::quantity(std::string_view english) const {
  const std::size_t sign = sign_length(english);
  const std::size_t length = number_length(english.substr(sign));
  if (length == 0) return std::nullopt;
  std::string text = hard_signs(english.substr(0, sign)) + swapped(english.substr(sign, length));
  std::string_view rest = english.substr(sign + length);
  if (rest.empty() || rest == "×") return text.append(rest);
  const bool hard = rest.starts_with(kNoBreak);
  if (!hard && !rest.starts_with(' ')) return std::nullopt;
  rest.remove_prefix(hard ? kNoBreak.size() : 1);
  const bool unit = std::ranges::find(kUnits, rest) != kUnits.end();
  const std::optional<std::string> noun = unit ? std::optional(std::string(rest)) : exact(plain(rest));
  if (!noun) return std::nullopt;
  return text.append(kNoBreak).append(*noun);
}

bool Catalogue::accept(Kind kind, std::string_view text, Match& found) const {
  if (text.empty()) return false;
  if (kind == Kind::kName) {
    if (!is_name(text)) return false;
    found.values.emplace_back(text);
    return true;
  }
  if (kind == Kind::kIdentifier) {
    if (!is_identifier(text)) return false;
    found.values.emplace_back(text);
    return true;
  }
  if (kind == Kind::kQuantity) {
    auto amount = quantity(text);
    if (!amount) return false;
    found.values.push_back(std::move(*amount));
    return true;
  }
  if (found.depth >= kMostDepth || (kind == Kind::kTerm && !may_be_term(text))) return false;
  Translation part = kind == Kind::kList ? list(text, found.depth + 1, *found.search)
                                         : translated(text, found.depth + 1, *found.search);
  if (!part.complete && kind != Kind::kRemark) return false;
  found.values.push_back(std::move(part.text));
  return true;
}

bool Catalogue::match(const Pattern& pattern, std::size_t piece, std::string_view rest, Match& found) const {
  if (--found.search->budget < 0) return false;
  if (piece == pattern.pieces.size()) return rest.empty();
  const Piece& wanted = pattern.pieces[piece];
  if (wanted.kind == Kind::kLiteral)
    return rest.starts_with(wanted.literal) && match(pattern, piece + 1, rest.substr(wanted.literal.size()), found);
  if (piece + 1 == pattern.pieces.size()) return accept(wanted.kind, rest, found);
  const std::string& next = pattern.pieces[piece + 1].literal;
  for (std::size_t end = rest.find(next, 1); end != std::string_view::npos; end = rest.find(next, end + 1)) {
    const std::size_t n = found.values.size();
    if (accept(wanted.kind, rest.substr(0, end), found) && match(pattern, piece + 1, rest.substr(end), found))
      return true;
    found.values.resize(n);
    if (found.search->budget < 0) return false;
  }
  return false;
}

namespace {

std::string filled(std::string_view translated, const std::vector<std::string>& values) {
  std::string text;
  for (std::size_t i = 0; i < translated.size(); ++i) {
    if (translated[i] != '{') {
      text += translated[i];
      continue;
    }
    const std::size_t close = translated.find('}', i);
    text += values[place_in(translated.substr(i + 1, close - i - 1)) - 1];
    i = close;
  }
  return text;
}

}  // namespace

std::optional<Translation> Catalogue::by_pattern(std::string_view english, int depth, Search& search) const {
  if (english.empty()) return std::nullopt;
  for (const std::size_t i : by_first_[static_cast<unsigned char>(english.front())]) {
    const Pattern& pattern = patterns_[i];
    const Piece& first = pattern.pieces.front();
    const Piece& last = pattern.pieces.back();
    if (first.kind == Kind::kLiteral && !english.starts_with(first.literal)) continue;
    if (last.kind == Kind::kLiteral && !english.ends_with(last.literal)) continue;
    Match found{{}, depth, &search};
    if (match(pattern, 0, english, found)) return Translation{filled(pattern.translated, found.values), true};
  }
  return std::nullopt;
}

// "First. Second.": each alone, or with the next ones where a point stands within a sentence.
std::optional<Translation> Catalogue::by_sentences(std::string_view english, int depth, Search& search) const {
  constexpr std::string_view kEnd = ". ";
  constexpr int kMostJoined = 3;
  if (english.find(kEnd) == std::string_view::npos) return std::nullopt;
  Translation all{"", true};
  while (!english.empty()) {
    std::size_t length = std::min(english.find(kEnd), english.size() - 1) + 1;
    Translation sentence = translated(english.substr(0, length), depth + 1, search);
    std::size_t end = length;
    for (int joined = 0; !sentence.complete && joined < kMostJoined && end < english.size(); ++joined) {
      end = std::min(english.find(kEnd, end + 1), english.size() - 1) + 1;
      Translation longer = translated(english.substr(0, end), depth + 1, search);
      if (!longer.complete) continue;
      sentence = std::move(longer);
      length = end;
    }
    all.text += (all.text.empty() ? "" : " ") + sentence.text;
    all.complete = all.complete && sentence.complete;
    english.remove_prefix(std::min(length + 1, english.size()));
  }
  return all;
}

// Formulas and lines of facts: what stands between the signs is known or stays.
std::optional<Translation> Catalogue::by_parts(std::string_view english, int depth, Search& search) const {
  for (const std::string_view sign : {"; ", " · ", " + ", " × "}) {
    if (english.find(sign) == std::string_view::npos) continue;
    Translation all{"", true};
    for (bool first = true; !english.empty(); first = false) {
      const std::size_t end = std::min(english.find(sign), english.size());
      const Translation part = translated(english.substr(0, end), depth + 1, search);
      all.text += (first ? "" : std::string(sign)) + part.text;
      all.complete = all.complete && part.complete;
      english.remove_prefix(std::min(end + sign.size(), english.size()));
    }
    return all;
  }
  return std::nullopt;
}

// "A (1, 2), B" or, where families of operations and their shares stand side by side, "MLP 43 % attention 6.5 %".
Translation Catalogue::list(std::string_view english, int depth, Search& search) const {
  const bool commas = english.find(", ") != std::string_view::npos;
  Translation all{"", true};
  while (!english.empty()) {
    const std::size_t end = commas ? end_of_item(english) : std::min(english.find("% "), english.size() - 1) + 1;
    const Translation part = translated(english.substr(0, end), depth, search);
    all.text += (all.text.empty() ? "" : commas ? ", " : " ") + part.text;
    all.complete = all.complete && part.complete;
    english.remove_prefix(std::min(end + (commas ? 2 : 1), english.size()));
  }
  return all;
}

Translation Catalogue::translated(std::string_view english, int depth, Search& search) const {
  auto& known = search.known[static_cast<std::size_t>(std::min(depth, kMostDepth + 1))];
  if (const auto found = known.find(english); found != known.end()) return found->second;
  Translation made = looked_up(english, depth, search);
  if (search.budget > 0) known.emplace(english, made);
  return made;
}

Translation Catalogue::looked_up(std::string_view english, int depth, Search& search) const {
  if (english.empty()) return {"", true};
  if (--search.budget < 0) return {std::string(english), false};
  if (auto found = exact(english)) return {std::move(*found), true};
  if (auto amount = quantity(english)) return {std::move(*amount), true};
  if (auto day = date(english)) return {std::move(*day), true};
  if (depth <= kMostDepth) {
    if (auto found = by_pattern(english, depth, search)) return std::move(*found);
    if (auto found = by_sentences(english, depth, search)) return std::move(*found);
    if (auto found = by_parts(english, depth, search)) return std::move(*found);
  }
  return {std::string(english), false};
}

Translation Catalogue::translate(std::string_view english) const {
  // Sentences are listed with plain spaces; hard ones come back with every quantity.
  const std::string spaced = plain(english);
  Search search;
  Translation found = translated(spaced, 0, search);
  if (!found.complete && found.text == spaced) found.text = english;
  return found;
}

}  // namespace dachlast::viewmodel
