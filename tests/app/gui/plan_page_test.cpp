// The plan page: recommendation, chart, curves, adopting an option.
#include <gtest/gtest.h>

#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include "app/gui/main_window.h"
#include "app/gui/recommend_controller.h"
#include "ui/views/plan_view.h"
#include "ui/views/recommend_view.h"
#include "ui/widgets/data_table.h"
#include "ui/widgets/scenario_form.h"

namespace dachlast::gui {
namespace {

constexpr int kPatienceMs = 30'000;  // a search takes under a second where the machine is idle

class PlanPageTest : public testing::Test {
 protected:
  PlanPageTest() {
    window_.show();
    page().setFields(fields());
  }
  static ui::RecommendFields fields() {
    ui::RecommendFields few;
    few.concurrency = 4;
    few.devices = QStringList{QStringLiteral("h100-sxm"), QStringLiteral("l40s")};
    few.max_devices = 2;
    return few;
  }
  ui::RecommendView& page() { return *window_.findChild<ui::RecommendView*>(); }
  ui::ScenarioForm& form() { return *window_.findChild<ui::ScenarioForm*>(); }
  RecommendController& controller() { return *window_.findChild<RecommendController*>(); }
  bool settle() {
    QSignalSpy settled(&controller(), &RecommendController::settled);
    return settled.wait(kPatienceMs);
  }
  bool showPlan() {
    QSignalSpy settled(&controller(), &RecommendController::settled);
    window_.showPage("Plan");
    return settled.wait(kPatienceMs);
  }
  MainWindow window_;
};

TEST_F(PlanPageTest, RecommendsWhenSomeoneLooks) {
  EXPECT_FALSE(controller().searching());
  ASSERT_TRUE(showPlan());
  EXPECT_TRUE(page().answer().startsWith("RECOMMENDED for 4")) << page().answer().toStdString();
  EXPECT_FALSE(page().chart().figure().primitives.empty());
}

TEST_F(PlanPageTest, ALimitNobodyMeetsNamesTheNearestMiss) {
  ASSERT_TRUE(showPlan());
  ui::RecommendFields strict = fields();
  strict.tpot_ms = 0.1;
  page().setFields(strict);
  Q_EMIT page().changed(strict);
  ASSERT_TRUE(settle());
  EXPECT_TRUE(page().answer().startsWith("NOTHING QUALIFIES")) << page().answer().toStdString();
  EXPECT_TRUE(page().answer().contains("Nearest:"));
}

TEST_F(PlanPageTest, AnOptionBecomesTheScenarioAndCanBeTakenBack) {
  ASSERT_TRUE(showPlan());
  const ui::ScenarioFields before = form().fields();
  // The first hit box is a candidate that was timed.
  for (const auto& primitive : page().chart().figure().primitives)
    if (const auto* hit = std::get_if<figure::HitBox>(&primitive)) {
      Q_EMIT page().adoptRequested(std::stoi(hit->datum));
      break;
    }
  EXPECT_NE(form().fields(), before);
  EXPECT_TRUE(form().fields().device == "h100-sxm" || form().fields().device == "l40s");
  EXPECT_TRUE(window_.findChild<ui::PlanView*>()->answer().startsWith("FITS"));
  window_.edits().undo();
  EXPECT_EQ(form().fields(), before);
}

TEST_F(PlanPageTest, AWrongDeviceIsSaidAndCanBeMended) {
  ui::RecommendFields wrong = fields();
  wrong.devices = QStringList{QStringLiteral("h1000")};
  page().setFields(wrong);
  ASSERT_TRUE(showPlan());
  EXPECT_TRUE(page().answer().contains("h1000")) << page().answer().toStdString();
  EXPECT_TRUE(page().hasContent());  // the fields are still there
  page().setFields(fields());
  Q_EMIT page().changed(fields());
  ASSERT_TRUE(settle());
  EXPECT_TRUE(page().answer().startsWith("RECOMMENDED"));
}

TEST_F(PlanPageTest, TheLastQuestionWins) {
  window_.showPage("Plan");
  ui::RecommendFields last = fields();
  for (const int concurrency : {1, 2, 3, 16}) {
    last.concurrency = concurrency;
    page().setFields(last);
    Q_EMIT page().changed(last);
    QTest::qWait(20);
  }
  ASSERT_TRUE(settle());
  EXPECT_TRUE(page().answer().contains("16\u00a0requests")) << page().answer().toStdString();
}

TEST_F(PlanPageTest, ASearchCanBeCancelled) {
  ui::RecommendFields wide;
  wide.concurrency = 64;
  wide.max_devices = 64;
  page().setFields(wide);
  window_.showPage("Plan");
  ASSERT_TRUE(QTest::qWaitFor([this] { return controller().searching(); }, kPatienceMs));
  controller().cancel();
  EXPECT_FALSE(controller().searching());
  EXPECT_TRUE(page().answer().contains("cancelled"));
}

TEST_F(PlanPageTest, AxesCanBeSwitched) {
  ASSERT_TRUE(showPlan());
  page().setAxes(viewmodel::ParetoAxis::kTtft, viewmodel::ParetoAxis::kDevices);
  const auto& primitives = page().chart().figure().primitives;
  EXPECT_TRUE(std::ranges::any_of(primitives, [](const auto& primitive) {
    const auto* text = std::get_if<figure::Text>(&primitive);
    return text != nullptr && text->text == "TTFT, s";
  }));
}

TEST_F(PlanPageTest, CurvesAreDrawn) {
  ASSERT_TRUE(showPlan());
  const auto drawn = [&](const char* id) {
    for (ui::FigureView* view : page().findChildren<ui::FigureView*>())
      if (view->figure().id == id && view->data().rows.size() > 2) return true;
    return false;
  };
  EXPECT_TRUE(QTest::qWaitFor([&] { return drawn("speed-over-batch") && drawn("speed-over-context"); }, kPatienceMs));
}

TEST_F(PlanPageTest, EveryFieldHasAName) {
  for (QWidget* field : page().findChildren<QWidget*>())
    if (field->inherits("QAbstractSpinBox") || field->inherits("QComboBox")) {
      EXPECT_FALSE(field->accessibleName().isEmpty()) << field->metaObject()->className();
    }
}

}  // namespace
}  // namespace dachlast::gui
