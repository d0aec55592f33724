// The report page: what it previews is what is exported.
#include <gtest/gtest.h>

#include <QFile>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/main_window.h"
#include "app/gui/report_controller.h"
#include "tests/app/gui/run_files.h"
#include "tests/support/sample_run.h"
#include "ui/views/report_view.h"
#include "ui/views/roofline_view.h"
#include "ui/widgets/figure_view.h"

namespace dachlast::gui {
namespace {

constexpr int kPatienceMs = 20'000;
using ui::ReportFields;

QStringList headings(const QString& html) {
  static const QRegularExpression heading("<h2[^>]*>([^<]*)</h2>");
  QStringList found;
  for (auto match = heading.globalMatch(html); match.hasNext();) found << match.next().captured(1);
  return found;
}

class ReportPageTest : public testing::Test {
 protected:
  ReportPageTest() { window_.show(); }
  ui::ReportView& page() { return *window_.findChild<ui::ReportView*>(); }
  /// Shows the page and waits for a preview that holds these words.
  bool shows(const QString& words) {
    window_.showPage("Report");
    return QTest::qWaitFor([&] { return page().hasContent() && page().plainText().contains(words); }, kPatienceMs);
  }
  void openRun(const dachlast::Run& run) { open_in(window_, write_run(folder_.filePath("one.dachlast"), run)); }
  static ReportSubject subjectOf(const dachlast::Run& run) {
    return {std::make_shared<const dachlast::Run>(run), nullptr, {}, {}, {}};
  }

  QTemporaryDir folder_;
  MainWindow window_;
};

TEST_F(ReportPageTest, ThePreviewHasTheSectionsOfTheFile) {
  for (const auto level : {ReportFields::Level::kFull, ReportFields::Level::kSummary})
    for (const auto language : {viewmodel::Language::kEnglish, viewmodel::Language::kGerman}) {
      ReportFields fields;
      fields.level = level;
      fields.language = language;
      fields.title = "A title";
      const ReportSubject subject = subjectOf(test::sample_run());
      const QString file = QString::fromStdString(report_html_of(subject, fields, "2026-03-01T15:00:00Z"));
      const QString preview = report_preview_of(subject, fields, ui::Theme::kLight).html;
      EXPECT_FALSE(headings(file).isEmpty());
      EXPECT_EQ(headings(preview), headings(file));
      EXPECT_EQ(preview.contains("figure:"), file.contains("<svg"));
    }
}

TEST_F(ReportPageTest, EveryPictureOfThePreviewIsThere) {
  const ui::ReportPreview preview = report_preview_of(subjectOf(test::sample_run()), {}, ui::Theme::kDark);
  static const QRegularExpression source("img src=\"([^\"]*)\"");
  int n = 0;
  for (auto match = source.globalMatch(preview.html); match.hasNext(); ++n)
    EXPECT_TRUE(preview.pictures.contains(match.next().captured(1)));
  EXPECT_EQ(n, preview.pictures.size());
  EXPECT_GE(n, 2);  // phase bars and roofline
}

TEST_F(ReportPageTest, ShowsTheRun) {
  openRun(test::sample_run());
  EXPECT_TRUE(shows("memory-bound"));
  EXPECT_TRUE(page().plainText().contains("Operations on the roofline"));
}

TEST_F(ReportPageTest, SpeaksGerman) {
  openRun(test::sample_run());
  ASSERT_TRUE(shows("memory-bound"));
  ReportFields german = page().fields();
  german.language = viewmodel::Language::kGerman;
  page().setFields(german);
  EXPECT_TRUE(shows(QString::fromUtf8("Zusammenfassung")) || shows("Konfiguration"));
}

TEST_F(ReportPageTest, WithoutARunItReportsThePlan) {
  ASSERT_TRUE(shows("serves"));
  EXPECT_TRUE(page().plainText().contains("RECOMMENDED"));
  EXPECT_TRUE(page().plainText().contains("TTFT"));
}

TEST_F(ReportPageTest, HostileNamesStayText) {
  auto run = test::sample_run();
  run.model.name = "<script>alert(1)</script>";
  openRun(run);
  EXPECT_TRUE(shows("<script>alert(1)</script>"));
}

TEST_F(ReportPageTest, AddedChartsStandInTheReportAndCanBeTakenBack) {
  openRun(test::sample_run());
  auto* chart = window_.findChild<ui::RooflineView*>()->findChild<ui::FigureView*>();
  Q_EMIT chart->addToReportRequested(chart->figure());
  EXPECT_EQ(window_.reporter().added().size(), 1U);
  EXPECT_TRUE(shows("Added charts"));
  ReportSubject subject = subjectOf(test::sample_run());
  subject.added = window_.reporter().added();
  EXPECT_NE(report_html_of(subject, {}, "").find("id=\"appendix\""), std::string::npos);
  window_.edits().undo();
  EXPECT_TRUE(window_.reporter().added().empty());
}

TEST_F(ReportPageTest, TheExportIsWrittenInTheBackground) {
  openRun(test::sample_run());
  const QString path = folder_.filePath("report.html");
  window_.reporter().exportTo(path, {});
  ASSERT_TRUE(QTest::qWaitFor([&] { return QFile::exists(path); }, kPatienceMs));
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  EXPECT_TRUE(file.readAll().startsWith("<!DOCTYPE html>"));
}

}  // namespace
}  // namespace dachlast::gui
