#include "core/viewmodel/capacity_units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <variant>

#include "core/base/units.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/written_number.h"

namespace dachlast::viewmodel {
namespace {

struct UnitPair {
  std::string_view binary;
  std::string_view decimal;
  double ratio;  // of the binary unit to the decimal one
};

constexpr std::array kPairs = {UnitPair{"KiB", "kB", kKiB / 1e3}, UnitPair{"MiB", "MB", kMiB / 1e6},
                               UnitPair{"GiB", "GB", kGiB / 1e9}, UnitPair{"TiB", "TB", 1024.0 * kGiB / 1e12}};

const UnitPair* pair_of(std::string_view unit) {
  const auto* found = std::ranges::find(kPairs, unit, &UnitPair::binary);
  return found == kPairs.end() ? nullptr : found;
}

std::string with_swapped_marks(std::string_view number) {
  std::string text(number);
  for (char& c : text) c = c == '.' ? ',' : c == ',' ? '.' : c;
  return text;
}

/// Digits in English: "1,024.5" is 1024.5.
std::optional<double> number_of(std::string_view english) {
  std::string digits(english);
  std::erase(digits, ',');
  double value = 0.0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// A number of one unit as a number of the other; the rules of the formatter for the binary unit hold.
std::optional<std::string> converted(std::string_view english, const UnitPair& units) {
  const auto value = number_of(english);
  if (!value) return std::nullopt;
  return in_unit(*value * units.ratio, {units.binary == "KiB" ? "MiB" : units.binary, 1.0});
}

/// The number that ends at the end of `text`, a point or comma before it left out: "(of 79.65".
std::string_view trailing_number(std::string_view text) {
  std::size_t begin = text.size();
  while (begin > 0 && (is_digit(text[begin - 1]) || text[begin - 1] == '.' || text[begin - 1] == ',')) --begin;
  while (begin < text.size() && !is_digit(text[begin])) ++begin;
  return text.substr(begin);
}

/// Replaces the number at the end of `text`; false where there is none.
bool convert_trailing(std::string& text, const UnitPair& units, Language language) {
  const std::string number(trailing_number(text));
  if (number.empty()) return false;
  const bool german = language == Language::kGerman;
  const auto other = converted(german ? with_swapped_marks(number) : number, units);
  if (!other) return false;
  text.replace(text.size() - number.size(), number.size(), german ? with_swapped_marks(*other) : *other);
  return true;
}

/// "79.18 of 79.65 GiB": the unit counts for both numbers.
void convert_shared(std::string& text, const UnitPair& units, Language language) {
  for (const std::string_view word : {" of ", " von ", " to ", " bis "}) {
    const std::size_t at = text.rfind(word);
    if (at == std::string::npos || at + word.size() + trailing_number(text).size() != text.size()) continue;
    std::string before = text.substr(0, at);
    if (before.size() < 3 || trailing_number(before).find_first_of(".,") == std::string_view::npos) continue;
    if (convert_trailing(before, units, language)) text.replace(0, at, before);
  }
}

/// A rate ("GiB/s") is another unit, and what stands in quotes is something to type.
bool ends_an_amount(std::string_view rest) {
  const char next = rest.empty() ? ' ' : rest.front();
  return next != '/' && next != '"' && !is_digit(next) && !(next >= 'a' && next <= 'z') &&
         !(next >= 'A' && next <= 'Z');
}

bool take_back(std::string& text, std::string_view end) {
  if (!text.ends_with(end)) return false;
  text.resize(text.size() - end.size());
  return true;
}

/// Ends `done`, which may end in a number and a space, with the unit that follows, converted where it has a number.
void append_amount(std::string& done, const UnitPair& units, Language language) {
  std::string before = done;
  const bool hard = take_back(before, kNoBreak);
  if (!hard && !take_back(before, " ")) {
    done += units.binary;
    return;
  }
  convert_shared(before, units, language);
  if (!convert_trailing(before, units, language)) {
    done += units.binary;
    return;
  }
  done = before.append(hard ? kNoBreak : " ").append(units.decimal);
}

}  // namespace

std::optional<CapacityUnits> units_from_code(std::string_view code) {
  for (const CapacityUnits units : {CapacityUnits::kIec, CapacityUnits::kSi})
    if (code_of(units) == code) return units;
  return std::nullopt;
}

std::string_view decimal_unit(std::string_view unit) {
  const UnitPair* pair = pair_of(unit);
  return pair == nullptr ? unit : pair->decimal;
}

std::string in_decimal_units(std::string_view text, Language language) {
  std::string done;
  while (!text.empty()) {
    const std::size_t at = text.find("iB");
    if (at == std::string_view::npos || at == 0) {
      const std::size_t length = at == 0 ? 2 : text.size();
      done += text.substr(0, length);
      text.remove_prefix(length);
      continue;
    }
    const UnitPair* pair = pair_of(text.substr(at - 1, 3));
    done += text.substr(0, at - 1);
    text.remove_prefix(at - 1);
    const std::size_t length = 3;
    if (pair != nullptr && ends_an_amount(text.substr(length)))
      append_amount(done, *pair, language);
    else
      done += text.substr(0, length);
    text.remove_prefix(length);
  }
  return done;
}

Table in_decimal_units(Table table) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const UnitPair* pair = pair_of(table.columns[i].unit);
    if (pair == nullptr) continue;
    table.columns[i].unit = pair->decimal;
    for (auto& row : table.rows)
      if (!std::holds_alternative<std::string>(row[i].raw)) convert_trailing(row[i].text, *pair, Language::kEnglish);
  }
  return table;
}

}  // namespace dachlast::viewmodel
