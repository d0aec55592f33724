#include "core/viewmodel/catalogue.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace dachlast::viewmodel {
namespace {

constexpr std::string_view kFile = R"(# a comment
tokens
Tokens

decode
Decode

memory-bound
speicherbandbreitenbegrenzt

{t} is {t}: {q} of {q}.
{1} ist {2}: {3} von {4}.

{s} on {s} fits.
{1} auf {2} passt.

Used: {l}.
Genutzt: {1}.

Note: {r}
Hinweis: {1}

peak at {i}
Spitze bei {1}
)";

const Catalogue& catalogue() {
  static const Catalogue made(kFile);
  return made;
}

std::string german(std::string_view english) {
  return catalogue().translate(english).text;
}

TEST(Catalogue, ExchangesPointAndComma) {
  EXPECT_EQ(german("55,520.5 MiB"), "55.520,5\u00a0MiB");
  EXPECT_EQ(german("≈\u00a01.42×"), "≈\u00a01,42×");
  EXPECT_EQ(german("\u2212"
                   "18\u00a0%"),
            "\u2212"
            "18\u00a0%");
  EXPECT_EQ(german("1,024\u00a0tokens"), "1.024\u00a0Tokens");
}

TEST(Catalogue, LeavesAloneWhatIsNoNumber) {
  for (const char* name : {"0.1.0", "1,2", "12,34", "H100 SXM5 80GB", "v1.5b", "3.1-8b", "1.2 apples"}) {
    EXPECT_EQ(german(name), name);
    EXPECT_FALSE(catalogue().quantity(name)) << name;
  }
}

TEST(Catalogue, FillsFiguresIntoTheOtherSentence) {
  EXPECT_EQ(german("decode is memory-bound: 8.5\u00a0% of 1,024\u00a0tokens."),
            "Decode ist speicherbandbreitenbegrenzt: 8,5\u00a0% von 1.024\u00a0Tokens.");
}

TEST(Catalogue, KeepsNamesAsTheyAre) {
  EXPECT_EQ(german("llama-3.1-8b on decode fits."), "llama-3.1-8b auf decode passt.");
}

TEST(Catalogue, WantsTermsItKnows) {
  const Translation found = catalogue().translate("sleep is memory-bound: 8\u00a0% of 1\u00a0s.");
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.text, "sleep is memory-bound: 8\u00a0% of 1\u00a0s.");
}

TEST(Catalogue, TranslatesSentenceBySentence) {
  const Translation found = catalogue().translate("A on B fits. Unknown words. C on D fits.");
  EXPECT_EQ(found.text, "A auf B passt. Unknown words. C auf D passt.");
  EXPECT_FALSE(found.complete);
}

TEST(Catalogue, ReadsListsRemarksAndIdentifiers) {
  EXPECT_EQ(german("Used: decode, memory-bound, 1.5\u00a0ms."),
            "Genutzt: Decode, speicherbandbreitenbegrenzt, 1,5\u00a0ms.");
  EXPECT_EQ(german("Note: A on B fits."), "Hinweis: A auf B passt.");
  EXPECT_EQ(german("Note: whatever."), "Hinweis: whatever.");
  EXPECT_EQ(german("peak at mlp_up"), "Spitze bei mlp_up");
  EXPECT_EQ(german("peak at Berlin"), "peak at Berlin");
}

TEST(Catalogue, TranslatesPartsOfAFormula) {
  EXPECT_EQ(german("2 × 32,768 tokens × 1.5 KiB"), "2 × 32.768\u00a0Tokens × 1,5\u00a0KiB");
}

TEST(Catalogue, WritesDatesAsTheLanguageDoes) {
  EXPECT_EQ(german("2026-03-01 14:05 UTC"), "01.03.2026, 14:05 UTC");
}

TEST(Catalogue, EndsSoonOnNamesMadeToMislead) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += " on decode is memory-bound: . Note: ;  · ";
  const Translation found = catalogue().translate(text);  // the test's own time limit is the assertion
  EXPECT_FALSE(found.complete);
}

TEST(Catalogue, RefusesEntriesThatCannotBeFilled) {
  EXPECT_THROW(Catalogue("alone\n"), Error);
  EXPECT_THROW(Catalogue("{q} of\n{2} von\n"), Error);
  EXPECT_THROW(Catalogue("{q} of\n{x} von\n"), Error);
  EXPECT_THROW(Catalogue("{z} of\n{1} von\n"), Error);
}

}  // namespace
}  // namespace dachlast::viewmodel
