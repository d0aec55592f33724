#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/figure/labels.h"

namespace dachlast::viewmodel {

class Catalogue;

/// English is the language of the sources; every view-model speaks it.
enum class Language : std::uint8_t { kEnglish, kGerman };

/// "en", "de": as HTML's lang attribute and `--lang` spell it.
constexpr std::string_view code_of(Language language) {
  return language == Language::kEnglish ? "en" : "de";
}

/// Empty for a language there is no catalogue of.
std::optional<Language> language_from_code(std::string_view code);

/// How memory is written: GiB as drivers do, or GB (UX.md §6). See capacity_units.h.
enum class CapacityUnits : std::uint8_t { kIec, kSi };

/// The words of one language, and how it writes memory. A catalogue pairs whole English sentences with whole sentences of the other language;
/// places where figures and names stand are typed, so that a sentence is found again whatever figures it carries:
///   {q}  a quantity: number, unit or counted noun; its separators and noun follow the language
///   {t}  a term or phrase that is itself in the catalogue
///   {s}  a name: stays as it is
///   {i}  an identifier of the program, such as mlp_up: stays as it is
///   {l}  a list of phrases, separated by commas or set beside each other, each in the catalogue or a quantity
///   {r}  a remark that is translated where the catalogue knows it
/// This way remarks that older run files carry are read in the language of the reader too.
/// Threads  immutable once made; one instance a language and unit, shared by all.
class Words : public figure::Wording {
 public:
  /// The words of a language.
  static const Words& of(Language language, CapacityUnits units = CapacityUnits::kIec);

  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;

  Language language() const { return language_; }
  CapacityUnits units() const { return units_; }

  /// English in GiB, as the view-models speak it: nothing changes.
  bool as_written() const { return language_ == Language::kEnglish && units_ == CapacityUnits::kIec; }

  /// The text in this language and its memory in these units; what the catalogue does not know stays English.
  std::string operator()(std::string_view english) const;

  std::string said(std::string_view english) const override { return (*this)(english); }

  /// The same, only where all of it is known.
  std::optional<std::string> find(std::string_view english) const;

  /// A number or quantity as the language writes it: "55,520.5 tokens" becomes "55.520,5 Tokens". Anything else is
  /// returned as it is.
  std::string number(std::string_view english) const;

  /// Every English entry of the catalogue, placeholders included.
  std::span<const std::string> entries() const;

 private:
  Words(Language language, CapacityUnits units, std::string_view catalogue);
  ~Words() override;

  std::string in_units(std::string text) const;

  Language language_;
  CapacityUnits units_;
  std::unique_ptr<const Catalogue> catalogue_;
};

}  // namespace dachlast::viewmodel
