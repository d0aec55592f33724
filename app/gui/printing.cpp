#include "app/gui/printing.h"

#include <QCoreApplication>
#include <QPageLayout>
#include <QPrinter>
#include <QProcess>
#include <QTemporaryFile>

#include "app/gui/saving.h"

namespace dachlast::gui {
namespace {

constexpr int kSpoolerMs = 60'000;
const QString kSpooler = QStringLiteral("lp");

/// Gives the words of this file their context in translations.
struct PrintingWords {
  Q_DECLARE_TR_FUNCTIONS(Printing)
};

Paper paper_of(const QPrinter& printer) {
  const QRectF sheet = printer.pageLayout().fullRect(QPageLayout::Millimeter);
  return {sheet.width(), sheet.height()};
}

QString not_printed(const QString& why) {
  return PrintingWords::tr("The report was not printed: %1").arg(why);
}

}  // namespace

PrintChoice choice_of(const QPrinter& printer) {
  PrintChoice choice;
  choice.printer = printer.printerName();
  choice.file = printer.outputFileName();
  choice.paper = paper_of(printer);
  choice.media = printer.pageLayout().pageSize().key();
  choice.n_copies = printer.copyCount();
  choice.both_sides = printer.duplex() != QPrinter::DuplexNone;
  if (printer.printRange() == QPrinter::PageRange) {
    choice.first_page = printer.fromPage();
    choice.last_page = printer.toPage();
  }
  return choice;
}

QStringList spooler_words(const PrintChoice& choice, const QString& title, const QString& pdf_file) {
  QStringList words;
  if (!choice.printer.isEmpty()) words << QStringLiteral("-d") << choice.printer;
  words << QStringLiteral("-n") << QString::number(choice.n_copies) << QStringLiteral("-t") << title;
  words << QStringLiteral("-o") << QStringLiteral("media=%1").arg(choice.media);
  words << QStringLiteral("-o")
        << (choice.both_sides ? QStringLiteral("sides=two-sided-long-edge") : QStringLiteral("sides=one-sided"));
  if (choice.first_page > 0)
    words << QStringLiteral("-P") << QStringLiteral("%1-%2").arg(choice.first_page).arg(choice.last_page);
  return words << QStringLiteral("--") << pdf_file;
}

QString print_pdf(const std::string& pdf, const PrintChoice& choice, const QString& title) {
  const QByteArray bytes(pdf.data(), static_cast<qsizetype>(pdf.size()));
  if (!choice.file.isEmpty()) return write_file(choice.file, bytes);
  QTemporaryFile file;
  if (!file.open() || file.write(bytes) != bytes.size() || !file.flush()) return not_printed(file.errorString());
  QProcess spooler;
  spooler.start(kSpooler, spooler_words(choice, title, file.fileName()));
  if (!spooler.waitForFinished(kSpoolerMs)) {
    if (spooler.error() == QProcess::FailedToStart)
      return not_printed(PrintingWords::tr("%1 is not installed (Debian: apt install cups-client). Print to a file "
                                           "instead.")
                             .arg(kSpooler));
    spooler.kill();
    return not_printed(PrintingWords::tr("%1 did not answer.").arg(kSpooler));
  }
  if (spooler.exitCode() != 0) return not_printed(QString::fromLocal8Bit(spooler.readAllStandardError()).trimmed());
  return PrintingWords::tr("Sent to the printer %1").arg(choice.printer);
}

}  // namespace dachlast::gui
