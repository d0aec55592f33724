// What must never freeze, crash or lose anything: a tour of all pages and actions, damaged and missing files, crowded folders.
#include <gtest/gtest.h>

#include <QAbstractButton>
#include <QApplication>
#include <QDir>
#include <QDropEvent>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QMenu>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/main_window.h"
#include "app/gui/project_controller.h"
#include "app/gui/recommend_controller.h"
#include "app/gui/report_controller.h"
#include "app/gui/run_presenter.h"
#include "app/gui/run_reader.h"
#include "app/gui/trace_export.h"
#include "core/store/database.h"
#include "core/store/run_file.h"
#include "tests/app/gui/run_files.h"
#include "tests/app/gui/stall_watch.h"
#include "tests/support/sample_run.h"
#include "ui/views/compare_view.h"
#include "ui/views/overview_view.h"
#include "ui/views/plan_view.h"
#include "ui/views/report_view.h"
#include "ui/views/timeline_view.h"
#include "ui/widgets/figure_view.h"
#include "ui/widgets/scenario_form.h"

namespace dachlast::gui {
namespace {

constexpr int kCrowd = 10'000;
constexpr int kPatienceMs = 20'000;
constexpr int kLargeStep = 5'400;           // operations a point
constexpr qint64 kLargeFile = 100'000'000;  // bytes

class RobustnessTest : public testing::Test {
 protected:
  RobustnessTest() {
    window_.show();
    window_.activateWindow();
  }
  template <class View>
  View& view() {
    return *window_.findChild<View*>();
  }
  QString path(const QString& name) { return folder_.filePath(name); }
  /// Lets go of a file over the window, as a person does.
  void drop(const QString& file) {
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(file)});
    QDragEnterEvent enter({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&window_, &enter);
    QDropEvent drop({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&window_, &drop);
  }
  QString writeModel(const QString& name) {
    QDir(folder_.path()).mkpath(name);
    QFile file(path(name + "/config.json"));
    EXPECT_TRUE(file.open(QIODevice::WriteOnly));
    file.write(
        R"({"model_type": "gpt2", "n_layer": 2, "n_head": 4, "n_embd": 64, "vocab_size": 1000, "n_positions": 512})");
    return path(name);
  }
  QByteArray bytesOf(const QString& name) {
    QFile file(name);
    EXPECT_TRUE(file.open(QIODevice::ReadOnly));
    return file.readAll();
  }
  QString write(const QString& name, const QByteArray& bytes) {
    QFile file(path(name));
    EXPECT_TRUE(file.open(QIODevice::WriteOnly));
    file.write(bytes);
    return path(name);
  }

  QTemporaryDir folder_;
  MainWindow window_;
};

TEST_F(RobustnessTest, NothingKeepsTheWindowWaiting) {
  const QString before = write_run(path("before.dachlast"), run_of_points(200));
  const QString after = write_run(path("after.dachlast"), run_of_points(200));
  StallWatch watch;
  watch.act(
      "open", [&] { window_.open(before); }, [&] { return !window_.reader().reading(); });
  watch.act(
      "open a second", [&] { window_.open(after); }, [&] { return !window_.reader().reading(); });
  watch.act("baseline", [&] { window_.runs().setBaseline(0); });
  for (const QString& page : window_.pageTitles()) watch.act(page, [&] { window_.showPage(page); });
  watch.act("select", [&] { window_.presenter().select("decode/attention"); });
  watch.act("filter", [&] { window_.presenter().filterPhase(Phase::kDecode); });
  watch.act("undo", [&] { window_.edits().undo(); });
  watch.act("resize", [&] { window_.resize(1024, 640); });
  for (const QString& page : {QStringLiteral("Memory"), QStringLiteral("Plan"), QStringLiteral("Report")}) {
    watch.act(page, [&] { window_.showPage(page); });
    for (const int context : {2048, 32768, 131072})
      watch.act(page + QStringLiteral(", drag"), [&] {
        ui::ScenarioFields fields = view<ui::ScenarioForm>().fields();
        fields.context_tokens = context;
        view<ui::ScenarioForm>().setFields(fields);
        Q_EMIT view<ui::ScenarioForm>().changed(fields);
      });
  }
  for (const char* model : {"deepseek-v3", "gpt2"})
    watch.act(QString("model ") + model, [&] {
      ui::ScenarioFields fields = view<ui::ScenarioForm>().fields();
      fields.model = model;
      view<ui::ScenarioForm>().setFields(fields);
      Q_EMIT view<ui::ScenarioForm>().changed(fields);
    });
  watch.act("close the run", [&] { window_.runs().close(0); });
  EXPECT_EQ(watch.stalls(), QStringList()) << watch.stalls().join("\n").toStdString();
  RecordProperty("longest", (watch.longest() + QString::number(watch.longest_ms())).toStdString());
}

/// A decode step of `n_ops` operations, as a run recorded with all its steps keeps them.
std::vector<trace::Span> long_step(int n_ops) {
  std::vector<trace::Span> spans(static_cast<std::size_t>(n_ops) + 1);
  for (int i = 0; i < n_ops; ++i) {
    trace::Span& span = spans[static_cast<std::size_t>(i)];
    span.phase = Phase::kDecode;
    span.op = static_cast<OpKind>(i % 14);
    span.layer = i / 20;
    span.start_ns = 1'000 * i;
    span.end_ns = span.start_ns + 800;
  }
  trace::Span& step = spans.back();
  step.zone = trace::ZoneKind::kStep;
  step.phase = Phase::kDecode;
  step.end_ns = 1'000 * n_ops;
  return spans;
}

TEST_F(RobustnessTest, ALargeFileIsReadInTheBackground) {
  const auto run = run_of_points(400);
  const QString large = path("large.dachlast");
  {
    RunWriter writer = RunWriter::create(large.toStdString(), run, IfExists::kOverwrite, dachlast::Timeline::kFull);
    for (const MeasuredPoint& point : run.points) writer.add_point(point, long_step(kLargeStep));
    writer.finish();
  }
  ASSERT_GT(QFileInfo(large).size(), kLargeFile);
  StallWatch watch;
  watch.act(
      "open", [&] { window_.open(large); }, [&] { return !window_.reader().reading(); });
  ASSERT_NE(window_.runs().shown(), nullptr);
  watch.act(
      "timeline", [&] { window_.showPage("Timeline"); }, [&] { return view<ui::TimelineView>().hasContent(); });
  window_.project().save(path("large.dachlast-project"));
  watch.act(
      "project", [&] { window_.open(path("large.dachlast-project")); }, [&] { return !window_.reader().reading(); });
  EXPECT_EQ(watch.stalls(), QStringList()) << watch.stalls().join("\n").toStdString();
}

TEST_F(RobustnessTest, ACrowdedFolderIsNotRead) {
  const QString one = write_run(path("one.dachlast"), test::sample_run());
  const QByteArray bytes = bytesOf(one);
  for (int i = 0; i < kCrowd; ++i) QFile::link(one, path(QString("run%1.dachlast").arg(i)));
  StallWatch watch;
  watch.act(
      "open one of many", [&] { window_.open(path("run7.dachlast")); }, [&] { return !window_.reader().reading(); });
  watch.act("drop the folder", [&] { drop(folder_.path()); });
  EXPECT_EQ(watch.stalls(), QStringList()) << watch.stalls().join("\n").toStdString();
  EXPECT_EQ(window_.runs().runs().size(), 1U);
  EXPECT_EQ(bytesOf(one), bytes);
}

TEST_F(RobustnessTest, DamagedFilesAreSaidAndNothingElseChanges) {
  const QString good = write_run(path("good.dachlast"), test::sample_run());
  open_in(window_, good);
  const QByteArray bytes = bytesOf(good);
  QByteArray flipped = bytes;
  for (qsizetype i = 100; i < flipped.size(); i += 97) flipped[i] = static_cast<char>(~flipped[i]);
  for (const QString& bad : {write("empty.dachlast", {}), write("short.dachlast", bytes.left(bytes.size() / 2)),
                             write("head.dachlast", bytes.left(20)), write("flipped.dachlast", flipped),
                             write("text.dachlast", "not a run"), path("missing.dachlast")}) {
    open_in(window_, bad);
    EXPECT_TRUE(view<ui::OverviewView>().hasContent()) << bad.toStdString();
    EXPECT_EQ(window_.runs().shown()->file, good) << bad.toStdString();
  }
  EXPECT_EQ(bytesOf(good), bytes);
}

TEST_F(RobustnessTest, ARunThatIsTakenAwayWhileOpenStaysReadable) {
  const QString file = write_run(path("gone.dachlast"), test::sample_run());
  open_in(window_, file);
  ASSERT_TRUE(QFile::remove(file));
  for (const QString& page : window_.pageTitles()) window_.showPage(page);
  window_.showPage("Timeline");
  // The spans were in the file; everything else was read.
  EXPECT_TRUE(QTest::qWaitFor(
      [&] {
        QApplication::processEvents();
        return !view<ui::TimelineView>().hasContent();
      },
      kPatienceMs));
  window_.showPage("Overview");
  EXPECT_TRUE(view<ui::OverviewView>().hasContent());
}

TEST_F(RobustnessTest, ADiskThatIsUnpluggedTakesNothingFromTheWindow) {
  QDir(folder_.path()).mkpath("disk");
  const QString before = write_run(path("disk/before.dachlast"), test::sample_run());
  const QString after = write_run(path("disk/after.dachlast"), test::sample_run());
  open_in(window_, before);
  open_in(window_, after);
  window_.runs().setBaseline(0);
  ASSERT_TRUE(QDir(path("disk")).removeRecursively());
  StallWatch watch;
  for (const QString& page : window_.pageTitles()) watch.act(page, [&] { window_.showPage(page); });
  watch.act(
      "open what is gone", [&] { window_.open(after); }, [&] { return !window_.reader().reading(); });
  watch.act("close", [&] { window_.runs().close(0); });
  QString told;
  QObject::connect(&window_.reporter(), &ReportController::told, [&](const QString& text) { told = text; });
  watch.act("export into what is gone", [&] { window_.reporter().exportTo(path("disk/report.html"), {}); });
  EXPECT_TRUE(QTest::qWaitFor([&] { return !told.isEmpty(); }, kPatienceMs));
  EXPECT_TRUE(told.contains("was not written")) << told.toStdString();
  ASSERT_EQ(window_.runs().runs().size(), 1U);
  EXPECT_EQ(window_.runs().shown()->file, after);
  window_.reporter().exportTo(path("report.html"), {});
  EXPECT_TRUE(QTest::qWaitFor([&] { return QFile::exists(path("report.html")); }, kPatienceMs)) << "nothing is lost";
  EXPECT_EQ(watch.stalls(), QStringList()) << watch.stalls().join("\n").toStdString();
}

TEST_F(RobustnessTest, AFileOfANewerVersionOpensAndSaysWhatIsLeftOut) {
  const QString file = write_run(path("newer.dachlast"), test::sample_run());
  {
    const Database db(file.toStdString(), DatabaseMode::kWrite);
    db.execute("PRAGMA user_version = 99; CREATE TABLE energy (x INTEGER)");
  }
  open_in(window_, file);
  EXPECT_TRUE(view<ui::OverviewView>().hasContent());
  QString log;
  for (const auto* text : window_.findChildren<QPlainTextEdit*>())
    if (text->accessibleName() == "Log") log = text->toPlainText();
  EXPECT_TRUE(log.contains("table energy")) << log.toStdString();
}

TEST_F(RobustnessTest, AReadOnlyFileAndFolderCanBeRead) {
  const QString file = write_run(path("fixed.dachlast"), test::sample_run());
  ASSERT_TRUE(QFile::setPermissions(file, QFile::ReadOwner));
  ASSERT_TRUE(QFile::setPermissions(folder_.path(), QFile::ReadOwner | QFile::ExeOwner));
  open_in(window_, file);
  window_.showPage("Timeline");
  EXPECT_TRUE(QTest::qWaitFor([&] { return view<ui::TimelineView>().hasContent(); }, kPatienceMs));
  QFile::setPermissions(folder_.path(), QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
}

TEST_F(RobustnessTest, AModelFolderCanBeDroppedOnAnyPage) {
  const QString model = writeModel("tiny");
  for (const QString& page : window_.pageTitles()) {
    window_.showPage(page);
    drop(model);
    EXPECT_EQ(view<ui::ScenarioForm>().fields().model, model) << page.toStdString();
    EXPECT_TRUE(QTest::qWaitFor([&] { return view<ui::PlanView>().isVisible() && view<ui::PlanView>().hasContent(); },
                                kPatienceMs))
        << page.toStdString();
    window_.edits().undo();
  }
}

TEST_F(RobustnessTest, AReportThatCannotBeWrittenIsSaid) {
  open_in(window_, write_run(path("one.dachlast"), test::sample_run()));
  QString told;
  QObject::connect(&window_.reporter(), &ReportController::told, [&](const QString& text) { told = text; });
  window_.reporter().exportTo(path("no/such/folder/report.html"), {});
  EXPECT_TRUE(QTest::qWaitFor([&] { return !told.isEmpty(); }, kPatienceMs));
  EXPECT_TRUE(told.contains("was not written")) << told.toStdString();
}

TEST_F(RobustnessTest, ATraceIsWrittenInTheBackground) {
  const QString file = write_run(path("one.dachlast"), test::sample_run());
  QString told;
  export_trace(&window_, file, path("trace.json"), [&](const QString& text) { told = text; });
  ASSERT_TRUE(QTest::qWaitFor([&] { return !told.isEmpty(); }, kPatienceMs));
  EXPECT_TRUE(bytesOf(path("trace.json")).contains("traceEvents"));
  told.clear();
  export_trace(&window_, path("missing.dachlast"), path("none.json"), [&](const QString& text) { told = text; });
  ASSERT_TRUE(QTest::qWaitFor([&] { return !told.isEmpty(); }, kPatienceMs));
  EXPECT_FALSE(QFile::exists(path("none.json")));
}

TEST_F(RobustnessTest, EveryControlHasAName) {
  open_in(window_, write_run(path("one.dachlast"), test::sample_run()));
  for (const QWidget* widget : window_.findChildren<QWidget*>()) {
    const QObject* parent = widget->parent();
    const bool inner = parent->inherits("QAbstractSpinBox") || parent->inherits("QComboBox") ||
                       parent->inherits("QLineEdit") || widget->objectName().startsWith("qt_");
    const bool input = widget->inherits("QAbstractSpinBox") || widget->inherits("QComboBox") ||
                       widget->inherits("QLineEdit") || widget->inherits("QSlider") || widget->inherits("QListWidget");
    const auto* button = qobject_cast<const QAbstractButton*>(widget);
    const bool mute = button != nullptr && button->focusPolicy() != Qt::NoFocus && button->text().isEmpty();
    if (inner || widget->isHidden() || (!input && !mute)) continue;
    EXPECT_FALSE(widget->accessibleName().isEmpty())
        << widget->metaObject()->className() << " in " << parent->metaObject()->className();
  }
}

TEST(Closing, DuringWorkEndsAtOnce) {
  const QTemporaryDir folder;
  const QString file = write_run(folder.filePath("one.dachlast"), run_of_points(200));
  const QString report = folder.filePath("report.html");
  {
    MainWindow window;
    window.show();
    open_in(window, file);
    window.reporter().exportTo(report, {});
    for (const char* page : {"Timeline", "Report", "Plan", "Memory"}) {
      window.showPage(page);
      QApplication::processEvents();
    }
    window.close();
  }
  // What was asked for is there, whole.
  EXPECT_TRUE(QTest::qWaitFor([&] { return QFile::exists(report); }, kPatienceMs));
  QFile written(report);
  ASSERT_TRUE(written.open(QIODevice::ReadOnly));
  EXPECT_TRUE(written.readAll().trimmed().endsWith("</html>"));
}

TEST(Closing, WhileSearchingHardwareEndsAtOnce) {
  for (int round = 0; round < 3; ++round) {
    auto window = std::make_unique<MainWindow>();
    window->show();
    window->showPage("Plan");
    auto& controller = *window->findChild<RecommendController*>();
    ASSERT_TRUE(QTest::qWaitFor([&] { return controller.searching(); }, kPatienceMs));
    QElapsedTimer timer;
    timer.start();
    window->close();
    window.reset();
    EXPECT_LT(timer.elapsed(), kPatienceMs);
  }
}

}  // namespace
}  // namespace dachlast::gui
