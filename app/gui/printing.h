#pragma once

#include <QString>
#include <string>

#include "app/documents/pdf.h"

class QPrinter;

namespace dachlast::gui {

/// What someone chose in the print dialog.
struct PrintChoice {
  QString printer;  // as the system names it
  QString file;     // where to print into a file instead
  Paper paper;
  QString media = QStringLiteral("A4");  // the same sheet as the spooler names it
  int n_copies = 1;
  int first_page = 0;  // 0: all pages
  int last_page = 0;
  bool both_sides = false;
};

PrintChoice choice_of(const QPrinter& printer);

/// Words of the command that hands a PDF to the system's spooler.
/// Source   lp(1) of CUPS, https://openprinting.github.io/cups/doc/man-lp.html
QStringList spooler_words(const PrintChoice& choice, const QString& title, const QString& pdf_file);

/// Prints the PDF of a report, into a file or by the spooler, and returns what to tell. Takes seconds: not for the window's thread.
QString print_pdf(const std::string& pdf, const PrintChoice& choice, const QString& title);

}  // namespace dachlast::gui
