#include "ui/views/timeline_view.h"

#include <gtest/gtest.h>

#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>

namespace dachlast::ui {
namespace {

/// `n_steps` decode steps of 1 ms with four operations each.
TimelineView::TimelinePtr steps(int n_steps) {
  std::vector<trace::Span> spans;
  for (int step = 0; step < n_steps; ++step) {
    const std::int64_t start = 1'000'000LL * step;
    for (int op = 0; op < 4; ++op) {
      trace::Span span;
      span.phase = Phase::kDecode;
      span.op = op % 2 == 0 ? OpKind::kAttention : OpKind::kMlpUp;
      span.layer = op / 2;
      span.start_ns = start + 240'000 * op;
      span.end_ns = span.start_ns + 200'000;
      spans.push_back(span);
    }
    trace::Span whole;
    whole.zone = trace::ZoneKind::kStep;
    whole.phase = Phase::kDecode;
    whole.start_ns = start;
    whole.end_ns = start + 950'000;
    spans.push_back(whole);
  }
  const viewmodel::RecordedPoint point{"Decode, 8 tokens, batch 1", Phase::kDecode, 30, spans};
  return std::make_shared<const viewmodel::Timeline>(viewmodel::make_timeline({&point, 1}));
}

class TimelineViewTest : public testing::Test {
 protected:
  TimelineViewTest() {
    view_.resize(900, 500);
    view_.show();
  }
  FigureView& chart() { return *view_.findChild<FigureView*>(); }

  TimelineView view_;
};

TEST_F(TimelineViewTest, WithoutSpansSaysSo) {
  view_.setTimeline("run", std::make_shared<const viewmodel::Timeline>());
  EXPECT_FALSE(view_.hasContent());
  EXPECT_TRUE(view_.findChild<QPushButton*>()->isVisible());
}

TEST_F(TimelineViewTest, FramesOneStep) {
  view_.setTimeline("run", steps(3));
  ASSERT_TRUE(view_.hasContent());
  EXPECT_NEAR(view_.window().hi - view_.window().lo, 950'000.0 * 1.06, 1000.0);
  EXPECT_TRUE(view_.answer().simplified().startsWith("4 operations begin")) << view_.answer().toStdString();
}

TEST_F(TimelineViewTest, GoesFromStepToStep) {
  view_.setTimeline("run", steps(3));
  const auto buttons = view_.findChildren<QToolButton*>();
  ASSERT_EQ(buttons.size(), 2);
  EXPECT_FALSE(buttons[0]->isEnabled());
  QTest::mouseClick(buttons[1], Qt::LeftButton);
  EXPECT_TRUE(buttons[0]->isEnabled());
  QTest::mouseClick(buttons[1], Qt::LeftButton);
  EXPECT_FALSE(buttons[1]->isEnabled());
}

TEST_F(TimelineViewTest, ABrushedRangeTellsWhatLiesInIt) {
  view_.setTimeline("run", steps(3));
  QTest::qWait(10);
  const figure::Plane plane = *chart().figure().plane;
  const int y = static_cast<int>(plane.frame.y) + 40;
  std::optional<viewmodel::TimelineRange> told;
  QObject::connect(&view_, &TimelineView::rangeChosen, [&](const auto& range) { told = range; });
  QTest::mousePress(&chart(), Qt::LeftButton, {}, {static_cast<int>(plane.x.position(-10'000.0)), y});
  QTest::mouseMove(&chart(), {static_cast<int>(plane.x.position(200'000.0)), y});
  QTest::mouseRelease(&chart(), Qt::LeftButton, {}, {static_cast<int>(plane.x.position(400'000.0)), y});
  ASSERT_TRUE(told);
  // Operations at 0 and at 240 µs begin there.
  EXPECT_EQ(std::get<std::int64_t>(told->statistics.rows.front()[0].raw), 2);
}

TEST_F(TimelineViewTest, SelectingAnEventTellsItsOperation) {
  view_.setTimeline("run", steps(1));
  const QSignalSpy selected(&view_, &TimelineView::selected);
  const figure::Plane plane = *chart().figure().plane;
  const auto& hits = chart().figure().primitives;
  figure::Box box;
  for (const auto& primitive : hits)
    if (const auto* hit = std::get_if<figure::HitBox>(&primitive); hit != nullptr && hit->datum == "op:1")
      box = hit->box;
  ASSERT_GT(box.width, 0.0);
  EXPECT_GT(plane.frame.width, box.width);
  QTest::mouseClick(&chart(), Qt::LeftButton, {},
                    {static_cast<int>(box.x + box.width / 2), static_cast<int>(box.y + box.height / 2)});
  ASSERT_EQ(selected.count(), 1);
  EXPECT_EQ(selected.at(0).at(0).toString(), "decode/mlp_up");
}

TEST_F(TimelineViewTest, ABaselineStandsBelowAlignedAtTheStep) {
  view_.setTimeline("run", steps(2));
  view_.setBaseline("before", steps(2));
  int second_strip = 0;
  for (const auto& primitive : chart().figure().primitives)
    if (const auto* hit = std::get_if<figure::HitBox>(&primitive)) second_strip += hit->datum.starts_with("1/") ? 1 : 0;
  EXPECT_GT(second_strip, 0);
}

/// Where the first step of a strip begins.
double step_left(const figure::Figure& figure, const std::string& datum) {
  for (const auto& primitive : figure.primitives)
    if (const auto* hit = std::get_if<figure::HitBox>(&primitive); hit != nullptr && hit->datum == datum)
      return hit->box.x;
  return -1.0;
}

TEST_F(TimelineViewTest, StepsOfBothStripsBeginAtTheSamePlace) {
  view_.setTimeline("run", steps(2));
  view_.setBaseline("before", steps(3));
  const double left = step_left(chart().figure(), "step:0");
  ASSERT_GT(left, 0.0);
  EXPECT_EQ(step_left(chart().figure(), "1/step:0"), left);
  QTest::mouseClick(view_.findChildren<QToolButton*>()[1], Qt::LeftButton);
  const double next = step_left(chart().figure(), "step:1");
  ASSERT_GT(next, 0.0);
  EXPECT_EQ(step_left(chart().figure(), "1/step:1"), next);
}

TEST_F(TimelineViewTest, ALongerStepOfTheBaselineIsFramedWholeUnlessSomeoneZoomed) {
  auto slow = std::make_shared<viewmodel::Timeline>(*steps(1));
  slow->steps = {};
  slow->steps.add(0, 2'000'000, static_cast<int>(Phase::kDecode));
  slow->end_ns = 2'000'000;
  view_.setTimeline("run", steps(3));
  view_.setBaseline("before", slow);
  EXPECT_NEAR(view_.window().hi, 2'000'000 * 1.03, 1.0);
  view_.setBaseline({}, nullptr);
  EXPECT_NEAR(view_.window().hi, 950'000 * 1.03, 1.0);
  view_.setWindow({0.0, 300'000.0});
  view_.setBaseline("before", slow);
  EXPECT_NEAR(view_.window().hi, 300'000.0, 1.0);
}

TEST_F(TimelineViewTest, TheDataOfTheChartAreTheEventsOfItsWindow) {
  view_.setTimeline("run", steps(2));
  const viewmodel::Table table = chart().data();
  EXPECT_EQ(table.rows.size(), 1u + 2u + 4u);  // a step, its two layers, its four operations
}

TEST_F(TimelineViewTest, RowsThatCouldNotBeRecordedAreNamedWithTheReason) {
  auto timeline = std::make_shared<viewmodel::Timeline>(*steps(1));
  timeline->clock_power_sources = {{"", "the system shows none."}, {"RAPL", ""}};
  view_.setTimeline("run", timeline);
  bool said = false;
  for (const QLabel* label : view_.findChildren<QLabel*>())
    said = said || (label->isVisible() && label->text() == "No clock: the system shows none.");
  EXPECT_TRUE(said);
  view_.setTimeline("run", steps(1));
  for (const QLabel* label : view_.findChildren<QLabel*>())
    EXPECT_FALSE(label->isVisible() && label->text().startsWith("No clock")) << label->text().toStdString();
}

TEST_F(TimelineViewTest, ARecordingShowsItsKernels) {
  viewmodel::Timeline recording;
  recording.gpu.emplace();
  recording.gpu->names = {"a_gemm", "decode 1"};
  recording.gpu->step_names = {1};
  recording.gpu->kernels = {{0, 400, 0, 0, 0, {}}, {600, 1000, 0, 0, 0, {}}};
  recording.steps.add(0, 1000, static_cast<int>(Phase::kDecode));
  recording.kernels.add(0, 400, 1);
  recording.kernels.add(600, 1000, 1);
  recording.points = {{"GPU 0", Phase::kDecode, 1, 0, 1}};
  recording.end_ns = 1000;
  view_.setTimeline("recording", std::make_shared<const viewmodel::Timeline>(recording));
  ASSERT_TRUE(view_.hasContent());
  EXPECT_GT(step_left(chart().figure(), "kernel:1"), step_left(chart().figure(), "kernel:0"));
  EXPECT_TRUE(view_.answer().simplified().startsWith("2 kernels begin in")) << view_.answer().toStdString();
}

}  // namespace
}  // namespace dachlast::ui
