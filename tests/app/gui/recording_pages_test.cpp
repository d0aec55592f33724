// Pages with a recording of another profiler on them: what fills them, and what a range of its timeline leaves of it.
#include <gtest/gtest.h>

#include <QComboBox>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QUndoStack>

#include "app/gui/main_window.h"
#include "app/gui/recording_presenter.h"
#include "app/gui/run_presenter.h"
#include "core/store/attach_file.h"
#include "core/workbench/recording.h"
#include "tests/app/gui/run_files.h"
#include "tests/support/sample_run.h"
#include "ui/models/run_list_model.h"
#include "ui/panels/runs_panel.h"
#include "ui/views/overview_view.h"
#include "ui/views/roofline_view.h"
#include "ui/views/timeline_view.h"
#include "ui/widgets/chip_bar.h"
#include "ui/widgets/data_table.h"
#include "ui/words.h"

namespace dachlast::gui {
namespace {

const QString kWithShapes = QStringLiteral(DACHLAST_TEST_DATA_DIR "/profiles/qwen1.5-0.5b-h100.json.gz");
const QString kWithoutShapes = QStringLiteral(DACHLAST_TEST_DATA_DIR "/profiles/h100-two-gpus.sqlite");

class RecordingPagesTest : public testing::Test {
 protected:
  RecordingPagesTest() {
    window_.show();
    window_.activateWindow();
  }
  template <class View>
  View& view() {
    return *window_.findChild<View*>();
  }
  void open(const QString& file) {
    window_.open(file);
    ASSERT_TRUE(QTest::qWaitFor([&] { return window_.presenter().recording().isShown(); }, 10'000));
  }
  ui::FigureView& chart() { return *view<ui::TimelineView>().findChild<ui::FigureView*>(); }
  void brush(double from, double to) {
    const figure::Plane plane = *chart().figure().plane;
    const auto at = [&](double share) {
      return QPoint(static_cast<int>(plane.frame.x + share * plane.frame.width), static_cast<int>(plane.frame.y) + 30);
    };
    QTest::mousePress(&chart(), Qt::LeftButton, {}, at(from));
    QTest::mouseMove(&chart(), at((from + to) / 2.0));
    QTest::mouseRelease(&chart(), Qt::LeftButton, {}, at(to));
  }
  const viewmodel::Table& kernels() { return window_.docks().operations().table(); }
  double time_of_kernels() {
    double sum_s = 0.0;
    for (const auto& row : kernels().rows) sum_s += std::get<double>(row.at(3).raw);
    return sum_s;
  }
  const std::optional<TraceRange>& range() { return window_.presenter().recording().range(); }
  QString answerOf(const viewmodel::RecordingView& recording) {
    QStringList sentences;
    for (const std::string& sentence : recording.summary.answer) sentences << ui::said(sentence);
    return sentences.join(u' ');
  }

  QTemporaryDir folder_;
  MainWindow window_;
};

TEST_F(RecordingPagesTest, ARecordingFillsItsPages) {
  open(kWithShapes);
  EXPECT_TRUE(view<ui::OverviewView>().answer().contains("GPU 0 was busy"));
  EXPECT_TRUE(view<ui::RooflineView>().hasContent());
  EXPECT_NEAR(time_of_kernels(), 45.4327e-3, 1e-7);  // counted from the file alone, see kineto_trace_test.cpp
  // Its calls of CUDA's runtime are there, so waiting is told apart.
  EXPECT_TRUE(view<ui::TimelineView>().answer().contains("launch gap"))
      << view<ui::TimelineView>().answer().toStdString();
}

TEST_F(RecordingPagesTest, ABrushedTimeFiltersEveryPage) {
  open(kWithShapes);
  const QString all = view<ui::OverviewView>().answer();
  const double all_s = time_of_kernels();
  brush(0.3, 0.5);
  ASSERT_TRUE(range());
  EXPECT_TRUE(window_.presenter().filters().empty());  // those are of runs
  const viewmodel::RecordingView expected = view_of(open_recording(kWithShapes.toStdString()), *range());
  ASSERT_TRUE(QTest::qWaitFor([&] { return view<ui::OverviewView>().answer() == answerOf(expected); }, 10'000))
      << view<ui::OverviewView>().answer().toStdString();
  EXPECT_NE(view<ui::OverviewView>().answer(), all);
  EXPECT_EQ(kernels().rows.size(), expected.kernels.table.rows.size());
  EXPECT_LT(time_of_kernels(), all_s / 2.0);
  EXPECT_EQ(view<ui::RooflineView>().answer(), answerOf(expected));
  ASSERT_EQ(view<ui::ChipBar>().texts().size(), 1);
  EXPECT_TRUE(view<ui::ChipBar>().texts()[0].startsWith("Timeline range:"));

  QTest::keyClick(&chart(), Qt::Key_Escape);
  EXPECT_FALSE(range());
  EXPECT_EQ(view<ui::OverviewView>().answer(), all);
  EXPECT_DOUBLE_EQ(time_of_kernels(), all_s);
  EXPECT_TRUE(view<ui::ChipBar>().texts().empty());
}

TEST_F(RecordingPagesTest, AChipTakesTheRangeAwayAndUndoBringsItBack) {
  open(kWithShapes);
  const double all_s = time_of_kernels();
  brush(0.3, 0.5);
  ASSERT_TRUE(range());
  const TraceRange brushed = *range();
  ASSERT_TRUE(QTest::qWaitFor([&] { return time_of_kernels() < all_s; }, 10'000));
  Q_EMIT view<ui::ChipBar>().removed(QStringLiteral("range"));
  EXPECT_FALSE(range());
  EXPECT_FALSE(chart().brushed());
  EXPECT_DOUBLE_EQ(time_of_kernels(), all_s);
  window_.edits().undo();
  EXPECT_EQ(range(), brushed);
  EXPECT_TRUE(QTest::qWaitFor([&] { return time_of_kernels() < all_s; }, 10'000));
}

TEST_F(RecordingPagesTest, TheLastOfManyRangesIsShown) {
  open(kWithShapes);
  for (const double to : {0.2, 0.9, 0.35, 0.8, 0.3}) brush(0.1, to);
  ASSERT_TRUE(range());
  const viewmodel::RecordingView expected = view_of(open_recording(kWithShapes.toStdString()), *range());
  EXPECT_TRUE(QTest::qWaitFor([&] { return view<ui::OverviewView>().answer() == answerOf(expected); }, 10'000));
  QTest::qWait(200);  // nothing older comes behind it
  EXPECT_EQ(view<ui::OverviewView>().answer(), answerOf(expected));
  EXPECT_EQ(view<ui::ChipBar>().texts().size(), 1);
}

TEST_F(RecordingPagesTest, WithoutShapesTheRooflineSaysWhy) {
  open(kWithoutShapes);
  EXPECT_FALSE(view<ui::RooflineView>().hasContent());
  EXPECT_TRUE(view<ui::OverviewView>().hasContent());
  EXPECT_GT(kernels().rows.size(), 10U);
}

TEST_F(RecordingPagesTest, AnotherGpuCanBeChosen) {
  open(kWithShapes);
  auto& page = view<ui::TimelineView>();
  const auto gpus = [&]() -> QComboBox* {
    for (auto* box : page.findChildren<QComboBox*>())
      if (box->accessibleName() == "GPU shown") return box;
    return nullptr;
  };
  ASSERT_NE(gpus(), nullptr);
  EXPECT_FALSE(gpus()->isVisible());  // there is one alone
  open(kWithoutShapes);
  ASSERT_TRUE(QTest::qWaitFor([&] { return gpus()->isVisible(); }, 10'000));
  ASSERT_EQ(gpus()->count(), 2);
  const OpenedRecording opened = open_recording(kWithoutShapes.toStdString());
  const QString before = page.answer();
  const int other = 1 - gpus()->currentIndex();
  EXPECT_EQ(gpus()->currentIndex(), timeline_of(opened).gpu->device);
  gpus()->setCurrentIndex(other);
  Q_EMIT gpus()->activated(other);
  const viewmodel::Timeline expected = timeline_of(opened, other);
  const QString said = ui::said(describe_range(expected, first_window(expected)).sentence);
  ASSERT_NE(before, said);
  ASSERT_TRUE(QTest::qWaitFor([&] { return page.answer() == said; }, 10'000)) << page.answer().toStdString();
  brush(0.4, 0.6);  // on the axis of that GPU
  ASSERT_TRUE(range());
  EXPECT_GE(range()->from_ns, expected.gpu->origin_ns);
  EXPECT_LE(range()->to_ns, expected.gpu->origin_ns + expected.end_ns);
  open(kWithoutShapes);  // once more: the busiest again
  EXPECT_NE(gpus()->currentIndex(), other);
}

TEST_F(RecordingPagesTest, AProgramWithoutGpuShowsItsRanges) {
  AttachRecord record;
  record.processes = {{1, 0, "engine"}};
  record.threads = {{0, 1, "main", 0}};
  record.names = {"", "decode step 7", "layer 3", "attention"};
  for (std::int32_t name = 1; name <= 3; ++name) {
    AttachedRange range;
    range.name = name;
    range.depth = name - 1;
    range.start_ns = 100'000 * name;
    range.end_ns = 1'000'000 - 100'000 * name;
    record.ranges.push_back(range);
  }
  const QString file = folder_.filePath("attached.dachlast");
  write_attach_file(file.toStdString(), record, IfExists::kRefuse);
  open(file);
  EXPECT_TRUE(view<ui::TimelineView>().answer().contains("ranges begin in"))
      << view<ui::TimelineView>().answer().toStdString();
  EXPECT_NE(chart().figure().description.find("3"), std::string::npos);
  EXPECT_FALSE(view<ui::OverviewView>().hasContent());
  EXPECT_FALSE(view<ui::RooflineView>().hasContent());
  EXPECT_TRUE(kernels().rows.empty());
  brush(0.3, 0.6);  // statistics alone
  EXPECT_FALSE(range());
  EXPECT_TRUE(view<ui::ChipBar>().texts().empty());
  open(kWithShapes);
  EXPECT_TRUE(view<ui::OverviewView>().hasContent());
}

TEST_F(RecordingPagesTest, ChoosingTheRunAgainLeavesTheRecording) {
  const QString run = write_run(folder_.filePath("one.dachlast"), test::sample_run());
  open_in(window_, run);
  const QString of_run = view<ui::OverviewView>().answer();
  const std::size_t n_operations = kernels().rows.size();
  open(kWithShapes);
  brush(0.3, 0.5);
  ASSERT_TRUE(range());
  EXPECT_NE(view<ui::OverviewView>().answer(), of_run);
  auto* table = view<ui::RunsPanel>().findChild<QTableView*>();
  Q_EMIT table->clicked(table->model()->index(0, ui::RunListModel::kName));
  EXPECT_FALSE(window_.presenter().recording().isShown());
  EXPECT_EQ(view<ui::OverviewView>().answer(), of_run);
  EXPECT_TRUE(view<ui::RooflineView>().hasContent());
  EXPECT_EQ(kernels().rows.size(), n_operations);
  EXPECT_TRUE(view<ui::ChipBar>().texts().empty());
  EXPECT_TRUE(QTest::qWaitFor([&] { return view<ui::TimelineView>().answer().contains("operation"); }, 5000));
  window_.edits().undo();  // of a range that nobody looks at any more
  EXPECT_EQ(view<ui::OverviewView>().answer(), of_run);
}

}  // namespace
}  // namespace dachlast::gui
