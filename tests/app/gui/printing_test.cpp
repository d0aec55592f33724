// Printing a report: into a file, by the spooler, and what is said where neither works.
#include "app/gui/printing.h"

#include <gtest/gtest.h>

#include <QFile>
#include <QPrinter>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/main_window.h"
#include "app/gui/report_controller.h"
#include "tests/app/gui/run_files.h"
#include "tests/support/sample_run.h"

namespace dachlast::gui {
namespace {

constexpr int kPatienceMs = 60'000;

QByteArray bytes_of(const QString& name) {
  QFile file(name);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// A spooler that keeps its words and the file it was given, or refuses; found first while it lives.
class FakeSpooler {
 public:
  explicit FakeSpooler(const QByteArray& script) : path_(qgetenv("PATH")) {
    QFile file(folder_.filePath("lp"));
    EXPECT_TRUE(file.open(QIODevice::WriteOnly));
    file.write("#!/bin/sh\n" + script);
    file.close();
    file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    qputenv("PATH", folder_.path().toLocal8Bit() + ':' + path_);
  }
  ~FakeSpooler() { qputenv("PATH", path_); }
  QString file(const QString& name) const { return folder_.filePath(name); }

 private:
  QTemporaryDir folder_;
  QByteArray path_;
};

TEST(Printing, TakesWhatTheDialogSays) {
  QPrinter printer;
  printer.setOutputFormat(QPrinter::PdfFormat);
  printer.setOutputFileName("/somewhere/report.pdf");
  printer.setPageSize(QPageSize(QPageSize::Letter));
  printer.setCopyCount(3);
  printer.setPrintRange(QPrinter::PageRange);
  printer.setFromTo(2, 5);
  const PrintChoice choice = choice_of(printer);
  EXPECT_EQ(choice.file, "/somewhere/report.pdf");
  EXPECT_NEAR(choice.paper.width_mm, 215.9, 0.1);  // 8.5 in
  EXPECT_NEAR(choice.paper.height_mm, 279.4, 0.1);
  EXPECT_EQ(choice.media, "Letter");
  EXPECT_EQ(choice.first_page, 2);
  EXPECT_EQ(choice.last_page, 5);
}

TEST(Printing, TheSpoolerIsToldEverything) {
  PrintChoice choice;
  choice.printer = "office; rm -rf";
  choice.n_copies = 2;
  choice.first_page = 1;
  choice.last_page = 2;
  choice.both_sides = true;
  EXPECT_EQ(spooler_words(choice, "A report", "/t/r.pdf"),
            (QStringList{"-d", "office; rm -rf", "-n", "2", "-t", "A report", "-o", "media=A4", "-o",
                         "sides=two-sided-long-edge", "-P", "1-2", "--", "/t/r.pdf"}));
}

TEST(Printing, IntoAFileWritesIt) {
  const QTemporaryDir folder;
  PrintChoice choice;
  choice.file = folder.filePath("report.pdf");
  EXPECT_TRUE(print_pdf("%PDF-1.7 x", choice, "t").contains(choice.file));
  EXPECT_EQ(bytes_of(choice.file), "%PDF-1.7 x");
}

TEST(Printing, ThePrinterGetsThePdf) {
  const FakeSpooler spooler(
      "dir=$(dirname \"$0\"); echo \"$*\" > \"$dir/words\"; for f; do :; done; cp \"$f\" \"$dir/got\"\n");
  PrintChoice choice;
  choice.printer = "office";
  EXPECT_TRUE(print_pdf("%PDF-1.7 x", choice, "t").contains("office"));
  EXPECT_EQ(bytes_of(spooler.file("got")), "%PDF-1.7 x");
  EXPECT_TRUE(bytes_of(spooler.file("words")).startsWith("-d office -n 1 -t t -o media=A4"));
}

TEST(Printing, ARefusalIsToldInTheSpoolersWords) {
  const FakeSpooler spooler("echo 'lp: The printer or class does not exist.' >&2; exit 1\n");
  PrintChoice choice;
  choice.printer = "office";
  EXPECT_TRUE(print_pdf("%PDF", choice, "t").contains("The printer or class does not exist."));
}

TEST(Printing, WithoutASpoolerTheWayOutIsNamed) {
  const QByteArray path = qgetenv("PATH");
  qputenv("PATH", "/nonexistent");
  const QString told = print_pdf("%PDF", {}, "t");
  qputenv("PATH", path);
  EXPECT_TRUE(told.contains("cups-client")) << told.toStdString();
}

TEST(Printing, TheReportOfTheWindowBecomesThePdfOfTheCommandLine) {
  if (QStandardPaths::findExecutable("weasyprint").isEmpty()) GTEST_SKIP() << "weasyprint is not installed";
  const QTemporaryDir folder;
  MainWindow window;
  open_in(window, write_run(folder.filePath("one.dachlast"), test::sample_run()));
  QPrinter printer;
  printer.setOutputFormat(QPrinter::PdfFormat);
  printer.setOutputFileName(folder.filePath("printed.pdf"));
  window.reporter().print(choice_of(printer), {});
  window.reporter().exportTo(folder.filePath("exported.pdf"), {});
  for (const char* name : {"printed.pdf", "exported.pdf"}) {
    const QString file = folder.filePath(name);
    ASSERT_TRUE(QTest::qWaitFor([&] { return QFile::exists(file); }, kPatienceMs)) << name;
    EXPECT_TRUE(bytes_of(file).startsWith("%PDF")) << name;
  }
}

}  // namespace
}  // namespace dachlast::gui
