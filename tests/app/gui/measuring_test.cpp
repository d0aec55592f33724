// Measuring in the window: a real run of a tiny model in the background, cancelled, closed, started while another thing runs.
#include <gtest/gtest.h>

#include <QApplication>
#include <QDir>
#include <QFile>
#include <QMessageBox>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include "app/gui/main_window.h"
#include "app/gui/measure_controller.h"
#include "core/hardware/host.h"
#include "core/store/roof_store.h"
#include "core/workbench/workbench.h"
#include "tests/app/gui/stall_watch.h"
#include "tests/support/sample_run.h"
#include "ui/views/measure_view.h"

namespace dachlast::gui {
namespace {

constexpr int kPatienceMs = 60'000;

/// A home with roofs of this computer, so that no test measures them, and a model that takes microseconds a step.
class MeasuringTest : public testing::Test {
 protected:
  MeasuringTest() : data_home_(qgetenv("XDG_DATA_HOME")) {
    qputenv("XDG_DATA_HOME", folder_.path().toUtf8());
    DeviceRoofs roofs = test::sample_run().roofs;
    roofs.host_id = host_id();
    RoofStore().save(roofs);
    QDir(folder_.path()).mkpath("tiny");
    QFile file(folder_.filePath("tiny/config.json"));
    EXPECT_TRUE(file.open(QIODevice::WriteOnly));
    file.write(
        R"({"model_type": "gpt2", "n_layer": 2, "n_head": 4, "n_embd": 64, "vocab_size": 1000, "n_positions": 512})");
  }
  ~MeasuringTest() override {
    wait_for_measurements();
    data_home_.isEmpty() ? qunsetenv("XDG_DATA_HOME") : qputenv("XDG_DATA_HOME", data_home_);
  }

  /// Many points of many steps: long enough to be stopped half way on any machine.
  ui::MeasureFields longRun() const {
    QStringList contexts;
    for (int context = 8; context <= 256; context += 8) contexts << QString::number(context);
    ui::MeasureFields fields;
    fields.model = folder_.filePath("tiny");
    fields.contexts = contexts.join(u',');
    fields.batches = "1";
    fields.repeats = 1000;
    return fields;
  }
  QStringList files() const {
    const QDir runs(folder_.filePath("dachlast/runs"));
    QStringList found;
    for (const QString& name : runs.entryList({"*.dachlast"})) found << runs.filePath(name);
    return found;
  }
  static MeasureController& controllerOf(MainWindow& window) { return *window.findChild<MeasureController*>(); }
  static void measure(MainWindow& window, const ui::MeasureFields& fields) {
    Q_EMIT window.findChild<ui::MeasureView*>()->measureRequested(fields);
  }
  /// Until so many points are finished and saved.
  static bool waitForPoints(MainWindow& window, int count) {
    int reached = 0;
    const QObject while_waiting;
    QObject::connect(&controllerOf(window), &MeasureController::progressed, &while_waiting,
                     [&reached](const QString&, int index, int) { reached = index; });
    return QTest::qWaitFor([&] { return reached >= count; }, kPatienceMs);
  }

  QTemporaryDir folder_;
  QByteArray data_home_;
};

/// Answers the question about a running measurement by the button that says so.
class Answers {
 public:
  explicit Answers(QStringList texts) : texts_(std::move(texts)) {
    QObject::connect(&timer_, &QTimer::timeout, [this] { press(); });
    timer_.start(20);
  }
  int asked() const { return asked_; }

 private:
  void press() {
    auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
    if (box == nullptr || asked_ >= texts_.size()) return;
    const QString wanted = texts_[asked_++];
    for (QAbstractButton* button : box->buttons())
      if (button->text().remove(u'&') == wanted) return button->click();
    ADD_FAILURE() << "no button " << wanted.toStdString();
    box->reject();
  }

  QStringList texts_;
  QTimer timer_;
  int asked_ = 0;
};

TEST_F(MeasuringTest, CancellingKeepsWhatIsFinishedAndOpensIt) {
  MainWindow window;
  window.show();
  measure(window, longRun());
  ASSERT_TRUE(waitForPoints(window, 2));
  controllerOf(window).cancel();
  ASSERT_TRUE(QTest::qWaitFor([&] { return window.runs().shown() != nullptr; }, kPatienceMs));
  const auto& run = *window.runs().shown()->run;
  EXPECT_FALSE(run.complete);
  EXPECT_GE(run.points.size(), 2U);
  EXPECT_LT(static_cast<int>(run.points.size()), run.planned_points);
}

TEST_F(MeasuringTest, ClosingAsksOnceAndLosesNothing) {
  auto window = std::make_unique<MainWindow>();
  window->show();
  measure(*window, longRun());
  ASSERT_TRUE(waitForPoints(*window, 1));
  const Answers answers({"Keep measuring", "Stop and save"});
  EXPECT_FALSE(window->close());
  EXPECT_TRUE(controllerOf(*window).running());
  EXPECT_TRUE(window->close());
  EXPECT_EQ(answers.asked(), 2);
  StallWatch watch;
  watch.act("a window that measures goes", [&] { window.reset(); });
  EXPECT_EQ(watch.stalls(), QStringList());
  wait_for_measurements();
  ASSERT_EQ(files().size(), 1);
  const OpenedRun opened = open_run(files()[0].toStdString());
  EXPECT_FALSE(opened.run.complete);
  EXPECT_GE(opened.run.points.size(), 1U);
}

TEST_F(MeasuringTest, StartingWhileAnotherThingRunsKeepsNobodyWaiting) {
  MainWindow window;
  window.show();
  StallWatch watch;
  auto& view = *window.findChild<ui::MeasureView*>();
  watch.act("look", [&] { window.showPage("Measure"); });
  ui::MeasureFields fields = longRun();
  watch.act("type", [&] {
    view.setFields(fields);
    Q_EMIT view.changed(fields);
  });
  watch.act(
      "measure", [&] { measure(window, fields); }, [&] { return controllerOf(window).running(); });
  for (const QString& page : window.pageTitles()) watch.act(page, [&] { window.showPage(page); });
  watch.act(
      "cancel", [&] { controllerOf(window).cancel(); }, [&] { return !controllerOf(window).running(); });
  EXPECT_EQ(watch.stalls(), QStringList()) << watch.stalls().join("\n").toStdString();
  EXPECT_FALSE(controllerOf(window).running());
}

TEST_F(MeasuringTest, ARunHasItsMemoryAndCacheInTheTimeline) {
  MainWindow window;
  window.show();
  ui::MeasureFields fields = longRun();
  fields.contexts = "16";
  fields.repeats = 5;
  measure(window, fields);
  ASSERT_TRUE(QTest::qWaitFor([&] { return window.runs().shown() != nullptr; }, kPatienceMs));
  const viewmodel::Timeline timeline = timeline_of(window.runs().shown()->file.toStdString());
  ASSERT_FALSE(timeline.kv.empty());
  EXPECT_EQ(timeline.kv.front().tokens_before, 0);  // a prompt into an empty cache …
  EXPECT_EQ(timeline.kv.front().tokens_after, 16);
  EXPECT_EQ(timeline.kv.back().tokens_before, 15);  // … and a token behind the others
  ASSERT_GE(timeline.memory.size(), 4U);
  EXPECT_GT(timeline.memory.front().resident_bytes, 1e6);
}

}  // namespace
}  // namespace dachlast::gui
