#include "core/viewmodel/language.h"

#include <utility>

#include "core/viewmodel/capacity_units.h"
#include "core/viewmodel/catalogue.h"

namespace dachlast::viewmodel {

// Made at build time from catalog/german.txt.
extern const std::string_view kGermanCatalogue;

Words::Words(Language language, CapacityUnits units, std::string_view catalogue)
    : language_(language), units_(units), catalogue_(std::make_unique<const Catalogue>(catalogue)) {}

Words::~Words() = default;

std::optional<Language> language_from_code(std::string_view code) {
  for (const Language language : {Language::kEnglish, Language::kGerman})
    if (code_of(language) == code) return language;
  return std::nullopt;
}

const Words& Words::of(Language language, CapacityUnits units) {
  static const Words english(Language::kEnglish, CapacityUnits::kIec, {});
  static const Words german(Language::kGerman, CapacityUnits::kIec, kGermanCatalogue);
  static const Words english_si(Language::kEnglish, CapacityUnits::kSi, {});
  if (units == CapacityUnits::kIec) return language == Language::kEnglish ? english : german;
  if (language == Language::kEnglish) return english_si;
  static const Words german_si(Language::kGerman, CapacityUnits::kSi, kGermanCatalogue);
  return german_si;
}

std::string Words::in_units(std::string text) const {
  if (units_ != CapacityUnits::kIec) text = in_decimal_units(text, language_);
  return text;
}

std::string Words::operator()(std::string_view english) const {
  return in_units(language_ == Language::kEnglish ? std::string(english) : catalogue_->translate(english).text);
}

std::optional<std::string> Words::find(std::string_view english) const {
  if (language_ == Language::kEnglish) return in_units(std::string(english));
  Translation found = catalogue_->translate(english);
  if (!found.complete) return std::nullopt;
  return in_units(std::move(found.text));
}

std::string Words::number(std::string_view english) const {
  if (language_ == Language::kEnglish) return in_units(std::string(english));
  if (auto amount = catalogue_->quantity(english)) return in_units(std::move(*amount));
  Translation phrase = catalogue_->translate(english);  // "9.12 GiB less"
  return in_units(phrase.complete ? std::move(phrase.text) : std::string(english));
}

std::span<const std::string> Words::entries() const {
  return catalogue_->entries();
}

}  // namespace dachlast::viewmodel
