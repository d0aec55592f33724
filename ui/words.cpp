#include "ui/words.h"

#include <QCache>
#include <QLocale>
#include <QMutex>
#include <QStringList>
#include <atomic>

#include "ui/paint/figure_painter.h"

namespace dachlast::ui {
namespace {

using viewmodel::Language;

constexpr int kWordsKept = 20'000;

/// What one language and unit made of what was asked so far.
struct Memory {
  QMutex mutex;
  const viewmodel::Words* words = nullptr;
  QCache<QByteArray, QString> texts{kWordsKept};
};

Memory& shared_memory() {
  static Memory memory;
  return memory;
}

std::atomic<viewmodel::CapacityUnits>& shared_units() {
  static std::atomic<viewmodel::CapacityUnits> units = viewmodel::CapacityUnits::kIec;
  return units;
}

void say(std::string& text) {
  if (!text.empty()) text = said(text).toStdString();
}

}  // namespace

Language spoken_language() {
  return QLocale().language() == QLocale::German ? Language::kGerman : Language::kEnglish;
}

void write_memory_in(viewmodel::CapacityUnits units) {
  shared_units() = units;
}

viewmodel::CapacityUnits capacity_units() {
  return shared_units();
}

const viewmodel::Words& words() {
  return viewmodel::Words::of(spoken_language(), capacity_units());
}

QString said(std::string_view english) {
  const viewmodel::Words& spoken = words();
  if (spoken.as_written() || english.empty()) return to_qt(english);
  const QByteArray key(english.data(), static_cast<qsizetype>(english.size()));
  Memory& memory = shared_memory();
  const QMutexLocker lock(&memory.mutex);
  if (memory.words != &spoken) memory.texts.clear();
  memory.words = &spoken;
  if (const QString* known = memory.texts.object(key)) return *known;
  const QString text = to_qt(spoken(english));
  memory.texts.insert(key, new QString(text));
  return text;
}

QString said_lines(std::string_view english) {
  if (words().as_written()) return to_qt(english);
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
  return words().as_written() ? nullptr : &said_in_window;
}

void say_labels(figure::Figure& figure) {
  if (words().as_written()) return;
  say(figure.title);
  say(figure.description);
  for (figure::Primitive& primitive : figure.primitives)
    if (auto* text = std::get_if<figure::Text>(&primitive)) say(text->text);
}

}  // namespace dachlast::ui
