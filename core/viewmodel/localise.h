#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/figure/figure.h"
#include "core/viewmodel/language.h"
#include "core/viewmodel/report_view.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// What a text of a view-model is, and so what becomes of it in another language.
enum class TextKind : std::uint8_t {
  kSentence,  // of the program: translated
  kCell,      // of a table: translated where the catalogue knows it; a name otherwise
  kNumber,    // a figure: its separators follow the language
  kTitle      // of a document: names, joined by a word
};

using TextChange = std::function<std::string(TextKind kind, const std::string& english)>;

/// Passes every text of a view-model that people read through `change`. Machine values, ids, names of files, commands
/// and what a model wrote are left alone.
void change_texts(Table& table, const TextChange& change);
void change_texts(figure::Figure& figure, const TextChange& change);
void change_texts(ReportView& report, const TextChange& change);

/// The same view-model in another language, its memory in the units asked for.
Table in_language(Table table, const Words& words);
figure::Figure in_language(figure::Figure figure, const Words& words);
ReportView in_language(ReportView report, const Words& words);

/// "gpt2 on Sample CPU": the names stay.
std::string title_in(const Words& words, const std::string& english);

}  // namespace dachlast::viewmodel
