#include "core/viewmodel/language.h"

#include "core/viewmodel/catalogue.h"

namespace dachlast::viewmodel {

// Made at build time from catalog/german.txt.
extern const std::string_view kGermanCatalogue;

Words::Words(Language language, std::string_view catalogue)
    : language_(language), catalogue_(std::make_unique<const Catalogue>(catalogue)) {}

Words::~Words() = default;

std::optional<Language> language_from_code(std::string_view code) {
  for (const Language language : {Language::kEnglish, Language::kGerman})
    if (code_of(language) == code) return language;
  return std::nullopt;
}

const Words& Words::of(Language language) {
  static const Words english(Language::kEnglish, {});
  static const Words german(Language::kGerman, kGermanCatalogue);
  return language == Language::kEnglish ? english : german;
}

std::string Words::operator()(std::string_view english) const {
  return language_ == Language::kEnglish ? std::string(english) : catalogue_->translate(english).text;
}

std::optional<std::string> Words::find(std::string_view english) const {
  if (language_ == Language::kEnglish) return std::string(english);
  Translation found = catalogue_->translate(english);
  if (!found.complete) return std::nullopt;
  return std::move(found.text);
}

std::string Words::number(std::string_view english) const {
  if (language_ == Language::kEnglish) return std::string(english);
  return catalogue_->quantity(english).value_or(std::string(english));
}

std::span<const std::string> Words::entries() const {
  return catalogue_->entries();
}

}  // namespace dachlast::viewmodel
