#include "ui/words.h"

#include <QCache>
#include <QLocale>
#include <QMutex>
#include <QStringList>

#include "ui/paint/figure_painter.h"

namespace dachlast::ui {
namespace {

using viewmodel::Language;

constexpr int kWordsKept = 20'000;

/// What one language made of what was asked so far.
struct Memory {
  QMutex mutex;
  Language language = Language::kEnglish;
  QCache<QByteArray, QString> texts{kWordsKept};
};

Memory& shared_memory() {
  static Memory memory;
  return memory;
}

void say(std::string& text) {
  if (!text.empty()) text = said(text).toStdString();
}

}  // namespace

Language spoken_language() {
  return QLocale().language() == QLocale::German ? Language::kGerman : Language::kEnglish;
}

const viewmodel::Words& words() {
  return viewmodel::Words::of(spoken_language());
}

QString said(std::string_view english) {
  const Language language = spoken_language();
  if (language == Language::kEnglish || english.empty()) return to_qt(english);
  const QByteArray key(english.data(), static_cast<qsizetype>(english.size()));
  Memory& memory = shared_memory();
  const QMutexLocker lock(&memory.mutex);
  if (memory.language != language) memory.texts.clear();
  memory.language = language;
  if (const QString* known = memory.texts.object(key)) return *known;
  const QString text = to_qt(viewmodel::Words::of(language)(english));
  memory.texts.insert(key, new QString(text));
  return text;
}

QString said_lines(std::string_view english) {
  if (spoken_language() == Language::kEnglish) return to_qt(english);
  QStringList lines;
  for (const QString& line : to_qt(english).split(u'\n')) lines << said(line.toStdString());
  return lines.join(u'\n');
}

const figure::Wording* wording() {
  class Said : public figure::Wording {
   public:
    std::string said(std::string_view english) const override { return ui::said(english).toStdString(); }
  };
  static const Said said_in_window;
  return spoken_language() == Language::kEnglish ? nullptr : &said_in_window;
}

void say_labels(figure::Figure& figure) {
  if (spoken_language() == Language::kEnglish) return;
  say(figure.title);
  say(figure.description);
  for (figure::Primitive& primitive : figure.primitives)
    if (auto* text = std::get_if<figure::Text>(&primitive)) say(text->text);
}

}  // namespace dachlast::ui
