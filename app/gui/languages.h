#pragma once

#include <QString>
#include <QStringList>

namespace dachlast::gui {

/// What a reader may choose: "system", then the codes of the languages the window speaks.
QStringList language_choices();

/// The language in its own words: "Deutsch". The system's entry says that it follows the system.
QString language_title(const QString& choice);

/// Makes the program speak the chosen language, called once before the first window: Qt's dialogs, the window's strings, the
/// catalogue of the view-models and the numbers of the GUI. Anything unknown follows the system; a system that speaks another
/// language than those of the program gets English. What copies and files hold does not depend on it.
void speak(const QString& choice);

}  // namespace dachlast::gui
